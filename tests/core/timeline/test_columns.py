"""A span as columns: what is read of them is what was written, and they are as small as they are for."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kstream.core.timeline.columns import ADDED, DELETED, FIELDS, KINDS, Columns
from kstream.core.timeline.events import Event, Kind, ObjectKey, Verb, WatchEvent, deleted_body
from kstream.core.timeline.health import ClusterInfo
from kstream.core.timeline.terms import Term
from tests.core.timeline.test_edits import edited
from tests.logs.facts import history
from tests.making import START, numbered, pod_key


def columns_of(events: Sequence[Event], start: Sequence[Event] = (), *, base: int = int(START)) -> Any:
    columns = Columns(base=base)
    for event in start:
        columns.begin(event)
    for event in events:
        columns.take(event)
    told = columns.encoded(
        epoch="e",
        cluster=ClusterInfo("prod", "v1", "u"),
        terms=[Term("t", 1), Term("u", 9)],
        redacted=False,
        start=(len(start), START),
        end=(len(start) + len(events), START + 9),
    )
    return json.loads(told)


def born(told: Any) -> Iterator[tuple[ObjectKey, Any]]:
    """Every object as it came, as web/static/columns.js reads it."""
    added = told["added"]
    nodes, created = iter(added["node"]), iter(added["created"])
    for template, name, uid in zip(added["template"], added["name"], added["uid"], strict=True):
        kind, namespace, fields, body = told["templates"][template]
        body = dict(body)
        for field in fields:
            if FIELDS[field] == "nodeName":
                body["nodeName"] = told["nodes"][next(nodes)]
            elif FIELDS[field] == "creationTimestamp":
                moment = datetime.fromtimestamp(told["base"] + next(created), UTC)
                body["creationTimestamp"] = moment.isoformat().replace("+00:00", "Z")
            else:
                body[FIELDS[field]] = name if FIELDS[field] == "name" else uid
        yield ObjectKey(KINDS[kind], namespace, name, uid), body


def read(told: Any) -> tuple[list[bytes], list[WatchEvent]]:
    """The objects of the start, and the events."""
    objects, events = list(born(told)), told["events"]
    begins = len(objects) - events["what"].count(ADDED)
    bodies = {place: body for place, (_, body) in enumerate(objects[:begins])}
    start = [json.dumps(body, separators=(",", ":")).encode() for body in bodies.values()]
    referred, place_of_next = iter(events["of"]), begins
    time, number = told["base"] * told["unit"], 0
    found: list[WatchEvent] = []
    for what, step, version in zip(events["what"], events["time"], events["version"], strict=True):
        time += step
        if isinstance(version, int):
            number += version
            version = str(number)
        if what == ADDED:
            place = place_of_next
            place_of_next += 1
            bodies[place] = objects[place][1]
        else:
            place = place_of_next - 1 - next(referred)
        key = objects[place][0]
        verb = Verb.ADDED if what == ADDED else Verb.DELETED if what == DELETED else Verb.MODIFIED
        if verb is Verb.MODIFIED:
            bodies[place] = edited(bodies[place], told["edits"][what - 2])
        body = json.dumps(bodies[place], separators=(",", ":"), ensure_ascii=False).encode()
        if verb is Verb.DELETED:
            del bodies[place]
            body = deleted_body(key)
        found.append(WatchEvent(verb, key, version, time / told["unit"], body))
    return start, found


def as_told(event: Event) -> WatchEvent:
    change = event.change
    body = deleted_body(change.key) if change.verb is Verb.DELETED else change.body
    return WatchEvent(change.verb, change.key, change.version, change.time, body)


@settings(max_examples=25)
@given(st.integers(0, 80), st.integers(0, 10**6), st.sampled_from([0.5, 0.001, 0.0001, 0.000123]))
def test_what_is_read_is_what_was_written(count: int, seed: int, step: float) -> None:
    events = numbered(history(count, seed=seed, step=step))
    told = columns_of(events)
    start, found = read(told)
    assert (start, found) == ([], [as_told(event) for event in events])


@pytest.mark.parametrize("field", ["creationTimestamp", "nodeName", "name", "uid", "namespace"])
@pytest.mark.parametrize(
    "value",
    ["2026-02-28T23:59:59Z", "2026-02-31T00:00:00Z", "0001-01-01T00:00:00Z", "p", "u", "", None, 7, ["x"]],
)
def test_a_field_may_say_anything(field: str, value: Any) -> None:
    key = pod_key("p", uid="u")
    body = {"uid": "u", "creationTimestamp": "2025-01-24T10:00:00Z", field: value, "last": 1}
    changes = [
        WatchEvent(Verb.ADDED, key, "1", START, json.dumps(each, separators=(",", ":")).encode())
        for each in ({"name": "p"} | body, body)
    ]
    (event, other) = numbered(changes)
    (first, second), found = read(columns_of([], [event, other]))
    assert [first, second, found] == [event.change.body, other.change.body, []]


@pytest.mark.parametrize("version", ["0", "12", "007", "", "opaque", "-1", "1" * 15, "1" * 16, "9" * 40])
def test_a_version_may_be_any_text(version: str) -> None:
    changes = [
        WatchEvent(Verb.ADDED, pod_key(f"p{number}"), each, START, b"{}")
        for number, each in enumerate(["5", version, "6"])
    ]
    assert [change.version for change in read(columns_of(numbered(changes)))[1]] == ["5", version, "6"]


def test_a_clock_may_go_back_and_a_uid_come_again() -> None:
    key = pod_key("p")
    events = [
        WatchEvent(verb, key, "1", START + at, b'{"name":"p"}')
        for verb, at in ((Verb.ADDED, 0.5), (Verb.DELETED, -3.25), (Verb.ADDED, 7.0), (Verb.MODIFIED, 7.0))
    ]
    found = read(columns_of(numbered(events)))[1]
    assert [(change.verb, change.time) for change in found] == [
        (change.verb, change.time) for change in events
    ]


def test_what_is_told_of_the_whole_is_beside_it() -> None:
    told = columns_of([])
    assert {
        name: told[name]
        for name in ("kstream", "version", "epoch", "cluster", "terms", "redacted", "from", "to")
    } == {
        "kstream": "recording",
        "version": 1,
        "epoch": "e",
        "cluster": {"name": "prod", "version": "v1"},
        "terms": [["t", 1], ["u", 9]],
        "redacted": False,
        "from": {"seq": 0, "time": START},
        "to": {"seq": 0, "time": START + 9},
    }
    nobody = Columns(base=0).encoded(
        epoch="e", cluster=None, terms=[], redacted=True, start=(0, 0.0), end=(0, 0.0)
    )
    assert (json.loads(nobody)["cluster"], json.loads(nobody)["redacted"]) == (None, True)


@pytest.mark.parametrize(("body", "error"), [(b"[1]", ValueError), (b"{", msgspec.DecodeError)])
def test_what_is_no_resource_is_refused(body: bytes, error: type[Exception]) -> None:
    event = Event(1, WatchEvent(Verb.ADDED, pod_key("p"), "1", START, body))
    with pytest.raises(error):
        Columns(base=0).take(event)
    with pytest.raises(error):
        Columns(base=0).begin(event)


@pytest.mark.parametrize("verb", [Verb.MODIFIED, Verb.DELETED])
def test_nothing_happens_to_what_is_not_there(verb: Verb) -> None:
    with pytest.raises(KeyError):
        Columns(base=0).take(Event(1, WatchEvent(verb, pod_key("p"), "1", START, b"{}")))


def test_an_event_takes_a_few_bytes_when_it_is_deflated() -> None:
    events = []
    for number in range(4000):
        key = ObjectKey(Kind.POD, "shop", f"web-{number % 400:03}", f"uid-{number % 400:03}")
        mark = ("Pending", "Running", "Error", "Running")[number // 400 % 4]
        body = {"name": key.name, "uid": key.uid, "labels": {"app": "web"}, "status": mark}
        verb = Verb.MODIFIED if number >= 400 else Verb.ADDED
        events.append(WatchEvent(verb, key, str(number), START + number / 8, json.dumps(body).encode()))
    whole = len(zlib.compress(json.dumps(columns_of(numbered(events)), separators=(",", ":")).encode()))
    plain = len(zlib.compress(b"\n".join(event.body for event in events)))
    assert whole < 4 * len(events)
    assert whole * 2 < plain
