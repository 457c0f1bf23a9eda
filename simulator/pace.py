"""Where simulated time should be, given the clock: speed, pause and step as pure arithmetic."""

from __future__ import annotations

MAX = float("inf")  # the speed that waits for nothing


class Pace:
    """Maps the clock's monotonic seconds to simulated milliseconds. Every method takes the clock's `now`."""

    __slots__ = ("_anchor", "_anchored", "paused", "speed")

    def __init__(self, *, speed: float, now: float, at: int = 0, paused: bool = False) -> None:
        self.speed = speed
        self.paused = paused
        self._anchor = at  # simulated milliseconds …
        self._anchored = now  # … at this moment of the clock

    def at(self, now: float) -> int | None:
        """Where simulated time should be; None when nothing holds it back."""
        if self.paused:
            return self._anchor
        if self.speed == MAX:
            return None
        return self._anchor + int((now - self._anchored) * self.speed * 1000)

    def until(self, at: int, now: float) -> float:
        """Seconds of the clock until simulated time is `at`; MAX while paused."""
        if self.paused:
            return MAX
        if self.speed == MAX:
            return 0.0
        return max(0.0, (at - self._anchor) / 1000 / self.speed - (now - self._anchored))

    def anchor(self, at: int, now: float) -> None:
        """Go on from `at`."""
        self._anchor, self._anchored = at, now
