"""What time it is on the timeline that is shown: what the last message said, and what has passed since."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Moment:
    def __init__(self) -> None:
        self._said: float | None = None
        self._heard_at = 0.0

    def heard(self, time: float | None, *, now: float) -> None:
        """`time`: of a message, seconds since the Unix epoch, if it has one; `now`: of a clock that is never set."""
        if time is not None:
            self._said, self._heard_at = time, now

    def time(self, now: float, playback: Mapping[str, Any] | None, *, running: bool) -> float | None:
        """None: nobody has said it. `playback`: the data of the last message of it; `running`: the truth goes on."""
        if self._said is None:
            return None
        state, speed = ("live", 1.0) if playback is None else (playback.get("state"), playback.get("speed"))
        if not running or state not in ("live", "playing") or not isinstance(speed, int | float):
            return self._said
        return self._said + max(now - self._heard_at, 0.0) * float(speed)
