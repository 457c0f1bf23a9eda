"""What an event is to one who watches by labels (PROTOCOL 30)."""

from __future__ import annotations

import json

import pytest

from kstream.core.delivery.filters import EVERYTHING, Filter
from kstream.core.delivery.records import Record
from kstream.core.timeline.events import Event, Verb, WatchEvent, deleted_body
from tests.making import START, change, labelled, namespace_key, node_key, pod_key

KEY = pod_key("p")
WEB = Filter.parse(labels="app=web")


def record(verb: Verb, before: str | None, after: str | None) -> Record:
    body = deleted_body(KEY) if after is None else labelled("p", {"app": after})
    previous = None if before is None else labelled("p", {"app": before})
    return Record(Event(7, WatchEvent(verb, KEY, "12", START, body)), previous, START - 1)


@pytest.mark.parametrize(
    ("verb", "before", "after", "told"),
    [
        (Verb.ADDED, None, "web", Verb.ADDED),
        (Verb.ADDED, None, "db", None),
        (Verb.MODIFIED, "web", "web", Verb.MODIFIED),
        (Verb.MODIFIED, "db", "web", Verb.ADDED),
        (Verb.MODIFIED, "web", "db", Verb.DELETED),
        (Verb.MODIFIED, "db", "cache", None),
        (Verb.DELETED, "web", None, Verb.DELETED),
        (Verb.DELETED, "db", None, None),
    ],
)
def test_an_object_that_begins_to_match_is_added_and_one_that_ceases_to_is_deleted(
    verb: Verb, before: str | None, after: str | None, told: Verb | None
) -> None:
    found = record(verb, before, after)
    seen = found.seen_by(WEB)
    assert (seen.event.change.verb if seen is not None else None) == told
    if seen is None:
        return
    message = json.loads(seen.message)
    assert (message["action"], message["seq"], seen.before) == (told, 7, START - 1)
    assert seen.event.change.body == (deleted_body(KEY) if told is Verb.DELETED else found.event.change.body)
    assert (seen.event.change.key, seen.event.change.version) == (KEY, "12")


def test_it_is_one_and_the_same_to_all_to_whom_it_is_the_same() -> None:
    began, ceased, gone = (
        record(Verb.MODIFIED, "db", "web"),
        record(Verb.MODIFIED, "web", "db"),
        record(Verb.DELETED, "web", None),
    )
    other = Filter.parse(labels="app in (web,cache)")
    assert began.seen_by(WEB) is began.seen_by(other) is began.entering
    assert ceased.seen_by(WEB) is ceased.seen_by(other) is ceased.leaving
    assert gone.seen_by(WEB) is gone, "it was DELETED for everyone"
    new = record(Verb.ADDED, None, "web")
    assert new.seen_by(WEB) is new, "and ADDED"
    assert began.seen_by(EVERYTHING) is began


def test_labels_say_nothing_about_nodes_and_namespaces_about_no_other() -> None:
    node = Record(Event(1, change(Verb.ADDED, node_key("n"))))
    assert node.seen_by(WEB) is node
    assert record(Verb.ADDED, None, "web").seen_by(Filter.parse(["shop"], labels="app=web")) is None
    assert node.seen_by(Filter.parse(kinds=["pods"])) is None


def test_a_namespace_is_told_without_the_number_of_pods_to_whom_not_all_of_them_are_shown() -> None:
    body = b'{"name":"shop","uid":"u","status":"Active","podCount":3}'
    told = Record(Event(1, WatchEvent(Verb.MODIFIED, namespace_key("shop"), "1", START, body)))
    bare = told.seen_by(WEB)
    assert bare is told.seen_by(Filter.parse(kinds=["namespaces"])) is told.uncounted
    assert bare is not None
    assert bare.event.change.body == b'{"name":"shop","uid":"u","status":"Active"}'
    assert (bare.event.change.verb, bare.seq) == (Verb.MODIFIED, 1)
    assert told.seen_by(EVERYTHING) is told.seen_by(Filter.parse(["shop"])) is told
    gone = Record(Event(2, change(Verb.DELETED, namespace_key("shop"))))
    assert gone.seen_by(WEB) is gone


def test_its_size_is_that_of_its_body() -> None:
    """What was before is held by an earlier event or by the state: to count it twice halved the window."""
    assert record(Verb.ADDED, None, "web").size == len(labelled("p", {"app": "web"}))
    assert record(Verb.MODIFIED, "db", "web").size == len(labelled("p", {"app": "web"}))


def test_labels_are_read_once_and_are_one_where_they_did_not_change() -> None:
    stays = record(Verb.MODIFIED, "web", "web")
    before, now = stays.labels()
    assert before is now
    assert stays.labels()[0] is before
    stays.forget_labels()
    assert stays.labels()[0] is not before
    assert record(Verb.DELETED, "web", None).labels() == ({"app": "web"}, None)
    assert record(Verb.ADDED, None, "web").labels() == (None, {"app": "web"})


MAP = Filter.parse(detail="map")


def test_of_a_map_a_pod_is_told_thin_and_whole_with_its_number_where_it_is_looked_at() -> None:
    first = record(Verb.MODIFIED, "db", "web")
    assert first.detailed(EVERYTHING) is first
    node = Record(Event(1, change(Verb.ADDED, node_key("n"))))
    assert node.detailed(MAP) is node
    thin, looked = first.detailed(MAP), first.detailed(MAP.looking_at([KEY.uid]))
    assert first.detailed(MAP) is thin
    assert first.detailed(MAP.looking_at([KEY.uid])) is looked
    assert first.detailed(MAP.looking_at(["another"])) is thin
    entering = first.entering.detailed(MAP)
    first.place.number = 9  # what is made of it has the number, whenever it was given one
    messages = [json.loads(each.message) for each in (thin, looked, entering)]
    assert [(each["type"], each["action"]) for each in messages] == [
        ("map_event", "MODIFIED"),
        ("pod_event", "MODIFIED"),
        ("map_event", "ADDED"),
    ]
    assert [messages[0]["data"]["number"], messages[1]["number"], messages[2]["data"]["number"]] == [9, 9, 9]
