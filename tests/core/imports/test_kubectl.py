"""What kubectl wrote while it watched."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kstream.core.errors import ConfigError
from kstream.core.imports.foreign import OLD, Left
from kstream.core.imports.kubectl import changes
from kstream.core.timeline.events import Verb
from kstream.core.timeline.timepoint import timestamp
from tests.core.imports.making import file, other, pod


def event(verb: str, item: dict[str, Any]) -> dict[str, Any]:
    return {"type": verb, "object": item}


def turned(stamp: str) -> dict[str, Any]:
    return {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": stamp}],
    }


def told(*files: Any) -> list[tuple[str, Verb, str]]:
    return [(timestamp(each.time)[11:19], each.verb, each.key.name) for each in changes([*files], Left())]


def test_what_is_listed_first_is_there_at_once_and_the_rest_when_the_object_says_it_was() -> None:
    watched = file(
        event("ADDED", pod("a")),
        event("ADDED", pod("b", status=turned("2026-01-24T10:00:09Z"))),
        event("MODIFIED", pod("a", status=turned("2026-01-24T10:00:30Z"))),
        event("MODIFIED", pod("b", status=turned("2026-01-24T10:00:20Z"))),  # seen after that
        event("DELETED", pod("a", deletionTimestamp="2026-01-24T10:09:00Z")),
    )
    assert told(watched) == [
        ("10:00:09", Verb.ADDED, "a"),
        ("10:00:09", Verb.ADDED, "b"),
        ("10:00:30", Verb.MODIFIED, "a"),
        ("10:00:30", Verb.MODIFIED, "b"),
        ("10:00:30", Verb.DELETED, "a"),
    ]


def test_files_are_watches_that_ran_side_by_side() -> None:
    pods = file(event("ADDED", pod("a")), event("MODIFIED", pod("a", status=turned("2026-01-24T10:00:30Z"))))
    nodes = file(
        event("ADDED", other("Node", "n", status=turned("2026-01-24T10:00:10Z"))),
        event("MODIFIED", other("Node", "n", status=turned("2026-01-24T10:00:20Z"))),
    )
    assert told(pods, nodes) == [
        ("10:00:10", Verb.ADDED, "a"),
        ("10:00:10", Verb.ADDED, "n"),
        ("10:00:20", Verb.MODIFIED, "n"),
        ("10:00:30", Verb.MODIFIED, "a"),
    ]


def test_nothing_but_what_kstream_shows_is_kept() -> None:
    (change,) = changes([file(event("ADDED", pod()))], Left())
    assert b"hunter2" not in change.body
    assert b'"image":"i"' in change.body


def test_what_tells_of_no_object_of_ours_is_left_out_and_counted() -> None:
    left = Left()
    lines = file(
        event("BOOKMARK", pod()),
        event("ADDED", other("Service", "s")),
        event("ADDED", {"kind": "Pod", "metadata": {}}),
        "",
    )
    assert list(changes([lines], left)) == []
    assert dict(left.counts) == {
        "BOOKMARK lines, which tell of no object": 1,
        "of another kind: Service": 1,
        "without a name or a uid": 1,
    }


def test_a_time_that_no_calendar_has_is_passed_over() -> None:
    odd = file(event("ADDED", pod(status=turned("2026-02-31T10:00:00Z"))))
    assert told(odd) == [("10:00:00", Verb.ADDED, "a")]
    never = pod()
    del never["metadata"]["creationTimestamp"]
    assert told(file(event("ADDED", never))) == [("00:00:00", Verb.ADDED, "a")]


@pytest.mark.parametrize("indent", [None, 2, 4])
def test_documents_may_be_a_line_each_or_indented(indent: int | None) -> None:
    items = [event("ADDED", pod("a")), event("ADDED", pod("b"))]
    text = "\n".join(json.dumps(each, indent=indent) for each in items)
    assert [name for _, _, name in told(file(*text.split("\n")))] == ["a", "b"]


@pytest.mark.parametrize("lines", [['{"type":"ADDED","obj'], ["{", '  "type": "ADDED",']])
def test_a_document_that_is_cut_off_at_the_end_is_left_out_and_told(lines: list[str]) -> None:
    left = Left()
    watched = file(event("ADDED", pod()), *lines, name="pods.json", cut=True)
    assert [each.key.name for each in changes([watched], left)] == ["a"]
    assert left.cut == ["pods.json"]


def test_what_is_no_watch_event_is_refused_with_the_line_on_which_it_begins() -> None:
    for wrong in (
        '{"type":"ADDED"',
        json.dumps(pod()),
        "NAME READY",
        '{"type":"ADDED","object":{"kind":"Pod","spec":7}}',
    ):
        with pytest.raises(ConfigError, match=r"^f, line 2: no watch event .*--output-watch-events$"):
            list(changes([file(event("ADDED", pod()), wrong)], Left()))


def test_what_a_watch_that_was_begun_again_or_another_file_tells_twice_is_old() -> None:
    def version(number: int, verb: str, **more: Any) -> dict[str, Any]:
        return event(verb, pod("a", resourceVersion=str(number), **more))

    first = [version(1, "ADDED"), version(3, "MODIFIED", labels={"a": "b"}), version(5, "DELETED")]
    left = Left()
    again = [*first, version(1, "ADDED"), version(3, "MODIFIED", labels={"a": "b"})]
    told = [each.version for each in changes([file(*again), file(*first[1:])], left)]
    assert told == ["1", "3", "5", "5"]  # of the same one nobody can say which is older
    assert dict(left.counts) == {OLD: 3}
