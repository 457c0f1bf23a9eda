"""The reflector, fed by hand: lists and the diff. Each test names the rule of LISTWATCH.md that it holds to."""

from __future__ import annotations

import json

import msgspec
import pytest

from kstream.core.timeline.events import Kind
from kstream.core.watching.reflection import (
    Allowed,
    Answered,
    Broken,
    Failure,
    Get,
    InTouch,
    OutOfTouch,
    Stream,
)
from tests.core.watching.driven import Driven, names
from tests.making import named
from tests.scripted import bookmark, error, line, pod


def test_the_first_page_has_a_limit_and_no_version() -> None:
    assert Driven().ask() == Get("/api/v1/pods", {"limit": "500"}, watch=False, within=60.0)


@pytest.mark.parametrize("count", [0, 1, 500, 501, 1001])
def test_a_list_of_any_length_is_read_to_its_end(count: int) -> None:
    """LISTWATCH 1: later pages carry limit and continue only; the version is that of the last page."""
    driven = Driven()
    queries = []
    for start in range(0, max(count, 1), 500):
        queries.append(driven.ask().query)
        assert not driven.version
        assert not driven.said(InTouch)
        last = start + 500 >= count
        more = "" if last else f"from-{start + 500}"
        driven.page(*names(min(500, count - start), start), version="42", more=more)
    assert queries[0] == {"limit": "500"}
    assert queries[1:] == [{"limit": "500", "continue": f"from-{s}"} for s in range(500, count, 500)]
    assert driven.events == [f"ADDED {name}" for name in names(count)]
    assert driven.version == "42"
    assert driven.said(InTouch)
    assert driven.ask().query["resourceVersion"] == "42"


def test_a_410_on_page_2_lists_all_at_once_and_deletes_nothing_in_between() -> None:
    driven = Driven().watching("old", "kept")
    driven.send(error(410, "Expired"))
    driven.ask()
    driven.page("kept", version="200", more="token")
    driven.ask()
    driven.refuse(410, "Expired")
    assert driven.waits() >= 0.8
    assert driven.ask().query == {}
    assert driven.events == []
    driven.page("kept", "new", version="201")
    assert driven.events == ["ADDED new", "DELETED old"]
    assert driven.version == "201"


def test_the_same_continue_token_twice_ends_in_a_list_without_pages() -> None:
    driven = Driven()
    driven.ask()
    driven.page("a", more="token")
    driven.ask()
    driven.page("b", more="token")
    assert driven.said(Broken)
    assert driven.ask().query == {}
    driven.page("a", "b", "c")
    assert driven.events == ["ADDED a", "ADDED b", "ADDED c"]
    driven.ask()
    driven.open()
    driven.send(error(410, "Expired"))
    driven.waits()
    assert driven.ask().query == {"limit": "500"}, "the next list is tried in pages again"


def test_a_page_is_asked_for_again_when_it_was_lost() -> None:
    driven = Driven()
    driven.ask()
    driven.page("a", more="token")
    driven.ask()
    driven.fail(Failure.CUT)
    assert driven.waits() >= 0.8
    assert driven.ask().query == {"limit": "500", "continue": "token"}


def test_what_is_no_list_is_not_taken_for_an_empty_one() -> None:
    driven = Driven().watching("a")
    driven.send(error(410, "Gone"))
    driven.ask()
    driven.respond(200, b"<html>a captive portal</html>")
    assert driven.events == []
    assert driven.said(Broken)
    assert driven.waits() > 0
    assert "watch" not in driven.ask().query


def test_a_list_that_is_killed_midway_begins_with_a_list_after_the_restart() -> None:
    """LISTWATCH 3: no version is committed before the last page."""
    driven = Driven().watching("a")
    assert driven.version == "100"
    driven.send(error(410, "Expired"))
    driven.ask()
    driven.page("a", "b", version="300", more="token")
    assert driven.version == ""


def test_a_relist_with_no_change_emits_nothing() -> None:
    driven = Driven().watching("a", "b")
    driven.send(error(410, "Expired"))
    driven.ask()
    driven.page("a", "b", version="200")
    assert driven.events == []
    assert driven.version == "200"


def test_a_relist_tells_what_happened_meanwhile() -> None:
    driven = Driven().watching("gone", "same", "changed")
    driven.send(error(410, "Expired"))
    driven.ask()
    items = [pod("same"), pod("changed", "7"), pod("new", "8")]
    driven.respond(200, json.dumps({"metadata": {"resourceVersion": "200"}, "items": items}).encode())
    assert driven.events == ["MODIFIED changed", "ADDED new", "DELETED gone"]


def test_a_pod_recreated_under_its_name_is_deleted_and_added() -> None:
    driven = Driven().watching("a")
    driven.send(error(410, "Expired"))
    driven.ask()
    items = [pod("a", "1", uid="another")]
    driven.respond(200, json.dumps({"metadata": {"resourceVersion": "200"}, "items": items}).encode())
    assert driven.events == ["DELETED a", "ADDED a"]


def test_after_a_restart_a_list_is_compared_with_what_the_log_holds() -> None:
    """The version of the log may be one of another history: etcd was restored meanwhile, and has passed it."""
    before = Driven().watching("a", "b")
    driven = Driven()
    driven.inventory.load((key, "1") for key in before.inventory.known())
    assert "resourceVersion" not in driven.ask().query
    driven.page("b", version="200")
    assert driven.events == ["MODIFIED b", "DELETED a"], "whether b differs, the recorder knows"


@pytest.mark.parametrize(
    "told",
    [
        line("ADDED", pod("b", "102")),  # b was seen to go
        line("MODIFIED", pod("b", "102")),
        line("MODIFIED", pod("never-seen", "102")),
        line("ADDED", pod("a", "102")),  # a is there
    ],
)
def test_what_contradicts_the_known_costs_a_list_and_is_believed_then(told: bytes) -> None:
    """LISTWATCH 8: after a restore of etcd another history goes on in the same watch."""
    driven = Driven().watching("a", "b")
    driven.send(line("DELETED", pod("b", "101")))
    driven.send(told)
    assert driven.said(Broken)
    assert driven.closed
    assert driven.version == ""
    assert driven.waits() == 0.0
    assert driven.ask().watch is False
    driven.page("a", "b", version="103", versions="102")
    assert driven.events == ["DELETED b", "MODIFIED a", "ADDED b"]


@pytest.mark.parametrize("again", ["DELETED", "ADDED", "MODIFIED"])
def test_a_repetition_contradicts_nothing(again: str) -> None:
    driven = Driven().watching("a")
    driven.send(line("MODIFIED", pod("a", "101")), line("DELETED", pod("a", "102")))
    driven.send(line("DELETED", pod("a", "102")), line(again, pod("a", "101")), line(again, pod("a", "1")))
    assert driven.events == ["MODIFIED a", "DELETED a"]
    assert not driven.said(Broken)
    assert driven.reflector.freshness(driven.moment).suppressed == 3


def test_a_log_with_two_objects_of_one_name_is_put_right_by_a_list() -> None:
    one = Driven().watching("a")
    driven = Driven()
    keys = list(one.inventory.known())
    keys.append(msgspec.structs.replace(keys[0], uid="another"))
    driven.inventory.load((key, "1") for key in keys)
    driven.ask()
    driven.page("a")
    assert driven.events == ["DELETED a", "ADDED a"]
    assert list(driven.inventory.known()) == [keys[0]]


def test_a_filter_of_names_lets_nothing_else_through() -> None:
    driven = Driven(stream=Stream(Kind.POD, only=frozenset({"a"})))
    driven.ask()
    driven.page("a", "b")
    driven.ask()
    driven.open()
    driven.send(line("DELETED", pod("b", "101")), line("MODIFIED", pod("b", "102")))
    assert driven.events == ["ADDED a"]
    assert driven.version == "102"


def test_freshness_says_what_was_heard_and_when() -> None:
    driven = Driven().watching("a")
    driven.now += 10
    driven.send(line("ADDED", pod("b", "101")))
    driven.now += 5
    driven.send(bookmark("102"), line("ADDED", pod("b", "101")))
    fresh = driven.reflector.freshness(driven.moment)
    assert (fresh.last_event, fresh.last_byte, fresh.version) == (1010.0, 1015.0, "101")
    assert (fresh.objects, fresh.events, fresh.suppressed, fresh.lists, fresh.restarts) == (2, 2, 1, 1, 0)
    assert fresh.state == "watching"


@pytest.mark.parametrize(("code", "reason"), [(400, "BadRequest"), (404, "NotFound")])
def test_a_continue_token_that_is_refused_for_its_own_sake_begins_the_list_again_without_it(
    code: int, reason: str
) -> None:
    driven = Driven().watching("old")
    driven.send(error(410, "Expired"))
    driven.ask()
    driven.page("a", more="token")
    assert driven.ask().query == {"limit": "500", "continue": "token"}
    driven.notes.clear()
    driven.refuse(code, reason)
    assert named(driven.notes) == named([Answered(), OutOfTouch(f"{code}: no reason was given")])
    assert driven.waits() >= 1.6
    assert driven.ask().query == {"limit": "500"}
    driven.page("a", "b", version="200")
    assert driven.events == ["ADDED a", "ADDED b", "DELETED old"]


@pytest.mark.parametrize("code", [500, 503])
def test_a_server_that_fails_in_the_middle_of_a_list_is_asked_for_the_same_page(code: int) -> None:
    driven = Driven()
    driven.ask()
    driven.page("a", more="token")
    driven.ask()
    driven.respond(code, b"", {"retry-after": "9"})
    assert isinstance(driven.notes[-1], OutOfTouch)
    assert driven.notes[-1] == OutOfTouch(f"{code}: no reason was given")
    assert driven.waits() == 9.0
    assert driven.ask().query == {"limit": "500", "continue": "token"}


def test_a_first_page_that_is_expired_is_asked_for_with_its_limit_again_and_at_once() -> None:
    driven = Driven()
    driven.ask()
    driven.refuse(410, "Expired")
    assert driven.waits() == 0.0
    assert driven.ask().query == {"limit": "500"}
    driven.refuse(410, "Expired")
    assert driven.waits() >= 1.6


def test_one_that_others_have_told_of_meanwhile_lists_before_it_watches_on() -> None:
    driven = Driven().watching("a", "b")
    restarted = [driven.reflector.restarted]
    driven.reflector.restart()
    restarted.append(driven.reflector.restarted)
    assert driven.ask() == Get("/api/v1/pods", {"limit": "500"}, watch=False, within=60.0)
    restarted.append(driven.reflector.restarted)
    assert restarted == [False, True, False]
    driven.page("b", version="200")
    assert driven.events == ["DELETED a"]


def test_freshness_says_what_it_is_doing() -> None:
    driven = Driven()
    driven.ask()
    assert driven.reflector.freshness(driven.moment).state == "listing"
    driven.fail(Failure.UNREACHED)
    fresh = driven.reflector.freshness(driven.moment)
    assert (fresh.state, fresh.failures) == ("waiting", 1)
    driven.waits()
    assert driven.reflector.freshness(driven.moment).state == "listing"
    driven.ask()
    driven.page("a")
    fresh = driven.reflector.freshness(driven.moment)
    assert (fresh.state, fresh.restarts, fresh.lists, fresh.objects) == ("watching", 0, 2, 1)
    for _ in range(3):
        driven.ask()
        driven.open()
        driven.now += 10
        driven.end()
    assert driven.reflector.freshness(driven.moment).restarts == 2


def test_a_list_says_that_it_was_answered_and_allowed_and_is_in_touch_at_its_end() -> None:
    driven = Driven()
    driven.ask()
    driven.page("a", more="token")
    assert named(driven.notes) == named([Answered(), Allowed("list")])
    driven.ask()
    driven.page("b")
    assert named(driven.notes[2:]) == named([Answered(), Allowed("list"), InTouch()])


def test_half_a_page_is_forgotten_before_it_is_asked_for_again() -> None:
    driven = Driven()
    driven.ask()
    driven.open()
    driven.send(b'{"metadata":{"resourceVersion":')
    driven.fail(Failure.CUT)
    driven.waits()
    driven.ask()
    driven.page("a")
    assert driven.events == ["ADDED a"]
