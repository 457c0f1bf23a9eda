"""What goes before all else to one client: the server's words, of which none may be lost, and answers to its own.

A word is about something that lasts (whether the cluster is heard of, a fault, how the timeline is played), and the
newest one about it says all. So when many wait, because the client does not read, those that are out of date go, and
there are never many more than there are things to speak of. What a client causes itself is bounded by number.
"""

from __future__ import annotations

from typing import Final, NamedTuple

MANY: Final = 64
"""Messages that wait as they were said. Of more, what is out of date goes, and the oldest answers past this number."""


class Word(NamedTuple):
    """A small message. A later one with the same `about` says all that this one does; "" is about nothing that lasts:
    a pong, an error that the client caused, passing news."""

    about: str
    message: bytes


class Urgent:
    """In the order in which it was said."""

    __slots__ = ("_most", "_waiting")

    def __init__(self) -> None:
        self._waiting: list[Word] = []
        self._most = MANY

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, word: Word) -> None:
        """Wait for its turn. Costs O(1), over many."""
        self._waiting.append(word)
        if len(self._waiting) > self._most:
            self._waiting = self._needed()
            self._most = max(MANY, 2 * len(self._waiting))

    def take(self) -> bytes:
        """The next message. Raises IndexError when there is none."""
        return self._waiting.pop(0).message

    def _needed(self) -> list[Word]:
        kept: list[Word] = []
        newer: set[str] = set()
        answers = 0
        for word in reversed(self._waiting):
            if not word.about:
                answers += 1
                if answers <= MANY:
                    kept.append(word)
            elif word.about not in newer:
                newer.add(word.about)
                kept.append(word)
        kept.reverse()
        return kept
