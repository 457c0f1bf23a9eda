"""How far a list has come, and when what is given out as one is none any more (LISTWATCH 1, 5, 9)."""

from __future__ import annotations

from typing import Final

MAX_OBJECTS: Final = 1_000_000  # of one list: six times what Kubernetes is built for
MAX_PAGES: Final = 10_000  # of one list, however little is in them
LONG: Final = 60.0  # seconds after which whoever waits for a list is told of it


class Listing:
    """The list that is under way, or the next one; `now` is monotonic seconds."""

    def __init__(self) -> None:
        self.token = ""  # the continue token of the page that is asked for; "" for the first
        self.paged = True
        self.begin(0, 0.0)

    def again(self, *, paged: bool) -> None:
        """From the first page, in pages or in one piece."""
        self.token, self.paged = "", paged

    def begin(self, sweep: int, now: float) -> None:
        """Its first page is asked for."""
        self.sweep = sweep  # its mark in the inventory
        self._began = now
        self._pages = self._objects = 0
        self._told = False

    def page(self, objects: int, token: str) -> str:
        """A page with so many objects came, and the token of the next; the cause for which it is no list, or ""."""
        self._pages += 1
        self._objects += objects
        if token == self.token:
            return "the API server gave the same page of a list twice"
        if self._objects > MAX_OBJECTS or self._pages >= MAX_PAGES:
            return f"the API server's list does not end: {self._objects} objects in {self._pages} pages"
        self.token = token
        return ""

    def lasting(self, now: float) -> str:
        """What to say of a list that is long under way, once; "" where there is nothing to say."""
        if self._told or now - self._began < LONG:
            return ""
        self._told = True
        return f"a list has gone on for {now - self._began:.0f} s: {self._objects} objects so far"
