"""Up to when all that a cluster said of one stream has been handed on: its part of `asOf`."""

from __future__ import annotations

import math
from typing import Final

from kstream.core.watching.reflection import Moment

SETTLED: Final = 1.0  # seconds after which a watch has told what it was late with
BEHIND: Final = 0.1  # seconds of not reading after which a watch is late with what came meanwhile
NEVER: Final = -math.inf
FULL: Final = 64 * 1024  # bytes at once: more may wait behind them


class Completeness:
    """Times are monotonic, in seconds, NEVER for never: the wall clock may be set meanwhile (PROTOCOL 29).

    A list is complete up to when it began to be answered, a watch up to its last byte, once all that came with it has
    been handed on. A watch that was opened tells first what happened while there was none, and one that was not read
    for a while what came meanwhile, which waits in the socket and before it: it counts once it has been read for a
    second, and not at all if it ends before.
    """

    def __init__(self) -> None:
        self._complete = NEVER
        self._before: float | None = None  # the same, without the list whose end is being handed on
        self._answered = NEVER  # when the list that is under way began to be answered
        self._hoped: float | None = None  # up to when it is complete if the watch lasts
        self._settles = 0.0  # when it has lasted, monotonic
        self._open = False
        self._idle = False  # all that has come is handed on
        self._stopped = 0.0  # when it was stopped being read, monotonic

    def listing(self, now: Moment) -> None:
        """The first page of a list, or a WatchList, begins to be answered."""
        self._answered = now.monotonic

    def listed(self) -> None:
        """The last of that list is handed on now."""
        self._before = self.before
        self._complete, self._hoped = self._answered, None

    def opened(self, now: Moment) -> None:
        """A watch begins to be answered."""
        self._open = True
        self.behind(now)

    def heard(self, now: Moment) -> None:
        """The open watch says something, and perhaps more has come with it."""
        self.until(now)
        self._hoped, self._idle = now.monotonic, False

    def caught_up(self, now: Moment) -> None:
        """What it said has been handed on, and there is no more for the moment."""
        self._idle = True
        self.until(now)

    def behind(self, now: Moment) -> None:
        """What it says now may be old: if that is not all, more comes soon."""
        if self._open:
            self._hoped, self._settles = now.monotonic, now.monotonic + SETTLED

    def stopped_reading(self, now: Moment) -> None:
        """What was said is being handed on."""
        self.until(now)
        self._stopped, self._idle = now.monotonic, False

    def reads_on(self, now: Moment) -> float:
        """It has been handed on, which took so many seconds."""
        self._before = None
        seconds = now.monotonic - self._stopped
        if seconds >= BEHIND:
            self.behind(now)
        return seconds

    def ended(self) -> None:
        """The watch is over."""
        self._hoped, self._open = None, False

    @property
    def before(self) -> float:
        """Up to when it is complete without what is being handed on."""
        return self._complete if self._before is None else self._before

    def until(self, now: Moment) -> float:
        """See the class."""
        if self._hoped is not None and self._idle and now.monotonic >= self._settles:
            self._complete, self._hoped = self._hoped, None
        return self._complete
