"""A raw capture: what is in the log is what kstream would have recorded."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from kstream.core.errors import ConfigError
from kstream.core.imports.capture import changes
from kstream.core.imports.foreign import Left
from kstream.core.timeline.events import Kind, Verb
from tests.core.imports.making import file, other, pod
from tests.recording import SECRET, WIRE, cells


def listed(
    t: float, *items: Any, more: str = "", stream: str = "pods", path: str = "/api/v1/pods"
) -> dict[str, Any]:
    body = {"metadata": {"resourceVersion": "9", "continue": more}, "items": items}
    return {"t": t, "stream": stream, "event": "list", "path": path, "body": json.dumps(body)}


def line(t: float, verb: str, item: Any, stream: str = "pods") -> dict[str, Any]:
    return {"t": t, "stream": stream, "event": "line", "body": json.dumps({"type": verb, "object": item})}


def told(*lines: Any) -> list[tuple[float, Verb, str]]:
    return [(each.time, each.verb, each.key.name) for each in changes([file(*lines)], Left())]


def test_the_recorded_incident_tells_every_version_of_every_pod_with_the_status_that_the_server_printed() -> (
    None
):
    lines = gzip.decompress((WIRE / "incident.jsonl.gz").read_bytes()).decode().splitlines()
    found = list(changes([file(*lines)], Left()))
    assert [each.time for each in found] == sorted(each.time for each in found)
    assert all(SECRET.encode() not in each.body for each in found)
    printed = cells()
    judged = [
        (json.loads(each.body)["status"], printed[each.key.uid, each.version].status)
        for each in found
        if each.key.kind is Kind.POD and each.verb is not Verb.DELETED
    ]
    assert len(judged) > 700
    assert all(ours == theirs for ours, theirs in judged)


def test_the_capture_begins_so_that_nothing_is_seen_before_it_was_made() -> None:
    made = pod(creationTimestamp="1970-01-01T00:01:40Z")
    assert told(line(3.0, "MODIFIED", pod("b")), line(4.0, "ADDED", made), line(2.0, "DELETED", made)) == [
        (99.0, Verb.MODIFIED, "b"),
        (100.0, Verb.ADDED, "a"),
        (100.0, Verb.DELETED, "a"),
    ]


def test_a_list_is_all_there_is_and_may_come_in_pages() -> None:
    lines = (
        listed(0.0, pod("a"), more="x"),
        listed(1.0, pod("b")),
        line(2.0, "MODIFIED", pod("c")),
        line(2.5, "DELETED", pod("a")),
        listed(3.0, pod("c")),
    )
    assert [each[1:] for each in told(*lines)] == [
        (Verb.ADDED, "a"),
        (Verb.ADDED, "b"),
        (Verb.MODIFIED, "c"),
        (Verb.DELETED, "a"),
        (Verb.DELETED, "b"),
        (Verb.ADDED, "c"),
    ]


def test_a_list_of_one_namespace_says_nothing_of_the_others() -> None:
    elsewhere = pod("b")
    elsewhere["metadata"]["namespace"] = "other"
    lines = (listed(0.0, pod("a"), elsewhere), listed(1.0, path="/api/v1/namespaces/other/pods"))
    assert [each[1:] for each in told(*lines)][2:] == [(Verb.DELETED, "b")]


def test_other_streams_and_what_tells_of_no_object_are_passed_over() -> None:
    lines = (
        "",
        {"t": 0.0, "stream": "pods", "event": "open"},
        line(1.0, "ADDED", pod(), stream="pods-table"),
        line(1.0, "BOOKMARK", {"metadata": {"resourceVersion": "7"}}),
        line(1.0, "ADDED", other("Node", "n"), stream="nodes"),
    )
    assert [name for _, _, name in told(*lines)] == ["n"]


@pytest.mark.parametrize("wrong", ["{", "[]", {"t": 0, "stream": "pods", "event": "list", "body": "<html>"}])
def test_what_cannot_be_read_is_refused_with_its_line_unless_it_is_the_end(wrong: Any) -> None:
    with pytest.raises(ConfigError, match=r"^f, line 2: no line of a capture"):
        told(listed(0.0, pod()), wrong)
    left = Left()
    assert len(list(changes([file(listed(0.0, pod()), wrong, cut=True)], left))) == 1
    assert left.cut == ["f"]
