"""Answers that may be megabytes: how much of one is gathered. That it is sent in its turn, and in a minute, is judged
beside the reads (test_reads.py, test_api.py)."""

from __future__ import annotations

from kstream.core.timeline.events import Event, Verb
from kstream.web.sending import ENOUGH, Pieces
from tests.making import change, pod_key

EVENTS = [Event(seq, change(Verb.ADDED, pod_key(f"p{seq}"))) for seq in range(1, 11)]


def odd(event: Event) -> bytes | None:
    return b"%d" % event.seq if event.seq % 2 else None


def test_what_is_told_of_each_event_is_taken_until_there_are_enough() -> None:
    pieces = Pieces(3)
    reached = [pieces.take(EVENTS[:4], odd, 4), pieces.take(EVENTS[4:], odd, 10)]
    assert (reached, pieces.full) == ([4, 5], True)
    assert pieces.joined(b", ") == b"1, 3, 5"


def test_where_nothing_more_is_told_the_end_is_reached() -> None:
    pieces = Pieces(3)
    assert pieces.take(EVENTS, lambda _: None, 10) == 10
    assert (pieces.full, pieces.joined(b",")) == (False, b"")


def test_few_that_are_large_are_enough_too() -> None:
    pieces = Pieces(100)
    assert pieces.take(EVENTS, lambda _: bytes(ENOUGH // 2), 10) == 2
    assert pieces.full
    assert len(pieces.joined(b"")) == ENOUGH
