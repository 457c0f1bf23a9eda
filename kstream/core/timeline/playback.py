"""How a recording is played: speed, pause, seek, gaps. Maps recorded time to the time of whoever watches.

Recorded times are seconds since the Unix epoch, as in the events. `now` is any clock that does not go back; only
its differences count. The playback knows no events: it is told the time of the next one, and says how long to wait.
"""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Any, Final

from kstream.core.errors import InvalidMessageError
from kstream.core.timeline.timepoint import timestamp

MAX: Final = math.inf
"""The speed "max": every event is due as soon as the one before is out."""

_TICK: Final = 0.001  # waits that are shorter are not worth a turn, and may be too short for a clock to show


class PlaybackState(StrEnum):
    """The states of PROTOCOL 27 that a timeline of its own can be in."""

    PLAYING = "playing"
    PAUSED = "paused"
    ENDED = "ended"


def speed_of(given: float | str, *, field: str = "speed") -> float:
    """A speed from outside: a number above 0, or "max". Raises InvalidMessageError."""
    if given == "max":
        return MAX
    try:
        speed = float(given)
    except (ValueError, OverflowError):
        speed = math.nan
    if not 0 < speed < math.inf:
        raise InvalidMessageError(
            "That is no speed", f'{field}: {given!r:.100}: give a number above 0, or "max"'
        )
    return speed


class Playback:
    """Where a timeline is, and how it goes on."""

    def __init__(
        self,
        *,
        start: float,
        end: float,
        now: float,
        speed: float = 1.0,
        paused: bool = False,
        loop: bool = False,
        max_gap: float | None = None,
    ) -> None:
        """At `start`. `max_gap`: a silence of the recording that is longer lasts only so long (recorded seconds)."""
        self.start = start
        self.end = max(start, end)
        self.loop = loop
        self.state = PlaybackState.PAUSED if paused else PlaybackState.PLAYING
        self._speed = speed
        self.max_gap = math.inf if max_gap is None else max_gap
        self._at = start  # the position at the instant `_since`
        self._since = now
        self._silent_from = start  # of the last event, or where a seek went

    @property
    def speed(self) -> float:
        """Recorded seconds in one second; MAX for as fast as it goes."""
        return self._speed

    def position(self, now: float) -> float:
        """The recorded time that is shown at `now`."""
        if self.state is not PlaybackState.PLAYING or self._speed == MAX:
            return self._at
        return min(self.end, self._at + max(0.0, now - self._since) * self._speed)

    def wait(self, now: float, upcoming: float) -> float | None:
        """Seconds until what happens at `upcoming` is due: 0 when it is, None while the time stands still."""
        if self.state is not PlaybackState.PLAYING:
            return None
        if self._speed == MAX:
            return 0.0
        due = min(upcoming, self._silent_from + self.max_gap)
        # Times of this century leave a quarter of a microsecond between two floats: never more than the gap.
        seconds = min(due - self.position(now), self.max_gap) / self._speed
        return seconds if seconds > _TICK else 0.0

    def reached(self, now: float, time: float) -> None:
        """What happens at `time` is shown now, be it after a shortened gap, at full speed, or by a step."""
        self._silent_from = max(self._silent_from, time)
        if time > self.position(now):
            self._at, self._since = min(time, self.end), now

    def play(self, now: float) -> None:
        """Go on; from the start when it had ended."""
        if self.state is PlaybackState.ENDED:
            self._move(now, self.start)
        self._hold(now)
        self.state = PlaybackState.PLAYING

    def pause(self, now: float) -> None:
        if self.state is PlaybackState.PLAYING:
            self._hold(now)
            self.state = PlaybackState.PAUSED

    def set_speed(self, now: float, speed: float) -> None:
        """From here on at `speed`, as `speed_of` gives it."""
        self._hold(now)
        self._speed = speed

    def seek(self, now: float, time: float) -> None:
        """Go to `time`, or to the nearest bound. One that had ended plays again; a paused one stays paused."""
        self._move(now, min(max(time, self.start), self.end))
        if self.state is PlaybackState.ENDED:
            self.state = PlaybackState.PLAYING

    def finish(self, now: float) -> bool:
        """Everything up to the end was shown. True: it is at the start again (loop); False: it has ended."""
        if self.loop and self.state is PlaybackState.PLAYING and self.start < self.end:
            self._move(now, self.start)
            return True
        self._move(now, self.end)
        self.state = PlaybackState.ENDED
        return False

    def extend(self, now: float, end: float) -> None:
        """The recording has grown: it is still being written."""
        self._hold(now)
        self.end = max(self.end, end)

    def cut(self, now: float, start: float) -> None:
        """What was before `start` is gone from the recording: whoever was there is at `start`."""
        self.start = max(self.start, start)
        self.end = max(self.start, self.end)
        if self.position(now) < self.start:
            self._move(now, self.start)

    def describe(self, now: float) -> dict[str, Any]:
        """The data of a `playback` message (PROTOCOL 27)."""
        return {
            "state": self.state.value,
            "speed": "max" if self._speed == MAX else self._speed,
            "at": timestamp(self.position(now)),
            "start": timestamp(self.start),
            "end": timestamp(self.end),
        }

    def _hold(self, now: float) -> None:
        self._at, self._since = self.position(now), now

    def _move(self, now: float, time: float) -> None:
        self._at = self._silent_from = time
        self._since = now
