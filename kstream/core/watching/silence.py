"""What the silence of a watch means, and its haste (LISTWATCH 7, 9)."""

from __future__ import annotations

from typing import Final

BOOKMARKS_WITHIN: Final = 70.0  # seconds, where there are any
INITIAL_WITHIN: Final = 30.0  # for the bookmark that ends the initial events (LISTWATCH 4)
SHORT: Final = 1.0  # seconds: a watch that ends within this without an event has failed


class Silence:
    """Of the watches of one stream, one after the other."""

    def __init__(self) -> None:
        self._bookmarks = False
        self._wordless = 0  # watches in a row
        self._short = 0  # watches in a row that ended as soon as they had said something

    def patience(self, timeout: float, *, initial: bool) -> float:
        """Seconds without a byte after which an open watch is SILENT; `timeout` is the timeoutSeconds it asked for.
        `initial`: it tells the initial events."""
        if initial:
            return INITIAL_WITHIN
        return BOOKMARKS_WITHIN if self._bookmarks else timeout + 30.0

    def broken(self) -> None:
        """A watch said something."""
        self._wordless = 0

    def bookmarked(self) -> None:
        """Bookmarks are to be expected from now on."""
        self._bookmarks = True

    def doubtful(self, *, heard: bool) -> bool:
        """Is it time for a list? A watch without a word, where bookmarks are to be expected, may be from a version that
        the server has yet to reach, after a restore of etcd: only a list tells. A server that is just quiet is listed
        ever more seldom: after the 1st, 2nd, 4th, 8th, … watch in a row."""
        if heard or not self._bookmarks:
            return False
        self._wordless += 1
        return self._wordless & (self._wordless - 1) == 0

    def hasty(self, lasted: float) -> bool:
        """A watch ended as it should, after `lasted` seconds. A word and an end, over and over, is no reason to ask
        thousands of times a second."""
        self._short = self._short + 1 if lasted < SHORT else 0
        return self._short > 1
