"""What the streams of one API server tell each other."""

from __future__ import annotations

import pytest

from kstream.core.timeline.events import Kind
from kstream.core.watching.contact import RESTORED, Contact
from kstream.core.watching.reflection import Stream

NODES, PODS = Stream(Kind.NODE), Stream(Kind.POD)


def watched(*streams: Stream) -> Contact:
    """Heard at 100 s, with these watches open."""
    contact = Contact()
    contact.heard(100.0)
    for stream in streams:
        contact.opened(stream)
    return contact


def test_as_long_as_somebody_watches_no_time_is_too_long() -> None:
    contact = watched(NODES, PODS)
    contact.ended(PODS)
    assert not contact.doubtful(50.0, 1e6)
    contact.ended(NODES)
    contact.ended(NODES)
    assert contact.doubtful(50.0, 1e6)


@pytest.mark.parametrize(("after", "doubtful"), [(RESTORED - 0.1, False), (RESTORED, True)])
def test_nobody_may_be_without_an_answer_for_ten_seconds(after: float, *, doubtful: bool) -> None:
    assert watched().doubtful(50.0, 100.0 + after) is doubtful


def test_who_was_answered_before_an_outage_doubts_and_who_was_answered_after_it_does_not() -> None:
    contact = watched(NODES)
    contact.away(105.0, 120.0)
    assert contact.doubtful(119.0, 121.0)
    assert not contact.doubtful(120.0, 121.0)


def test_one_that_nobody_answered_while_another_was_answered_tells_of_no_outage() -> None:
    contact = watched(NODES)
    contact.heard(106.0)
    contact.away(105.0, 120.0)
    assert not contact.doubtful(50.0, 121.0)


def test_at_the_very_moment_counts_as_before() -> None:
    contact = watched(NODES)
    contact.away(100.0, 120.0)
    assert contact.doubtful(50.0, 121.0)
