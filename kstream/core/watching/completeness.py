"""Up to when all that a cluster said of one stream has been handed on: its part of `asOf`."""

from __future__ import annotations

from typing import Final

from kstream.core.watching.reflection import Moment

SETTLED: Final = 1.0  # seconds after which a watch that was opened has told what it was late with


class Completeness:
    """Times are in seconds since the Unix epoch, 0.0 for never.

    A list is complete up to when it began to be answered, a watch up to its last byte. A watch that was opened tells
    first what happened while there was none: it counts once it has lasted, and not at all if it ends before.
    """

    def __init__(self) -> None:
        self._complete = 0.0
        self._answered = 0.0  # when the list that is under way began to be answered
        self._hoped: float | None = None  # up to when it is complete if the watch lasts
        self._settles = 0.0  # when it has lasted, monotonic

    def listing(self, now: Moment) -> None:
        """The first page of a list, or a WatchList, begins to be answered."""
        self._answered = now.time

    def listed(self) -> None:
        """All of that list has been handed on."""
        self._complete, self._hoped = self._answered, None

    def opened(self, now: Moment) -> None:
        """A watch begins to be answered."""
        self._hoped, self._settles = now.time, now.monotonic + SETTLED

    def heard(self, now: Moment) -> None:
        """What the open watch said up to now has been handed on."""
        if now.monotonic < self._settles:
            self._hoped = now.time
        else:
            self._complete, self._hoped = now.time, None

    def ended(self) -> None:
        """The watch is over."""
        self._hoped = None

    def until(self, now: Moment) -> float:
        """See the class."""
        if self._hoped is not None and now.monotonic >= self._settles:
            self._complete, self._hoped = self._hoped, None
        return self._complete
