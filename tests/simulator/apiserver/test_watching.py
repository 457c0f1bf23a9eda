"""A watch as a state machine: lines and deadlines, without a socket."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from kstream.core.timeline.events import Verb
from simulator.apiserver import selectors
from simulator.apiserver.rendering import choose
from simulator.apiserver.requests import parse
from simulator.apiserver.statuses import StatusError
from simulator.apiserver.store import Store
from simulator.apiserver.watching import Line, Watch
from tests.simulator.apiserver.making import Writer


def _watch(store: Store, path: str = "/api/v1/pods", /, *, accept: str = "", **query: str) -> Watch:
    ask = parse("GET", path, query | {"watch": "1"})
    assert ask is not None
    rendering = choose(accept, ask.resource, now=lambda: 0.0, include="")
    assert rendering is not None
    return Watch(store, ask, selectors.parse(ask), rendering, now=0.0, bookmark_interval=60.0)


def _told(lines: Sequence[Line]) -> list[tuple[str, str, str]]:
    """(type, name, version) of each line."""
    objects = [(line.type, json.loads(line.body)["object"]["metadata"]) for line in lines]
    return [(kind, metadata.get("name", ""), metadata["resourceVersion"]) for kind, metadata in objects]


def test_a_watch_from_a_version_tells_every_later_write_and_no_other() -> None:
    writer = Writer()
    writer.pod("a")
    watch = _watch(writer.store, resourceVersion="1")
    assert watch.take(0) == ()
    writer.pod("b")
    writer.node("node-1")
    writer.pod("a", verb=Verb.MODIFIED)
    writer.pod("a", verb=Verb.DELETED)
    assert _told(watch.take(0)) == [("ADDED", "b", "2"), ("MODIFIED", "a", "4"), ("DELETED", "a", "5")]
    assert watch.take(0) == ()


def test_a_watch_without_a_version_begins_with_what_is_there() -> None:
    writer = Writer()
    writer.pod("b")
    writer.pod("a")
    for version in ({}, {"resourceVersion": "0"}):
        watch = _watch(writer.store, **version)
        assert _told(watch.take(0)) == [("ADDED", "a", "2"), ("ADDED", "b", "1")]


def test_a_watch_list_ends_its_initial_events_with_a_marked_bookmark_then_goes_on() -> None:
    writer = Writer()
    for number in range(1001):
        writer.pod(f"pod-{number:04}")
    options = {
        "sendInitialEvents": "true",
        "resourceVersionMatch": "NotOlderThan",
        "allowWatchBookmarks": "true",
    }
    watch = _watch(writer.store, **options)
    writer.pod("late")
    lines: list[Line] = []
    while more := watch.take(0):
        lines += more
    assert len(lines) == 1003
    mark = json.loads(lines[1001].body)["object"]["metadata"]
    assert mark == {"resourceVersion": "1001", "annotations": {"k8s.io/initial-events-end": "true"}}
    assert _told(lines[1002:]) == [("ADDED", "late", "1002")]


def test_bookmarks_come_at_their_interval_and_just_before_the_end_only_if_wanted() -> None:
    writer = Writer()
    writer.pod("a")
    watch = _watch(writer.store, resourceVersion="1", allowWatchBookmarks="true", timeoutSeconds="100")
    writer.node("node-1")
    assert watch.deadline == 60.0
    assert _told(watch.take(60)) == [("BOOKMARK", "", "2")]
    assert watch.deadline == 98.0
    assert _told(watch.take(98)) == [("BOOKMARK", "", "2")]
    assert watch.deadline == 100.0
    assert (watch.take(100), watch.done) == ((), True)
    quiet = _watch(writer.store, resourceVersion="1", timeoutSeconds="100")
    assert (quiet.deadline, quiet.take(99), quiet.done) == (100.0, (), False)


def test_a_watch_from_a_compacted_version_is_one_expired_error() -> None:
    writer = Writer()
    writer.pod("a")
    writer.pod("b")
    writer.store.compact()
    watch = _watch(writer.store, resourceVersion="1")
    status = json.loads(watch.take(0)[0].body)
    assert status["type"] == "ERROR"
    assert (status["object"]["code"], status["object"]["reason"]) == (410, "Expired")
    assert status["object"]["message"] == "too old resource version: 1 (2)"
    assert watch.done


def test_a_watch_that_is_overtaken_by_compaction_is_closed() -> None:
    writer = Writer()
    writer.pod("a")
    watch = _watch(writer.store, resourceVersion="1")
    writer.pod("b")
    writer.store.compact()
    assert (watch.take(0), watch.done) == ((), True)


def test_a_watch_from_the_future_is_silent_until_that_version_is_passed() -> None:
    writer = Writer()
    writer.pod("a")
    watch = _watch(writer.store, resourceVersion="3", allowWatchBookmarks="true")
    writer.pod("b")
    assert watch.take(60) == (), "not even a bookmark"
    writer.pod("c")
    writer.pod("d")
    assert _told(watch.take(61)) == [("ADDED", "d", "4")]


def test_an_object_enters_and_leaves_a_selector_by_its_labels() -> None:
    writer = Writer()
    writer.pod("a", labels={"app": "web"})
    watch = _watch(writer.store, resourceVersion="1", labelSelector="app=web")
    writer.pod("a", verb=Verb.MODIFIED, labels={"app": "db"})
    writer.pod("a", verb=Verb.MODIFIED, labels={"app": "cache"})
    writer.pod("a", verb=Verb.MODIFIED, labels={"app": "web"})
    writer.pod("a", verb=Verb.MODIFIED, labels={"app": "web", "x": "y"})
    writer.pod("a", verb=Verb.DELETED, labels={"app": "web"})
    lines = watch.take(0)
    assert _told(lines) == [
        ("DELETED", "a", "2"),
        ("ADDED", "a", "4"),
        ("MODIFIED", "a", "5"),
        ("DELETED", "a", "6"),
    ]
    left = json.loads(lines[0].body)["object"]["metadata"]
    assert left["labels"] == {"app": "web"}, "as it last matched, at the version of the write"


def test_a_watch_of_a_namespace_or_of_one_object_tells_only_theirs() -> None:
    writer = Writer()
    shop = _watch(writer.store, "/api/v1/namespaces/shop/pods", resourceVersion="0")
    one = _watch(writer.store, "/api/v1/namespaces/shop/pods/a", resourceVersion="0")
    old = _watch(writer.store, "/api/v1/watch/namespaces/shop/pods", resourceVersion="0")
    writer.pod("a")
    writer.pod("a", namespace="shop-2")
    writer.pod("b")

    def all_of(watch: Watch) -> list[str]:
        lines: list[Line] = []
        while more := watch.take(0):
            lines += more
        return [name for _, name, _ in _told(lines)]

    assert (all_of(shop), all_of(one), all_of(old)) == (["a", "b"], ["a"], ["a", "b"])


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ({"sendInitialEvents": "true"}, "requires setting resourceVersionMatch to NotOlderThan"),
        (
            {"resourceVersionMatch": "NotOlderThan"},
            "forbidden for watch unless sendInitialEvents is provided",
        ),
    ],
)
def test_options_of_a_watch_that_contradict_each_other_are_refused(query: dict[str, str], text: str) -> None:
    with pytest.raises(StatusError, match=text):
        _watch(Store(), **query)


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", "Pod"),
        ("application/vnd.kubernetes.protobuf,application/json", "Pod"),
        ("application/json;as=Table;v=v1;g=meta.k8s.io,application/json", "Table"),
        ("application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io", "PartialObjectMetadata"),
        ("application/json;as=Unknown;v=v1;g=x,*/*", "Pod"),
    ],
)
def test_the_form_is_the_first_that_the_client_accepts_and_we_have(accept: str, kind: str) -> None:
    writer = Writer()
    watch = _watch(writer.store, resourceVersion="0", accept=accept, allowWatchBookmarks="true")
    writer.pod("a")
    writer.pod("b")
    objects: list[Any] = []
    while more := watch.take(0):
        objects += [json.loads(line.body)["object"] for line in more]
    assert {item["kind"] for item in objects} == {kind}
    if kind == "Table":
        assert [item["columnDefinitions"] is not None for item in objects] == [True, False, False]


@pytest.mark.parametrize("seconds", ["9" * 19, "9" * 5_000, "\u00b2", "\u0663", "1.5", "soon"])
def test_a_timeout_that_is_no_number_is_refused(seconds: str) -> None:
    with pytest.raises(StatusError) as refused:
        _watch(Writer().store, timeoutSeconds=seconds)
    assert refused.value.code == 400


@pytest.mark.parametrize(("seconds", "end"), [("", 1800.0), ("0", 1800.0), ("-5", 1800.0), ("7", 7.0)])
def test_a_watch_without_a_timeout_lives_for_half_an_hour(seconds: str, end: float) -> None:
    assert _watch(Writer().store, timeoutSeconds=seconds).deadline == end
