"""kstream.core.kube.resources: objects, pages, lines and refusals. test_malformed.py has the nonsense."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kstream.core.errors import MalformedError
from kstream.core.kube.resources import (
    Line,
    Status,
    decode_added,
    decode_line,
    decode_object,
    decode_page,
    decode_status,
)
from kstream.core.timeline.events import Kind, ObjectKey, deleted_body
from tests.recording import exchanges, lines

Json = dict[str, Any]
META: Json = {"name": "web", "namespace": "shop", "uid": "u1", "resourceVersion": "7"}


def raw(value: object) -> bytes:
    return json.dumps(value).encode()


def pod(**parts: Json) -> Json:
    return {"metadata": META} | parts


def body(kind: Kind, value: Json) -> Json:
    found: Json = json.loads(decode_object(kind, raw(value)).body)
    return found


# --- one object


def test_a_pod_as_the_contract_has_it() -> None:
    spec = {
        "nodeName": "node-1",
        "containers": [{"name": "main", "image": "nginx:latest", "env": [{"name": "A", "value": "secret"}]}],
    }
    status = {
        "phase": "Running",
        "containerStatuses": [
            {
                "name": "main",
                "image": "docker.io/library/nginx:latest",
                "ready": True,
                "restartCount": 2,
                "state": {"running": {"startedAt": "2025-01-24T09:30:00Z"}},
                "lastState": {"terminated": {"exitCode": 1, "reason": "Error"}},
            }
        ],
    }
    metadata = META | {"labels": {"app": "web"}, "creationTimestamp": "2025-01-24T09:30:00Z"}
    decoded = decode_object(Kind.POD, raw({"metadata": metadata, "spec": spec, "status": status}))
    assert decoded.key == ObjectKey(Kind.POD, "shop", "web", "u1")
    assert decoded.version == "7"
    assert decoded.body == (
        b'{"name":"web","uid":"u1","namespace":"shop","nodeName":"node-1","phase":"Running","status":"Running",'
        b'"containers":[{"name":"main","image":"nginx:latest","ready":true,"restartCount":2,"state":"running",'
        b'"reason":null}],"labels":{"app":"web"},"creationTimestamp":"2025-01-24T09:30:00Z","owner":null}'
    )


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (rb"\ud800", "\ufffd"),
        (rb"\uDFFFx", "\ufffdx"),
        (rb"\ud83d\ude00", "\U0001f600"),
        (rb"\ud83d\ud83d\ude00", "\ufffd\U0001f600"),
        (rb"\\ud800\ud800", "\\ud800\ufffd"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"\xe2\x82", "\ufffd\ufffd"),
        (b"\xf0\x9f\x98!", "\ufffd\ufffd\ufffd!"),
        (b"\xed\xa0\x80", "\ufffd\ufffd\ufffd"),
    ],
)
def test_what_is_no_unicode_is_replaced_as_go_does_and_withholds_nothing(written: bytes, read: str) -> None:
    """One of them withheld all objects of a kind, for ever."""
    item = raw({"metadata": META | {"labels": {"app": "HERE"}}}).replace(b"HERE", written)
    page = b'{"metadata":{"resourceVersion":"9"},"items":[%b,%b]}' % (
        item,
        raw({"metadata": META | {"uid": "u2"}}),
    )
    found = decode_page(Kind.POD, page).items
    assert [json.loads(each.body)["uid"] for each in found] == ["u1", "u2"]
    assert json.loads(found[0].body)["labels"] == {"app": read}
    told = decode_line(Kind.POD, b'{"type":"ADDED","object":%b}' % item)
    assert told.decoded == found[0]


def test_what_is_no_json_stays_none_whatever_else_is_in_it() -> None:
    with pytest.raises(MalformedError):
        decode_page(Kind.POD, rb'{"metadata":{"resourceVersion":"\ud800"},"items":[')


def test_a_pod_that_is_not_scheduled_has_no_node_and_its_containers_wait() -> None:
    found = body(
        Kind.POD, pod(spec={"containers": [{"name": "a", "image": "x"}]}, status={"phase": "Pending"})
    )
    assert found["nodeName"] is None
    assert found["containers"] == [
        {"name": "a", "image": "x", "ready": False, "restartCount": 0, "state": "waiting", "reason": None}
    ]


def test_containers_are_the_main_ones_then_the_sidecars_and_no_init_containers() -> None:
    spec = {
        "containers": [{"name": "b"}, {"name": "a"}],
        "initContainers": [{"name": "setup"}, {"name": "proxy", "restartPolicy": "Always"}],
    }
    status = {
        "containerStatuses": [{"name": "a", "restartCount": 1}, {"name": "b", "restartCount": 2}],
        "initContainerStatuses": [
            {"name": "setup", "restartCount": 3},
            {"name": "proxy", "restartCount": 4, "ready": True, "started": True, "state": {"running": {}}},
        ],
    }
    found = body(Kind.POD, pod(spec=spec, status=status))["containers"]
    assert [(each["name"], each["restartCount"], each["state"]) for each in found] == [
        ("b", 2, "waiting"),
        ("a", 1, "waiting"),
        ("proxy", 4, "running"),
    ]


def test_a_container_without_a_status_among_others_that_have_one_waits() -> None:
    spec = {"containers": [{"name": "a"}, {"name": "b"}]}
    found = body(Kind.POD, pod(spec=spec, status={"containerStatuses": [{"name": "b", "ready": True}]}))
    assert [each["ready"] for each in found["containers"]] == [False, True]


def test_a_node_as_the_contract_has_it() -> None:
    node = {
        "metadata": META | {"labels": {"node-role.kubernetes.io/b": "", "node-role.kubernetes.io/a": "x"}},
        "spec": {"unschedulable": True, "taints": [{"key": "k"}]},
        "status": {
            "capacity": {"cpu": 4, "memory": "8388608Ki", "pods": "110", "nvidia.com/gpu": "1"},
            "conditions": [
                {"type": "Ready", "status": "True", "reason": "R", "message": "m", "lastHeartbeatTime": "t"}
            ],
            "images": [{"names": ["secret"]}],
        },
    }
    assert body(Kind.NODE, node) == {
        "name": "web",
        "uid": "u1",
        "status": "Ready,SchedulingDisabled",
        "role": "a,b",
        "capacity": {"cpu": "4000m", "memory": "8Gi", "pods": "110"},
        "conditions": [{"type": "Ready", "status": "True", "reason": "R", "message": "m"}],
        "labels": {"node-role.kubernetes.io/b": "", "node-role.kubernetes.io/a": "x"},
        "creationTimestamp": None,
    }


def test_a_namespace_has_no_pod_count_yet() -> None:
    decoded = decode_object(Kind.NAMESPACE, raw({"metadata": META, "status": {"phase": "Terminating"}}))
    assert decoded.body == b'{"name":"web","uid":"u1","status":"Terminating"}'


def test_null_missing_and_empty_are_the_same() -> None:
    full = {"metadata": META, "spec": {}, "status": {"containerStatuses": []}}
    nulls = {
        "metadata": META | {"labels": None},
        "spec": {"containers": None, "nodeName": ""},
        "status": None,
    }
    assert decode_object(Kind.POD, raw(full)).body == decode_object(Kind.POD, raw(nulls)).body


def test_the_way_the_json_is_written_makes_no_difference() -> None:
    for line in lines(Kind.POD)[::50]:
        value = json.loads(line)["object"]
        if "uid" in value["metadata"]:
            assert decode_object(Kind.POD, json.dumps(value, indent=2).encode()) == decode_object(
                Kind.POD, json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
            )


@pytest.mark.parametrize("metadata", [None, {}, {"name": "web"}, {"uid": "u1"}, {"name": "", "uid": "u1"}])
def test_an_object_without_name_or_uid_is_refused_alone_and_skipped_among_others(
    metadata: Json | None,
) -> None:
    with pytest.raises(MalformedError, match="no name or no uid"):
        decode_object(Kind.POD, raw({"metadata": metadata}))
    page = raw({"metadata": {"resourceVersion": "1"}, "items": [{"metadata": metadata}, {"metadata": META}]})
    assert [item.key.uid for item in decode_page(Kind.POD, page).items] == ["u1"]
    for verb in ("ADDED", "MODIFIED", "DELETED"):
        line = raw({"type": verb, "object": {"metadata": metadata}})
        assert decode_line(Kind.POD, line) == Line(verb)


# --- lists


def test_a_page_tells_where_the_next_one_is() -> None:
    page = decode_page(Kind.POD, exchanges()["first page of pods, limit 1"]["body"].encode())
    assert page.version == "12592"
    assert page.next.startswith("eyJ2Ijoi")
    assert page.remaining == 7
    assert [item.key.name for item in page.items] == ["hello-5bfd45d9dd-2lk6w"]


def test_the_last_page_has_no_next() -> None:
    page = decode_page(Kind.NODE, raw({"metadata": {"resourceVersion": "1", "continue": ""}, "items": None}))
    assert page == ("1", "", None, [])


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"items": []},
        {"metadata": {}, "items": []},
        {"metadata": {"resourceVersion": ""}, "items": []},
        {"metadata": {"resourceVersion": "1"}},
        {"kind": "Status", "metadata": {}, "code": 403},
    ],
)
def test_json_that_is_no_list_is_not_an_empty_list(value: Json) -> None:
    with pytest.raises(MalformedError, match="no list"):
        decode_page(Kind.POD, raw(value))


# --- watch lines


@pytest.mark.parametrize(
    "stop",
    [
        {"type": "DELETED", "object": pod()},
        {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "9"}}},
        {"type": "ERROR", "object": {"kind": "Status", "code": 410}},
        {"type": "ADDED", "object": {"metadata": {}}},
        {"type": "ADDED", "object": {"metadata": {"name": 7}}},
        {"type": "ADDED"},
        "torn",
    ],
)
def test_added_lines_are_read_together_up_to_the_first_other_one(stop: object) -> None:
    added = [
        raw({"type": "ADDED", "object": pod(status={"phase": phase})}) for phase in ("Running", "Pending")
    ]
    given = [*added, raw(stop)[:-1] if stop == "torn" else raw(stop), *added]
    assert decode_added(Kind.POD, given) == [decode_line(Kind.POD, line).decoded for line in added]
    assert decode_added(Kind.POD, added) == decode_added(Kind.POD, given), "also where no other one comes"
    assert decode_added(Kind.POD, []) == []


def test_deleted_carries_only_what_names_the_object() -> None:
    line = decode_line(Kind.POD, raw({"type": "DELETED", "object": pod(status={"phase": "Running"})}))
    assert line.decoded is not None
    assert line.decoded.body == b'{"uid":"u1","name":"web","namespace":"shop"}'
    assert deleted_body(ObjectKey(Kind.NODE, "", 'a"b', "u2")) == b'{"uid":"u2","name":"a\\"b"}'


@pytest.mark.parametrize(
    ("annotations", "end"),
    [
        ({"k8s.io/initial-events-end": "true"}, True),
        ({"k8s.io/initial-events-end": "false"}, False),
        ({}, False),
    ],
)
def test_a_bookmark_has_a_version_and_may_end_the_initial_events(annotations: Json, end: bool) -> None:
    metadata = {"resourceVersion": "9", "creationTimestamp": None, "annotations": annotations}
    value = {"type": "BOOKMARK", "object": {"metadata": metadata, "spec": {"containers": None}, "status": {}}}
    assert decode_line(Kind.POD, raw(value)) == Line("BOOKMARK", version="9", initial_end=end)


def test_a_recorded_watch_list_ends_with_its_bookmark() -> None:
    text = exchanges()["WatchList: initial events, then the end bookmark"]["body"].encode()
    found = [decode_line(Kind.NAMESPACE, line) for line in text.splitlines()]
    ends = [line for line in found if line.initial_end]
    assert len(ends) == 1
    assert ends[0].version
    assert all(line.decoded is not None for line in found[: found.index(ends[0])])


@pytest.mark.parametrize("value", [{"type": "BOOKMARK"}, {"type": "BOOKMARK", "object": {}}])
def test_a_bookmark_without_metadata_has_no_version(value: Json) -> None:
    assert decode_line(Kind.NODE, raw(value)) == Line("BOOKMARK")


@pytest.mark.parametrize("kind", Kind)
def test_an_error_carries_the_status(kind: Kind) -> None:
    text = exchanges()["watch from a compacted resourceVersion"]["body"].encode()
    assert decode_line(kind, text) == Line(
        "ERROR", status=Status(410, "Expired", "too old resource version: 100 (12535)", None)
    )


@pytest.mark.parametrize(
    "value", [{}, {"object": None}, {"object": {}}, {"object": "gone"}, {"object": {"code": "x"}}]
)
def test_an_error_without_reason_or_code_is_still_an_error(value: Json) -> None:
    assert decode_line(Kind.POD, raw({"type": "ERROR"} | value)) == Line(
        "ERROR", status=Status(0, "", "", None)
    )


@pytest.mark.parametrize("value", [{}, {"object": pod()}, {"object": [1]}])
def test_an_unknown_type_is_to_be_skipped(value: Json) -> None:
    assert decode_line(Kind.POD, raw({"type": "SURPRISE"} | value)) == Line("SURPRISE")


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b" "])
def test_the_end_of_the_line_may_still_be_there(end: bytes) -> None:
    line = lines(Kind.POD)[0]
    assert decode_line(Kind.POD, line + end) == decode_line(Kind.POD, line)


# --- refusals


@pytest.mark.parametrize(
    ("name", "code", "reason", "retry_after"),
    [
        ("version with a bad token: 401", 401, "Unauthorized", None),
        ("pods of the whole cluster, forbidden: 403", 403, "Forbidden", None),
        ("list at a compacted resourceVersion, Exact", 410, "Expired", None),
        ("a malformed continue token: 400", 400, "BadRequest", None),
        ("list not older than a version in the future: 504", 504, "Timeout", 1.0),
        ("watch with a malformed resourceVersion", 500, "", None),
        ("WatchList without bookmarks", 422, "Invalid", None),
    ],
)
def test_a_recorded_refusal(name: str, code: int, reason: str, retry_after: float | None) -> None:
    status = decode_status(exchanges()[name]["body"].encode())
    assert status is not None
    assert (status.code, status.reason, status.retry_after) == (code, reason, retry_after)
    assert status.message


@pytest.mark.parametrize("text", [b"", b"too many requests", b"<html>", b"[]", b'"x"', b'{"code":"429"}'])
def test_what_is_no_status_is_none(text: bytes) -> None:
    assert decode_status(text) is None


def test_a_wait_that_makes_no_sense_is_no_wait() -> None:
    assert decode_status(b'{"details":{"retryAfterSeconds":-1}}') == Status(0, "", "", None)


# --- what cannot be read


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"metadata":7}'])
def test_what_cannot_be_read_is_named_by_what_it_should_have_been(text: bytes) -> None:
    for decode, what in (
        (decode_object, "a pod"),
        (decode_page, "a list of pods"),
        (decode_line, "a watch line of pods"),
    ):
        with pytest.raises(
            MalformedError, match=f"cannot read {what} from the API server: .*; it will be asked for again"
        ):
            decode(Kind.POD, text)


@pytest.mark.parametrize("type_", ["ADDED", "MODIFIED", "DELETED", "BOOKMARK"])
def test_an_object_of_another_shape_is_malformed_where_an_object_was_to_be(type_: str) -> None:
    with pytest.raises(MalformedError, match="a watch line of nodes"):
        decode_line(Kind.NODE, raw({"type": type_, "object": {"metadata": []}}))
    assert decode_line(Kind.NODE, raw({"type": "SURPRISE", "object": {"metadata": []}})) == Line("SURPRISE")


def test_a_node_and_a_namespace_are_in_no_namespace_and_may_have_no_version() -> None:
    decoded = decode_object(Kind.NODE, raw({"metadata": {"name": "n", "uid": "u"}}))
    assert (decoded.key, decoded.version) == (ObjectKey(Kind.NODE, "", "n", "u"), "")
    line = decode_line(
        Kind.NAMESPACE, raw({"type": "DELETED", "object": {"metadata": {"name": "n", "uid": "u"}}})
    )
    assert line.decoded is not None
    assert (line.version, line.decoded.key.namespace, line.decoded.body) == (
        "",
        "",
        b'{"uid":"u","name":"n"}',
    )


@pytest.mark.parametrize(("seconds", "wait"), [("0", 0.0), ("1.5", 1.5), ("-0.1", None), ("null", None)])
def test_a_wait_is_a_number_of_seconds_that_is_not_negative(seconds: str, wait: float | None) -> None:
    status = decode_status(b'{"details":{"retryAfterSeconds":%b}}' % seconds.encode())
    assert status == (0, "", "", wait)
