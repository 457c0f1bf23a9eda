"""The reflector, fed by hand: refusals, errors of a watch, and lines that cannot be read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kstream.core.timeline.events import Kind
from kstream.core.watching.reflection import (
    Allowed,
    Answered,
    Broken,
    Failure,
    Forbidden,
    InTouch,
    OutOfTouch,
    Stream,
    Unauthorized,
)
from tests.core.watching.driven import Driven
from tests.making import named
from tests.scripted import error, line, pod


def test_410_as_a_status_lists_again_and_says_so() -> None:
    driven = Driven()
    driven.ask()
    driven.page("a")
    driven.ask()
    driven.refuse(410, "Expired")
    assert driven.said(Broken)
    assert driven.version == ""
    assert driven.ask().query == {"limit": "500"}


@pytest.mark.parametrize(
    "sent", [error(410, "Expired"), error(410, "Gone"), error(0, "Expired"), error(0, "Gone")]
)
def test_410_as_an_event_lists_again(sent: bytes) -> None:
    driven = Driven().watching("a")
    driven.send(sent)
    assert driven.closed
    assert driven.said(Broken)
    assert driven.ask().query == {"limit": "500"}


@pytest.mark.parametrize(("code", "reason"), [(410, "Expired"), (504, "Timeout")])
def test_a_relist_that_is_refused_too_is_tried_again_with_no_version(code: int, reason: str) -> None:
    driven = Driven().watching("a")
    driven.send(error(410, "Expired"))
    for _ in range(2):
        query = driven.ask().query
        assert "resourceVersion" not in query
        driven.notes.clear()
        driven.refuse(code, reason)
        answered = [] if code == 504 else [Answered]  # that is of whatever stands in front of it
        assert [type(note) for note in driven.notes] == [*answered, OutOfTouch]
        assert driven.waits() > 0
    assert driven.events == []
    driven.ask()
    driven.page("a", version="500")
    assert driven.version == "500"
    assert driven.events == []


def test_error_429_backs_off_and_goes_on_from_the_same_version() -> None:
    driven = Driven().watching("a")
    throttled = {"code": 429, "reason": "TooManyRequests", "details": {"retryAfterSeconds": 9}}
    driven.send(line("ERROR", throttled))
    assert driven.closed
    assert driven.waits() == 9
    assert driven.ask().query["resourceVersion"] == "100"


@pytest.mark.parametrize("status", [{"code": 500, "reason": "InternalError"}, {}, {"message": "store"}])
def test_any_other_error_lists_again_since_it_can_hide_a_delete(status: dict[str, Any]) -> None:
    driven = Driven().watching("a", "b")
    driven.send(line("ADDED", pod("c", "101")) + line("ERROR", status) + line("ADDED", pod("d", "102")))
    assert driven.events == ["ADDED c"]
    assert driven.version == ""
    assert driven.said(Broken)
    assert driven.ask().query == {"limit": "500"}
    items = [pod("b"), pod("c", "101")]
    driven.respond(200, json.dumps({"metadata": {"resourceVersion": "110"}, "items": items}).encode())
    assert driven.events == ["ADDED c", "DELETED a"]


def test_errors_that_repeat_themselves_do_not_make_it_list_without_a_pause() -> None:
    driven = Driven().watching("a")
    waits = []
    for _ in range(4):
        driven.send(error(500, "InternalError"))
        waits.append(driven.waits())
        driven.ask()
        driven.page("a")
        driven.ask()
        driven.open()
    assert waits[0] == 0.0
    assert waits[1] >= 1.6
    assert waits[3] > waits[1]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (429, b"Too many requests, please try again later.\n"),
        (503, b"<html></html>"),
        (502, b"<html></html>"),
    ],
)
def test_a_busy_server_is_given_time_and_not_a_list(status: int, body: bytes) -> None:
    driven = Driven().watching("a")
    driven.now += 300
    driven.end()
    driven.ask()
    driven.respond(status, body, {"retry-after": "7"})
    assert driven.events == []
    assert driven.waits() == 7.0
    assert driven.ask().query["resourceVersion"] == "100"


def test_one_429_is_an_answer_and_a_second_one_is_out_of_touch() -> None:
    driven = Driven().watching("a")
    driven.send(error(429, "TooManyRequests"))
    assert named(driven.notes) == named([])
    driven.waits()
    driven.ask()
    driven.respond(429, b"slow down")
    assert isinstance(driven.notes[-1], OutOfTouch)
    assert driven.notes[-1] == OutOfTouch("429: slow down")


@pytest.mark.parametrize(("seconds", "told"), [(9, False), (10, True), (300, True)])
def test_one_429_that_asks_for_long_leaves_clients_with_old_state(seconds: int, *, told: bool) -> None:
    driven = Driven().watching("a")
    driven.send(error(429, "TooManyRequests", retry_after=seconds))
    assert driven.said(OutOfTouch) is told


def test_a_refused_connection_is_watched_on_from_the_same_version_without_a_list() -> None:
    """LISTWATCH 14."""
    driven = Driven().watching("a")
    driven.fail(Failure.CUT)
    driven.waits()
    for least in (0.8, 1.6):
        driven.ask()
        driven.fail(Failure.UNREACHED)
        assert driven.waits() >= least
    assert driven.ask().query["resourceVersion"] == "100"
    driven.open()
    assert isinstance(driven.notes[-1], InTouch)


def test_a_watch_refused_for_its_own_sake_is_listed() -> None:
    driven = Driven().watching("a")
    driven.now += 300
    driven.end()
    driven.ask()
    driven.refuse(500, "")
    assert driven.said(Broken)
    assert driven.ask().query == {"limit": "500"}


def test_a_list_answered_429_is_asked_for_again_after_the_time_it_says() -> None:
    driven = Driven()
    driven.ask()
    driven.respond(429, b"slow down", {"retry-after": "12"})
    assert driven.waits() == 12.0
    assert driven.ask().query == {"limit": "500"}


def test_401_asks_for_other_credentials_once_at_once_then_with_pauses() -> None:
    driven = Driven()
    driven.ask()
    driven.refuse(401, "Unauthorized")
    assert driven.said(Unauthorized)
    assert not driven.said(Answered)
    assert driven.waits() == 0.0
    driven.ask()
    driven.refuse(401, "Unauthorized")
    assert driven.waits() >= 0.8
    driven.ask()
    driven.page("a")
    assert driven.said(InTouch)


@pytest.mark.parametrize("verb", ["list", "watch"])
def test_403_keeps_what_is_known_and_after_two_minutes_is_probed_every_5(verb: str) -> None:
    """An API server that has just started says it to everything. Other streams are watched meanwhile."""
    driven = Driven().watching("a")
    driven.contact.opened(Stream(Kind.NODE))
    driven.now += 300
    driven.send(error(410, "Expired")) if verb == "list" else driven.end()
    began = driven.now
    while driven.now - began < 120:
        driven.ask()
        driven.refuse(403, "Forbidden")
        assert isinstance(driven.notes[-1], Forbidden)
        assert driven.reflector.denied
        assert 0.8 <= driven.waits() <= 60
    for _ in range(3):
        driven.ask()
        driven.refuse(403, "Forbidden")
        assert isinstance(driven.notes[-1], Forbidden)
        assert driven.notes[-1].verb == verb
        assert driven.reflector.freshness(driven.moment).state == "denied"
        assert 300 <= driven.waits() <= 330
    assert driven.events == []
    driven.ask()
    driven.page("a") if verb == "list" else driven.open()
    assert named([Allowed(verb)])[0] in named(driven.notes)
    assert driven.events == []


@pytest.mark.parametrize(
    "sent", [b"{not json}\n", b'{"type": "ADDED", "object": []}\n', b"[]\n", b"\xff\xfe\n"]
)
def test_a_line_that_cannot_be_read_lists_again_and_says_so(sent: bytes) -> None:
    driven = Driven().watching("a")
    driven.send(line("ADDED", pod("b", "101")) + sent)
    assert driven.events == ["ADDED b"]
    assert driven.closed
    assert driven.said(Broken)
    assert driven.ask().query == {"limit": "500"}


def test_what_breaks_a_watch_twice_is_an_outage_too() -> None:
    driven = Driven().watching("a")
    driven.send(error(500, "InternalError"))
    cause = "500 InternalError internalerror"
    assert named(driven.notes) == named([Broken(cause)])
    driven.ask()
    driven.page("a")
    driven.ask()
    driven.open()
    driven.notes.clear()
    driven.send(error(500, "InternalError"))
    assert named(driven.notes) == named([Broken(cause), OutOfTouch(cause)])


def test_an_error_of_a_watch_may_say_how_long_to_wait() -> None:
    driven = Driven().watching("a")
    driven.send(line("ERROR", {"code": 500, "message": "store", "details": {"retryAfterSeconds": 9}}))
    assert named(driven.notes) == named([Broken("500  store"), OutOfTouch("500  store")])
    assert driven.waits() == 9.0
    assert driven.ask().query == {"limit": "500"}


def test_an_error_without_a_word_is_called_one() -> None:
    driven = Driven().watching("a")
    driven.send(line("ERROR", {}))
    assert named(driven.notes) == named([Broken("ERROR")])


def test_429_as_an_event_twice_is_an_outage() -> None:
    driven = Driven().watching("a")
    driven.send(error(429, "TooManyRequests"))
    assert driven.closed
    assert named(driven.notes) == named([])
    driven.waits()
    driven.ask()
    driven.open()
    driven.notes.clear()
    driven.send(error(429, "TooManyRequests"))
    assert [type(note) for note in driven.notes] == [OutOfTouch]
    assert driven.version == "100"


def test_a_list_answered_429_was_answered() -> None:
    driven = Driven()
    driven.ask()
    driven.respond(429, b"slow down")
    assert named(driven.notes) == named([Answered()])


def test_what_came_before_an_error_is_committed_with_the_version_that_it_leaves_standing() -> None:
    driven = Driven().watching("a")
    driven.send(line("ADDED", pod("b", "101")) + error(429, "TooManyRequests"))
    assert (driven.events, driven.version, driven.closed) == (["ADDED b"], "101", True)
    driven.waits()
    assert driven.ask().query["resourceVersion"] == "101"


def test_a_401_after_an_answer_is_again_the_first() -> None:
    driven = Driven().watching("a")
    for _ in range(3):
        driven.now += 300
        driven.end()
        driven.ask()
        driven.refuse(401, "Unauthorized")
        assert driven.waits() == 0.0
        driven.ask()
        driven.open()
    assert not driven.said(OutOfTouch)


def test_a_second_401_is_an_outage() -> None:
    driven = Driven()
    driven.ask()
    driven.refuse(401, "Unauthorized")
    driven.ask()
    driven.refuse(401, "Unauthorized")
    assert named(driven.notes) == named(
        [Unauthorized(), Unauthorized(), OutOfTouch("401: no reason was given")]
    )


def test_what_was_denied_and_is_allowed_is_denied_no_more() -> None:
    driven = Driven().watching("a")
    driven.now += 300
    driven.end()
    driven.ask()
    driven.refuse(403, "Forbidden")
    assert named(driven.notes) == named([Answered(), Forbidden("watch", "403: no reason was given")])
    driven.waits()
    driven.ask()
    driven.open()
    assert driven.reflector.freshness(driven.moment).state == "watching"
    driven.now += 300
    driven.end()
    driven.ask()
    driven.refuse(403, "Forbidden")
    driven.waits()
    driven.ask()
    driven.refuse(410, "Expired")
    assert not driven.reflector.denied
    driven.waits()
    assert driven.reflector.freshness(driven.moment).state == "listing"


@pytest.mark.parametrize(
    ("code", "lists"), [(404, True), (500, True), (502, False), (503, False), (504, False)]
)
def test_only_what_stands_in_front_of_the_server_leaves_a_watch_as_it_was(code: int, lists: bool) -> None:
    driven = Driven().watching("a")
    driven.now += 300
    driven.end()
    driven.ask()
    driven.respond(code)
    assert driven.said(Broken) is lists
    assert driven.said(Answered) is (code == 404)
    driven.waits()
    assert ("resourceVersion" not in driven.ask().query) is lists


def test_a_list_that_breaks_off_late_is_asked_for_again_with_a_wait() -> None:
    driven = Driven()
    driven.ask()
    driven.open()
    driven.now += 30
    driven.notes.clear()
    driven.fail(Failure.CUT)
    assert named(driven.notes) == named([OutOfTouch("cut")])
    assert driven.waits() > 0


def test_a_refusal_that_breaks_off_is_no_watch() -> None:
    driven = Driven().watching("a")
    driven.now += 300
    driven.end()
    driven.ask()
    driven.take(driven.reflector.receive_response(500, {}, driven.moment))
    driven.now += 5
    driven.fail(Failure.CUT)
    assert driven.said(OutOfTouch)
    assert driven.waits() > 0
