"""When a stream doubts what it was told."""

from __future__ import annotations

import pytest

from kstream.core.timeline.events import Kind
from kstream.core.watching.contact import RESTORED, Contact
from kstream.core.watching.history import History
from kstream.core.watching.reflection import Stream

PODS, NODES = Stream(Kind.POD), Stream(Kind.NODE)


def going_on(*, watched: bool = True) -> tuple[History, Contact]:
    """One that was granted a watch at 100 s; nodes are watched all the time, or nobody is."""
    contact = Contact()
    history = History(PODS, contact)
    if watched:
        contact.opened(NODES)
    history.asked(100.0)
    history.answered(100.0, granted=True)
    assert not history.granted(100.0, watch=True)
    return history, contact


def test_without_trouble_there_is_no_doubt() -> None:
    history, _ = going_on()
    assert RESTORED == 10.0
    assert not history.doubtful(1e6, watch=True)


@pytest.mark.parametrize("watch", [True, False])
@pytest.mark.parametrize(("after", "doubt"), [(9.9, False), (10.0, True)])
def test_whom_nobody_answers_for_ten_seconds_doubts(after: float, *, doubt: bool, watch: bool) -> None:
    """From when it was asked first, and not from when that was given up."""
    history, _ = going_on()
    history.asked(200.0)
    history.unanswered()
    history.asked(205.0)
    history.unanswered()
    assert history.doubtful(200.0 + after, watch=watch) is doubt
    history.asked(300.0)
    history.answered(300.0, granted=True)
    history.granted(300.0, watch=False)
    assert not history.doubtful(400.0, watch=watch)


@pytest.mark.parametrize(("after", "doubt"), [(9.9, False), (10.0, True)])
def test_what_hangs_and_is_refused_then_was_not_answered_all_the_time(after: float, *, doubt: bool) -> None:
    history, _ = going_on()
    history.asked(200.0)
    history.answered(200.0 + after, granted=False)
    assert history.doubtful(200.0 + after, watch=True) is doubt


@pytest.mark.parametrize(("after", "hung"), [(9.9, False), (10.0, True)])
@pytest.mark.parametrize("watch", [True, False])
def test_what_is_granted_after_ten_seconds_hung(after: float, *, hung: bool, watch: bool) -> None:
    history, _ = going_on()
    history.asked(200.0)
    assert history.granted(200.0 + after, watch=watch) is hung


def test_of_watches_that_hang_in_a_row_only_the_first_is_doubted() -> None:
    history, _ = going_on()
    history.asked(200.0)
    assert history.granted(220.0, watch=True)
    assert history.granted(220.0, watch=False), "a list between them says nothing about watches"
    assert not history.granted(220.0, watch=True)
    assert not history.granted(201.0, watch=True), "this one was in time"
    assert history.granted(220.0, watch=True)


@pytest.mark.parametrize(("seconds", "doubt"), [(9.9, False), (10.0, True)])
def test_a_watch_that_was_not_read_for_long_may_have_been_cut_long_ago(
    seconds: float, *, doubt: bool
) -> None:
    history, _ = going_on()
    history.blocked(seconds)
    history.blocked(0.0)
    assert history.doubtful(150.0, watch=True) is doubt
    assert not history.doubtful(150.0, watch=False), "a list goes on page by page"
    history.asked(150.0)
    history.granted(150.0, watch=False)
    assert not history.doubtful(150.0, watch=True)


def test_an_outage_of_one_stream_is_doubted_by_those_that_were_granted_nothing_since() -> None:
    history, contact = going_on()
    other = History(NODES, contact)
    other.asked(200.0)
    other.unanswered()
    assert other.doubtful(215.0, watch=True)
    assert history.doubtful(216.0, watch=True)
    history.asked(216.0)
    history.answered(216.0, granted=True)
    history.granted(216.0, watch=False)
    assert not history.doubtful(217.0, watch=True)


def test_what_hung_for_one_stream_is_doubted_by_the_others() -> None:
    history, contact = going_on()
    other = History(NODES, contact)
    other.asked(200.0)
    other.answered(215.0, granted=True)
    assert history.doubtful(216.0, watch=True)


def test_while_nobody_watches_ten_seconds_without_a_word_are_too_long() -> None:
    history, contact = going_on(watched=False)
    history.opened()
    assert not history.doubtful(200.0, watch=True), "its own watch is open"
    history.ended()
    history.heard(200.0)
    assert not history.doubtful(209.9, watch=True)
    assert history.doubtful(210.0, watch=True)
    contact.opened(NODES)
    assert not history.doubtful(210.0, watch=True)


@pytest.mark.parametrize(("answered", "doubted"), [(109.9, False), (110.0, True)])
def test_an_outage_that_ends_while_it_is_asked_again_is_one(answered: float, *, doubted: bool) -> None:
    """Refused at 100, asked again at 104: the server was away from the first try to the answer of the second."""
    history, _ = going_on()
    history.asked(100.0)
    history.unanswered()
    history.asked(104.0)
    assert not history.doubtful(104.0, watch=True)
    assert history.granted(answered, watch=True) is doubted


def test_a_server_that_loses_its_power_cuts_no_watch_and_is_doubted_by_all() -> None:
    history, contact = going_on()
    other = History(NODES, contact)
    other.opened()
    history.heard(200.0)
    other.heard(201.0)
    history.silent(270.0)
    assert history.doubtful(270.0, watch=True)
    other.silent(271.0)
    assert other.doubtful(271.0, watch=True)


def test_one_watch_that_is_silent_while_others_speak_doubts_nothing() -> None:
    history, contact = going_on()
    other = History(NODES, contact)
    other.opened()
    history.heard(200.0)
    other.heard(265.0)
    history.silent(270.0)
    assert not history.doubtful(270.0, watch=True)
