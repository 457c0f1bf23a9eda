"""Terms: who wrote which part of a log, so that a number means one event for ever (PROTOCOL 15).

A log that lost its tail (a copy put back, a loss of power) hands out the lost numbers a second time, under the same
epoch. A term is an id that is never used twice, begun each time something begins to write; the log keeps each with its
first seq. As in Raft, a place in the history is a seq and the term under which it was told.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Term(NamedTuple):
    """From `first` on, until the first of the next term, this writer's events."""

    id: str
    first: int


def reach(terms: Sequence[Term], term: str, *, head: int) -> int | None:
    """The last seq that a client may hold who was told `term`, and be right; None for a term that is not here.

    `terms` in the order in which they began. A client that holds more has seen events that this log no longer has:
    under their numbers is something else. One that holds less is right: what was there when a term began is part of it.
    """
    for number, (known, _) in enumerate(terms):
        if known == term:
            return terms[number + 1].first - 1 if number + 1 < len(terms) else head
    return None
