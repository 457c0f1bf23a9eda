"""Up to when all that a cluster said of one stream has been handed on: its part of `asOf`."""

from __future__ import annotations

from typing import Final

from kstream.core.watching.reflection import Moment

SETTLED: Final = 1.0  # seconds after which a watch has told what it was late with
BEHIND: Final = 0.1  # seconds of not reading after which a watch is late with what came meanwhile
FULL: Final = 64 * 1024  # bytes at once: more may wait behind them


class Completeness:
    """Times are in seconds since the Unix epoch, 0.0 for never.

    A list is complete up to when it began to be answered, a watch up to its last byte. A watch that was opened tells
    first what happened while there was none, and one that was not read for a while what came meanwhile, which waits in
    the socket and before it: it counts once it has been read for a second, and not at all if it ends before.
    """

    def __init__(self) -> None:
        self._complete = 0.0
        self._answered = 0.0  # when the list that is under way began to be answered
        self._hoped: float | None = None  # up to when it is complete if the watch lasts
        self._settles = 0.0  # when it has lasted, monotonic
        self._open = False
        self._stopped: float | None = None  # since when it is not read, monotonic

    def listing(self, now: Moment) -> None:
        """The first page of a list, or a WatchList, begins to be answered."""
        self._answered = now.time

    def listed(self) -> None:
        """All of that list has been handed on."""
        self._complete, self._hoped = self._answered, None

    def opened(self, now: Moment) -> None:
        """A watch begins to be answered."""
        self._open = True
        self.behind(now)

    def heard(self, now: Moment) -> None:
        """What the open watch said up to now has been handed on."""
        if now.monotonic < self._settles:
            self._hoped = now.time
        else:
            self._complete, self._hoped = now.time, None

    def behind(self, now: Moment) -> None:
        """What it says now may be old: if that is not all, more comes soon."""
        if self._open:
            self._hoped, self._settles = now.time, now.monotonic + SETTLED

    def stopped_reading(self, now: Moment) -> None:
        self._stopped = now.monotonic

    def reads_on(self, now: Moment) -> float:
        """For how long it was not read, seconds."""
        seconds = 0.0 if self._stopped is None else now.monotonic - self._stopped
        self._stopped = None
        if seconds >= BEHIND:
            self.behind(now)
        return seconds

    def ended(self) -> None:
        """The watch is over."""
        self._hoped, self._open = None, False

    def until(self, now: Moment) -> float:
        """See the class."""
        reads = self._stopped is None or now.monotonic - self._stopped < BEHIND
        if self._hoped is not None and now.monotonic >= self._settles and reads:
            self._complete, self._hoped = self._hoped, None
        return self._complete
