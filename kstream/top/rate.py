"""How many events there were in the last minute, by whole seconds."""

from __future__ import annotations

from typing import Final

_SPAN: Final = 60  # seconds


class Rate:
    def __init__(self) -> None:
        self._seconds: dict[int, int] = {}

    def add(self, count: int, *, now: float) -> None:
        second = int(now)
        self._seconds[second] = self._seconds.get(second, 0) + count
        self._forget(now)

    def total(self, *, now: float) -> int:
        self._forget(now)
        return sum(self._seconds.values())

    def _forget(self, now: float) -> None:
        for second in [each for each in self._seconds if each <= now - _SPAN]:
            del self._seconds[second]
