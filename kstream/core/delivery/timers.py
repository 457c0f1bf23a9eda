"""Who is to be looked at when: a heap of instants."""

from __future__ import annotations

import heapq
import itertools
from typing import Final, Generic, Protocol, TypeVar

_NEVER_AGAIN: Final = -float("inf")  # before every instant, so that `put` changes nothing
_FEW: Final = 32


class Timed(Protocol):
    scheduled: float  # the first instant at which it will be looked at, infinite for never; kept by Timers


T = TypeVar("T", bound=Timed)


class Timers(Generic[T]):
    """Those of one instant come in the order in which they were put in.

    Of each there are as few entries as instants that grew ever earlier: who is looked at every now and then, and at
    the latest at a time that stays far away, is not put in again and again.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, T, float]] = []
        self._order = itertools.count()
        self._forgotten = 0
        self._swept = 0  # entries that were left then

    def __len__(self) -> int:
        return len(self._heap)

    @property
    def due(self) -> float:
        """The instant of the first; infinite when there is none."""
        return self._heap[0][0] if self._heap else float("inf")

    def put(self, due: float, whom: T) -> None:
        """Look at it at `due`; nothing changes for one that is looked at before."""
        if due < whom.scheduled:
            heapq.heappush(self._heap, (due, next(self._order), whom, whom.scheduled))
            whom.scheduled = due

    def take(self) -> T:
        """Whoever is first. It will be looked at again when it was to be before it was put in for now."""
        _, _, whom, before = heapq.heappop(self._heap)
        if whom.scheduled != _NEVER_AGAIN:
            whom.scheduled = before
        return whom

    def forget(self, whom: T) -> None:
        """It has gone, and is not put in any more. Of those who have gone no more are kept than were there a while ago,
        and a few: thousands that come and go within a heartbeat are not all kept for as long as one lasts."""
        if whom.scheduled == _NEVER_AGAIN:
            return
        whom.scheduled = _NEVER_AGAIN
        self._forgotten += 1
        if self._forgotten > _FEW + self._swept:
            self._heap = [entry for entry in self._heap if entry[2].scheduled != _NEVER_AGAIN]
            heapq.heapify(self._heap)
            self._forgotten, self._swept = 0, len(self._heap)
