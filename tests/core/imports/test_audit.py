"""Audit logs: who wrote what, and what became of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kstream.core.errors import ConfigError
from kstream.core.imports import audit
from kstream.core.imports.audit import changes
from kstream.core.imports.foreign import Left
from kstream.core.timeline.events import Verb
from tests.core.imports.making import file, other, pod

NO_OBJECT = "without an object: their level is below RequestResponse, or they were truncated"


def entry(
    verb: str, answer: Any, *, at: int = 0, code: int = 200, uri: str = "/api/v1/x", **ref: str
) -> dict[str, Any]:
    told = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "RequestResponse",
        "stage": "ResponseComplete",
        "verb": verb,
        "requestURI": uri,
        "objectRef": {"resource": "pods", "namespace": "shop", "name": "a", **ref},
        "responseStatus": {"code": code},
        "requestObject": {"kind": "Patch", "data": "hunter2"},
        "requestReceivedTimestamp": f"2026-01-24T10:00:{at:02}.000000Z",
        "stageTimestamp": f"2026-01-24T10:00:{at:02}.500000Z",
    }
    return told | ({"responseObject": answer} if answer is not None else {})


def told(*entries: Any, left: Left | None = None) -> list[tuple[Verb, str, str]]:
    return [(each.verb, each.key.name, each.version) for each in changes([file(*entries)], left or Left())]


def status(**details: str) -> dict[str, Any]:
    return {"kind": "Status", "status": "Success", "details": details}


DYING: dict[str, Any] = {"deletionTimestamp": "2026-01-24T10:00:30Z", "deletionGracePeriodSeconds": 30}
DEAD: dict[str, Any] = {"deletionTimestamp": "2026-01-24T10:00:30Z", "deletionGracePeriodSeconds": 0}


def test_what_was_answered_to_writes_is_what_happened_at_the_time_of_the_answer() -> None:
    found = list(
        changes(
            [
                file(
                    entry("create", pod(version="1"), at=1, code=201),
                    entry("patch", pod(version="2", status={"phase": "Pending"}), at=2, subresource="status"),
                    entry("update", pod(version="3"), at=3),
                    entry("delete", pod(version="4", **DYING), at=4),
                    entry("delete", pod(version="5", **DEAD), at=5),
                )
            ],
            Left(),
        )
    )
    assert [each.verb for each in found] == [
        Verb.ADDED,
        Verb.MODIFIED,
        Verb.MODIFIED,
        Verb.MODIFIED,
        Verb.DELETED,
    ]
    assert [each.time % 60 for each in found] == [1.5, 2.5, 3.5, 4.5, 5.5]
    assert b'"status":"Terminating"' in found[3].body
    assert found[4].body == b'{"uid":"uid-a","name":"a","namespace":"shop"}'
    assert all(b"hunter2" not in each.body for each in found)


@pytest.mark.parametrize(
    "unwritten",
    [
        entry("get", pod()),
        entry("create", pod(), code=409),
        entry("create", pod(), uri="/api/v1/namespaces/shop/pods?dryRun=All"),
        entry("create", status(), subresource="binding"),
        entry("create", pod(), resource="configmaps"),
        entry("create", pod(), apiGroup="metrics.k8s.io"),
        {**entry("create", pod()), "stage": "RequestReceived"},
        {**entry("create", pod()), "objectRef": None},
        {**entry("create", pod()), "kind": "Policy"},
        "",
    ],
)
def test_what_has_written_no_object_of_ours_tells_nothing(unwritten: Any) -> None:
    left = Left()
    assert told(unwritten, left=left) == []
    assert not left.counts


def test_an_event_without_its_object_is_counted() -> None:
    left = Left()
    assert told(entry("patch", None), entry("patch", other("PartialObjectMetadata", "a")), left=left) == []
    assert dict(left.counts) == {NO_OBJECT: 1, "answered with something else than the object": 1}


@pytest.mark.parametrize(
    ("metadata", "spec", "gone"),
    [
        ({}, {}, False),
        (DEAD, {}, True),
        (DYING, {}, False),
        ({**DEAD, "finalizers": ["batch.kubernetes.io/job-tracking"]}, {}, False),
        ({"deletionTimestamp": "2026-01-24T10:00:30Z"}, {"finalizers": ["kubernetes"]}, False),
        ({"deletionTimestamp": "2026-01-24T10:00:30Z"}, {"finalizers": []}, True),
    ],
)
def test_who_takes_off_the_last_finalizer_deletes(
    metadata: dict[str, Any], spec: dict[str, Any], gone: bool
) -> None:
    namespace = other("Namespace", "shop", status={"phase": "Terminating"}, spec=spec)
    namespace["metadata"] |= metadata
    ((verb, _, _),) = told(entry("update", namespace, resource="namespaces", subresource="finalize"))
    assert verb is (Verb.DELETED if gone else Verb.MODIFIED)


def test_a_deletion_that_is_answered_with_a_status_is_of_the_object_that_had_the_name() -> None:
    node = entry("create", other("Node", "n"), resource="nodes", namespace="", name="n")
    left = Left()
    delete = entry("delete", status(name="n"), resource="nodes", namespace="", name="n", at=3)
    assert told(node, delete, delete, left=left) == [(Verb.ADDED, "n", "3"), (Verb.DELETED, "n", "")]
    assert dict(left.counts) == {"deleted, and never seen before": 1}
    known = entry("delete", status(uid="uid-m"), resource="nodes", name="m")
    assert [each.key.uid for each in changes([file(known)], Left())] == ["uid-m"]


def test_a_collection_that_is_deleted_is_each_of_its_objects() -> None:
    both = {"kind": "PodList", "items": [pod("a"), pod("b", **DYING)]}
    assert told(entry("deletecollection", both)) == [(Verb.DELETED, "a", "5"), (Verb.MODIFIED, "b", "5")]


def test_what_comes_late_is_no_news() -> None:
    left = Left()
    entries = (
        entry("patch", pod(version="7"), at=1),
        entry("patch", pod(version="6", status={"phase": "Pending"}), at=2),
        entry("patch", pod(version="opaque"), at=3),
        entry("delete", pod(version="9", **DEAD), at=4),
        entry("delete", pod(version="9", **DEAD), at=4),
        entry("patch", pod(version="8"), at=5),
    )
    assert told(*entries, left=left) == [
        (Verb.MODIFIED, "a", "7"),
        (Verb.MODIFIED, "a", "opaque"),
        (Verb.DELETED, "a", "9"),
    ]
    assert dict(left.counts) == {"older than what was known already": 2}


def test_a_name_that_has_gone_to_another_object_is_that_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "GONE", 1)
    first, second = pod(uid="one"), pod(uid="two")
    found = changes(
        [
            file(
                entry("create", first),
                entry("create", second),
                entry("delete", {**first, "metadata": first["metadata"] | DEAD}),
                entry("delete", {"kind": "Status"}),
            )
        ],
        Left(),
    )
    assert [(each.verb, each.key.uid) for each in found][2:] == [(Verb.DELETED, "one"), (Verb.DELETED, "two")]


def test_parts_of_one_log_may_come_in_any_order_and_as_lists() -> None:
    later = file({"kind": "EventList", "items": [entry("patch", pod(version="2"), at=9)]})
    earlier = file(entry("create", pod(version="1"), at=1), entry("patch", pod(version="3"), at=0))
    found = list(changes([later, earlier], Left()))
    assert [each.version for each in found] == ["1", "3"], "2 came after 3"
    assert [each.time % 60 for each in found] == [1.5, 1.5], "in one file times do not go back"


@pytest.mark.parametrize(
    "wrong",
    [
        '{"kind"',
        "[]",
        {**entry("create", pod()), "stageTimestamp": "yesterday"},
        entry("create", {"kind": "Pod", "metadata": 7}),
        entry("create", {"kind": "Pod", "metadata": {}}),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line_unless_it_is_the_end(wrong: Any) -> None:
    with pytest.raises(ConfigError, match=r"^f, line 2: no audit event that can be read"):
        told("", wrong)
    left = Left()
    assert list(changes([file(entry("create", pod()), wrong, cut=True)], left))
    assert left.cut == ["f"]


def test_an_event_may_be_indented() -> None:
    entries = [entry("create", pod("a", version="1")), entry("create", pod("b", version="2"), at=1)]
    indented = "\n".join(json.dumps(each, indent=2) for each in entries)
    assert told(*indented.split("\n")) == told(*entries) == [(Verb.ADDED, "a", "1"), (Verb.ADDED, "b", "2")]
