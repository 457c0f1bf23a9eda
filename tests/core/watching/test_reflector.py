"""The reflector, fed by hand: each test names the rule of LISTWATCH.md that it holds to."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from kstream.core.timeline.events import Kind
from kstream.core.watching.inventory import Inventory
from kstream.core.watching.reflection import (
    Allowed,
    Answered,
    Broken,
    Failure,
    Forbidden,
    Get,
    InTouch,
    Moment,
    Note,
    OutOfTouch,
    Output,
    Stream,
    Unauthorized,
)
from kstream.core.watching.reflector import WARMING, Reflector
from tests.scripted import bookmark, error, line, pod

PODS = Stream(Kind.POD)


class Driven:
    """A reflector of pods with a clock, and what came out of it so far."""

    def __init__(self, *, watch_list: bool = False, stream: Stream = PODS) -> None:
        self.inventory = Inventory(stream.kind)
        self.reflector = Reflector(stream, self.inventory, rng=random.Random(7), watch_list=watch_list)
        self.now = 1000.0
        self.events: list[str] = []  # "ADDED a"
        self.notes: list[Note] = []
        self.version: str | None = None  # as the log has it
        self.closed = False

    @property
    def moment(self) -> Moment:
        return Moment(self.now, self.now)

    def take(self, output: Output) -> None:
        self.events += [f"{event.verb} {event.key.name}" for event in output.events]
        self.notes += output.notes
        self.closed = output.close
        if output.version is not None:
            self.version = output.version

    def ask(self) -> Get:
        step = self.reflector.next_request(self.moment)
        assert isinstance(step, Get), step
        return step

    def waits(self) -> float:
        """Pass the wait that it asks for; 0.0 if it asks for none."""
        step = self.reflector.next_request(self.moment)
        if isinstance(step, Get):
            return 0.0
        self.now += step.seconds
        return step.seconds

    def respond(self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        self.take(self.reflector.receive_response(status, headers or {}, self.moment))
        if body:
            self.take(self.reflector.receive_data(body, self.moment))
        self.take(self.reflector.receive_end(self.moment))

    def refuse(self, code: int, reason: str, *, headers: Mapping[str, str] | None = None) -> None:
        self.respond(code, json.dumps({"kind": "Status", "code": code, "reason": reason}).encode(), headers)

    def page(self, *names: str, version: str = "100", more: str = "", versions: str = "1") -> None:
        items = [pod(name, versions) for name in names]
        metadata = {"resourceVersion": version, **({"continue": more} if more else {})}
        self.respond(200, json.dumps({"metadata": metadata, "items": items}).encode())

    def open(self) -> None:
        self.take(self.reflector.receive_response(200, {}, self.moment))

    def send(self, *data: bytes) -> None:
        for each in data:
            self.take(self.reflector.receive_data(each, self.moment))

    def end(self) -> None:
        self.take(self.reflector.receive_end(self.moment))

    def fail(self, failure: Failure) -> None:
        self.take(self.reflector.receive_failure(failure, failure.value, self.moment))

    def watching(self, *names: str, version: str = "100") -> Driven:
        """Listed, and a watch is open."""
        self.ask()
        self.page(*names, version=version)
        self.ask()
        self.open()
        self.events.clear()
        self.notes.clear()
        return self

    def said(self, kind: type) -> bool:
        return any(isinstance(note, kind) for note in self.notes)


def names(count: int, start: int = 0) -> list[str]:
    return [f"p{i}" for i in range(start, start + count)]


# ---------------------------------------------------------------------- 1: lists


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


# ------------------------------------------------------------------ 2, 3: watches


def test_a_watch_goes_on_from_the_version_of_the_list_and_asks_for_bookmarks() -> None:
    driven = Driven()
    driven.ask()
    driven.page("a", version="100")
    get = driven.ask()
    assert get.watch
    assert get.within == 30.0
    assert {**get.query, "timeoutSeconds": ""} == {
        "watch": "true",
        "allowWatchBookmarks": "true",
        "resourceVersion": "100",
        "timeoutSeconds": "",
    }
    assert 300 <= int(get.query["timeoutSeconds"]) <= 600


@pytest.mark.parametrize(
    ("sent", "version"),
    [
        (line("ADDED", pod("b", "101")), "101"),
        (line("MODIFIED", pod("a", "102")), "102"),
        (line("DELETED", pod("a", "103")), "103"),
        (bookmark("104"), "104"),
        (line("SOMETHING", pod("b", "105")), "100"),
        (line("BOOKMARK", {"kind": "Pod"}), "100"),
        (line("ADDED", {"kind": "Pod"}), "100"),
        (b"\n", "100"),
    ],
)
def test_the_version_advances_with_events_and_bookmarks_only(sent: bytes, version: str) -> None:
    """LISTWATCH 3, 13."""
    driven = Driven().watching("a")
    driven.send(sent)
    assert driven.version == version
    driven.now += 5
    driven.fail(Failure.CUT)
    assert driven.ask().query["resourceVersion"] == version


def test_a_bookmark_is_no_event() -> None:
    driven = Driven().watching("a")
    driven.send(bookmark("104"))
    assert driven.events == []


def test_events_come_in_their_order_however_they_are_cut() -> None:
    driven = Driven().watching("a")
    text = b"".join(line("ADDED", pod(name, f"{i}")) for i, name in enumerate(("é", "漢", "c"), 101))
    driven.send(*(bytes([byte]) for byte in text))
    driven.send(b"".join(line("DELETED", pod(name, "110")) for name in ("é", "漢", "c")))
    assert driven.events == [f"{verb} {name}" for verb in ("ADDED", "DELETED") for name in ("é", "漢", "c")]


def test_a_repetition_and_an_older_state_are_nothing_and_move_no_version() -> None:
    driven = Driven().watching("a")
    driven.send(line("ADDED", pod("b", "101")), line("ADDED", pod("b", "101")))
    assert driven.events == ["ADDED b"]
    driven.send(line("MODIFIED", pod("b", "102")), line("MODIFIED", pod("a", "103")))
    driven.send(line("ADDED", pod("b", "101")), line("MODIFIED", pod("a", "1")))
    assert driven.events == ["ADDED b", "MODIFIED b", "MODIFIED a"]
    assert driven.version == "103"


def test_what_was_deleted_is_not_brought_back_by_an_older_state() -> None:
    driven = Driven().watching("a")
    driven.send(line("DELETED", pod("a", "101")), line("ADDED", pod("a", "1")))
    assert driven.events == ["DELETED a"]


def test_after_a_list_an_old_version_may_be_the_present_one() -> None:
    """Versions go back when etcd is restored."""
    driven = Driven().watching("a")
    driven.send(line("MODIFIED", pod("a", "101")), error(410, "Expired"))
    driven.ask()
    driven.page("a", version="5", versions="3")
    driven.ask()
    driven.open()
    driven.send(line("MODIFIED", pod("a", "1")))
    assert driven.events == ["MODIFIED a", "MODIFIED a", "MODIFIED a"]


@pytest.mark.parametrize("learned", ["from the watch", "from a list", "from its name used again"])
def test_what_is_gone_is_not_brought_back_by_a_watch_however_that_was_learned(learned: str) -> None:
    """Versions have no order; a uid that is gone is never given again."""
    driven = Driven().watching("a")
    if learned == "from the watch":
        driven.send(line("DELETED", pod("a", "101")))
    if learned == "from its name used again":
        driven.send(
            line("ADDED", pod("a", "101", uid="another")), line("DELETED", pod("a", "102", uid="another"))
        )
    before = [*driven.events, "DELETED a"] if learned == "from a list" else driven.events
    driven.send(error(410, "Expired"))
    driven.ask()
    driven.page(version="110")
    driven.ask()
    driven.open()
    driven.send(line("ADDED", pod("a", "90")), line("MODIFIED", pod("a", "1")))
    assert driven.events == before


def test_what_was_deleted_is_back_when_a_list_says_so() -> None:
    """etcd was restored from a time when it was there."""
    driven = Driven().watching("a")
    driven.send(line("DELETED", pod("a", "101")), error(410, "Expired"))
    driven.ask()
    driven.page("a", version="5", versions="3")
    driven.ask()
    driven.open()
    driven.send(line("MODIFIED", pod("a", "6")))
    assert driven.events == ["DELETED a", "ADDED a", "MODIFIED a"]


def test_a_name_used_again_is_another_object() -> None:
    """LISTWATCH 8; the DELETED of the first was missed."""
    driven = Driven().watching("a")
    driven.send(line("ADDED", pod("a", "105", uid="another")))
    assert driven.events == ["DELETED a", "ADDED a"]
    driven.send(line("DELETED", pod("a", "106", uid="another")))
    assert driven.events == ["DELETED a", "ADDED a", "DELETED a"]


@pytest.mark.parametrize("size", [3, 5])
def test_an_object_of_megabytes_is_an_object(size: int) -> None:
    driven = Driven().watching()
    big = pod("big", "101")
    big["metadata"]["annotations"] = {"note": "x" * (size * 2**20)}
    driven.send(line("ADDED", big))
    assert driven.events == ["ADDED big"]


# ------------------------------------------------------------------- 4: WatchList


def initial_end(version: str, value: str = "true") -> bytes:
    metadata = {"resourceVersion": version, "annotations": {"k8s.io/initial-events-end": value}}
    return line("BOOKMARK", {"kind": "Pod", "metadata": metadata})


def watch_list() -> Driven:
    driven = Driven(watch_list=True)
    driven.inventory.load([])
    get = driven.ask()
    assert get.query["sendInitialEvents"] == "true"
    assert get.query["resourceVersionMatch"] == "NotOlderThan"
    assert get.query["allowWatchBookmarks"] == "true"
    assert "resourceVersion" not in get.query
    return driven


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


# -------------------------------------------------------------- 5, 6: errors of a watch


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
        driven.refuse(code, reason)
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


# --------------------------------------------------------------------- 7: its end


def test_a_clean_end_is_watched_on_at_once_from_the_same_version() -> None:
    driven = Driven().watching("a")
    driven.now += 300
    driven.end()
    assert driven.waits() == 0.0
    assert driven.ask().query["resourceVersion"] == "100"
    assert driven.notes == []


def test_an_end_within_a_second_and_without_an_event_is_a_failure_each_time() -> None:
    driven = Driven().watching("a")
    waits = []
    for _ in range(4):
        driven.end()
        waits.append(driven.waits())
        driven.ask()
        driven.open()
    assert all(later > earlier for earlier, later in pairwise(waits))
    assert waits[0] >= 0.8


def test_an_end_within_a_second_after_an_event_is_none() -> None:
    driven = Driven().watching("a")
    driven.send(bookmark("101"))
    driven.end()
    assert driven.waits() == 0.0


def test_a_torn_tail_is_dropped_and_sent_again_by_the_next_watch() -> None:
    driven = Driven().watching("a")
    driven.now += 10
    driven.send(line("ADDED", pod("b", "101")) + line("ADDED", pod("c", "102"))[:30])
    driven.fail(Failure.CUT)
    assert driven.events == ["ADDED b"]
    assert driven.ask().query["resourceVersion"] == "101"
    driven.open()
    driven.send(line("ADDED", pod("c", "102")))
    assert driven.events == ["ADDED b", "ADDED c"]


# -------------------------------------------------------------------- 8: the diff


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
    assert driven.events == ["DELETED a"]


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


# ------------------------------------------------------------------- 9: silence


def test_silence_is_70_s_once_a_bookmark_was_seen() -> None:
    driven = Driven().watching("a")
    assert driven.reflector.patience >= 330.0
    driven.send(bookmark("101"))
    assert driven.reflector.patience == 70.0
    driven.fail(Failure.SILENT)
    assert not driven.said(OutOfTouch)
    assert driven.waits() == 0.0
    assert driven.ask().query["resourceVersion"] == "101"


def test_a_watch_that_says_nothing_at_all_is_doubted() -> None:
    """An etcd restore takes versions back: a watch from the future is silent for ever."""
    driven = Driven().watching("a")
    driven.send(bookmark("101"))
    driven.now += 300
    driven.end()
    driven.ask()
    driven.open()
    driven.now += 70
    driven.fail(Failure.SILENT)
    assert driven.ask().query == {"limit": "500"}


def test_a_server_that_is_only_quiet_is_listed_ever_more_seldom() -> None:
    """A real one was seen to send no bookmark for 94 s when nothing had changed at all."""
    driven = Driven().watching("a")
    driven.send(bookmark("101"))
    driven.now += 300
    driven.end()
    listed = []
    for watch in range(1, 17):
        driven.ask()
        driven.open()
        driven.now += 70
        driven.fail(Failure.SILENT)
        if "watch" not in driven.reflector.next_request(driven.moment).query:  # type: ignore[union-attr]
            listed.append(watch)
            driven.page("a", version="101")
    assert listed == [1, 2, 4, 8, 16]
    assert driven.events == []


def test_headers_that_do_not_come_are_a_failure() -> None:
    driven = Driven().watching("a")
    driven.now += 300
    driven.end()
    driven.ask()
    driven.fail(Failure.LATE)
    assert driven.said(OutOfTouch)
    assert driven.waits() >= 0.8
    assert driven.ask().query["resourceVersion"] == "100"


# ------------------------------------------------------- 10, 14: backing off, refusals


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
    assert driven.notes == []
    driven.waits()
    driven.ask()
    driven.respond(429, b"slow down")
    assert driven.notes[-1] == OutOfTouch("429: slow down")


def test_a_refused_connection_is_watched_on_from_the_same_version_without_a_list() -> None:
    """LISTWATCH 14."""
    driven = Driven().watching("a")
    driven.fail(Failure.CUT)
    driven.waits()
    for least in (1.6, 3.2, 6.4):
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


# ------------------------------------------------------------------ 11, 12: who we are


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
    driven = Driven().watching("a")
    driven.now += 300
    driven.send(error(410, "Expired")) if verb == "list" else driven.end()
    began = driven.now
    while driven.now - began < WARMING:
        driven.ask()
        driven.refuse(403, "Forbidden")
        assert isinstance(driven.notes[-1], Forbidden)
        assert driven.reflector.freshness(driven.moment).state == "denied"
        assert 0.8 <= driven.waits() <= 60
        driven.now += driven.waits()
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
    assert Allowed(verb) in driven.notes
    assert driven.events == []


# ---------------------------------------------------------------------- 13: lines


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


def test_a_line_of_20_mib_lists_again_and_says_so() -> None:
    driven = Driven().watching("a")
    megabyte = b"x" * 2**20
    driven.send(line("ADDED", pod("b", "101")))
    for _ in range(20):
        if not driven.closed:
            driven.send(megabyte)
    assert driven.closed
    assert driven.said(Broken)
    assert driven.events == ["ADDED b"]
    assert driven.ask().query == {"limit": "500"}


# --------------------------------------------------------------------- the rest


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
