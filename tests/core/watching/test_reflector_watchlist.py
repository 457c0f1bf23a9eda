"""The reflector, fed by hand: initial events instead of a list (LISTWATCH 4)."""

from __future__ import annotations

import pytest

from kstream.core.watching.reflection import (
    Allowed,
    Answered,
    Broken,
    Failure,
    Forbidden,
    InTouch,
    OutOfTouch,
)
from tests.core.watching.driven import Driven, initial_end, watch_list
from tests.making import named
from tests.scripted import bookmark, error, line, pod


def test_initial_events_end_with_their_bookmark_and_the_watch_goes_on() -> None:
    driven = watch_list()
    driven.open()
    driven.send(line("ADDED", pod("a", "5")), line("ADDED", pod("b", "9")))
    assert driven.version == ""
    assert not driven.said(InTouch)
    driven.send(initial_end("20", "false"))
    assert not driven.said(InTouch)
    driven.send(initial_end("20") + line("ADDED", pod("c", "21")))
    assert driven.said(InTouch)
    assert driven.version == "21"
    assert driven.events == ["ADDED a", "ADDED b", "ADDED c"]
    driven.now += 60
    driven.end()
    assert driven.ask().query["resourceVersion"] == "21"


def test_initial_events_are_a_list_to_diff_against() -> None:
    driven = Driven(watch_list=True)
    driven.ask()
    driven.open()
    driven.send(line("ADDED", pod("a", "5")), line("ADDED", pod("b", "9")), initial_end("20"))
    driven.send(error(410, "Expired"))
    driven.events.clear()
    driven.ask()
    driven.open()
    driven.send(line("ADDED", pod("b", "9")))
    assert driven.events == []
    driven.send(initial_end("30"))
    assert driven.events == ["DELETED a"]


@pytest.mark.parametrize("status", [400, 422, 500])
def test_a_server_without_it_is_listed(status: int) -> None:
    driven = watch_list()
    driven.refuse(status, "Invalid")
    assert driven.ask().query == {"limit": "500"}
    driven.page("a")
    assert driven.events == ["ADDED a"]


def test_429_is_no_reason_to_list() -> None:
    driven = watch_list()
    driven.refuse(429, "TooManyRequests")
    assert driven.waits() >= 0.8
    assert "sendInitialEvents" in driven.ask().query


def test_a_refused_connection_is_no_reason_to_list() -> None:
    driven = watch_list()
    driven.fail(Failure.UNREACHED)
    assert driven.waits() >= 0.8
    assert "sendInitialEvents" in driven.ask().query


@pytest.mark.parametrize("silent", [True, False])
def test_without_an_end_for_30_s_it_is_listed(silent: bool) -> None:
    driven = watch_list()
    driven.open()
    assert driven.reflector.patience == 30.0
    driven.send(line("ADDED", pod("a", "5")))
    driven.now += 31
    if silent:
        driven.fail(Failure.SILENT)
    else:
        driven.send(line("ADDED", pod("b", "6")))
        assert driven.closed
    assert driven.ask().query == {"limit": "500"}
    driven.page("a", "b", version="7")
    assert driven.version == "7"


def test_dropped_midway_it_is_listed_and_nothing_is_deleted_before_the_end() -> None:
    driven = watch_list()
    driven.open()
    driven.send(line("ADDED", pod("a", "5")))
    driven.fail(Failure.CUT)
    assert driven.ask().query == {"limit": "500"}
    driven.page("b")
    assert driven.events == ["ADDED a", "ADDED b", "DELETED a"]


def test_a_server_that_ends_it_before_its_bookmark_is_listed() -> None:
    driven = watch_list()
    driven.open()
    assert named(driven.notes) == named([Answered(), Allowed("watch")])
    driven.send(line("ADDED", pod("a", "5")))
    driven.end()
    assert driven.closed
    assert driven.waits() == 0.0
    assert driven.ask().query == {"limit": "500"}
    driven.page("b")
    assert driven.events == ["ADDED a", "ADDED b", "DELETED a"]
    driven.ask()
    driven.refuse(410, "Expired")
    assert driven.ask().query == {"limit": "500"}, "it is not tried again"


def test_headers_that_do_not_come_are_a_failure_and_then_it_is_listed() -> None:
    driven = watch_list()
    driven.fail(Failure.LATE)
    assert named(driven.notes) == named([OutOfTouch("late")])
    assert driven.waits() >= 0.8
    assert driven.ask().query == {"limit": "500"}


@pytest.mark.parametrize(
    ("code", "reason", "listed"), [(500, "InternalError", True), (410, "Expired", False)]
)
def test_an_error_among_the_initial_events_is_a_reason_to_list_unless_they_are_only_too_old(
    code: int, reason: str, listed: bool
) -> None:
    driven = watch_list()
    driven.open()
    driven.send(line("ADDED", pod("a", "5")) + error(code, reason))
    assert driven.closed
    assert driven.said(Broken) is not listed, "a fall-back that is planned is no error"
    assert driven.version == ""
    query = driven.ask().query
    assert (query == {"limit": "500"}) is listed
    assert ("sendInitialEvents" in query) is not listed


def test_initial_events_may_take_30_s_and_no_more() -> None:
    driven = watch_list()
    driven.open()
    closed = []
    for passed, name in ((30, "a"), (1, "b")):
        driven.now += passed
        driven.send(line("ADDED", pod(name, "5")))
        closed.append(driven.closed)
    assert closed == [False, True]
    assert driven.events == ["ADDED a", "ADDED b"]


def test_without_the_permission_to_watch_a_list_says_which_one_is_missing() -> None:
    driven = watch_list()
    driven.refuse(403, "Forbidden")
    assert named(driven.notes) == named([Answered()])
    assert driven.waits() == 0.0
    assert driven.ask().query == {"limit": "500"}
    driven.refuse(403, "Forbidden")
    assert named(driven.notes[1:]) == named([Answered(), Forbidden("list", "403: no reason was given")])


def test_a_bookmark_that_ends_nothing_moves_no_version_of_initial_events() -> None:
    driven = watch_list()
    driven.open()
    driven.send(bookmark("7"), initial_end(""))
    assert driven.version == ""
    assert not driven.said(InTouch)
    driven.send(initial_end("20"))
    assert driven.version == "20"
    assert isinstance(driven.notes[-1], InTouch)
    driven.send(initial_end("21"))
    assert sum(isinstance(note, InTouch) for note in driven.notes) == 1, "its second end is a bookmark"
    assert driven.version == "21"


def test_a_server_that_was_restored_is_believed_in_its_initial_events() -> None:
    """Versions may be used again: what they say is no older state."""
    driven = watch_list()
    driven.open()
    driven.send(line("ADDED", pod("a", "5")), initial_end("20"), line("MODIFIED", pod("a", "21")))
    driven.send(line("DELETED", pod("a", "22")), error(410, "Expired"))
    driven.ask()
    driven.open()
    driven.send(line("ADDED", pod("a", "5")), initial_end("6"))
    assert driven.events == ["ADDED a", "MODIFIED a", "DELETED a", "ADDED a"]


def test_what_comes_with_the_bookmark_that_ends_them_is_watched_and_no_longer_listed() -> None:
    driven = watch_list()
    driven.open()
    versions = ("5", "21", "5")
    first, second, again = (line("MODIFIED", pod("a", version)) for version in versions)
    driven.send(first + initial_end("20") + second + again)
    assert driven.events == ["ADDED a", "MODIFIED a"], "an older state is no news"
    assert driven.version == "21"
