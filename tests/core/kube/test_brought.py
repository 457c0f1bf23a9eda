"""What a file brings as a resource: refused where a field has not its type, or where it is of another object."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kstream.core.errors import ConfigError
from kstream.core.kube.brought import check, rewritten
from kstream.core.timeline import shapes
from kstream.core.timeline.events import Kind, ObjectKey, deleted_body

POD = ObjectKey(Kind.POD, "shop", "web-1", "u1")
NODE = ObjectKey(Kind.NODE, "", "n1", "u2")
NAMESPACE = ObjectKey(Kind.NAMESPACE, "", "shop", "u3")


def named(key: ObjectKey, **fields: Any) -> bytes:
    space = {"namespace": key.namespace} if key.kind is Kind.POD else {}
    return json.dumps({"name": key.name, "uid": key.uid, **space, **fields}).encode()


@pytest.mark.parametrize("key", [POD, NODE, NAMESPACE], ids=lambda key: str(key.kind))
def test_what_a_deletion_tells_is_enough_and_what_is_not_known_is_let_be(key: ObjectKey) -> None:
    check(key, named(key))
    check(key, named(key, of_another_version={"a": [1]}))


@pytest.mark.parametrize(
    ("key", "fields"),
    [
        (POD, {"phase": None}),
        (POD, {"status": 5}),
        (POD, {"containers": "x"}),
        (POD, {"containers": [{"restartCount": "3"}]}),
        (POD, {"nodeName": 5}),
        (POD, {"labels": {"a": {"b": 1}}}),
        (POD, {"owner": {"kind": "Job"}}),
        (NODE, {"status": None}),
        (NODE, {"conditions": [{"type": "Ready"}]}),
        (NODE, {"capacity": {"pods": 110}}),
        (NAMESPACE, {"podCount": "3"}),
    ],
)
def test_a_field_of_another_type_is_named(key: ObjectKey, fields: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=rf"its data is no {key.kind} of kstream \(.*{next(iter(fields))}"):
        check(key, named(key, **fields))


@pytest.mark.parametrize("field", ["name", "uid", "namespace"])
def test_data_of_another_object_is_refused(field: str) -> None:
    with pytest.raises(ConfigError, match=r"of another pod \(.*other"):
        check(POD, named(POD, **{field: "other"}))


def test_the_namespace_of_what_has_none_does_not_count() -> None:
    check(NODE, named(NODE, namespace="shop"))


@pytest.mark.parametrize("body", [b"{", b"[" * 100_000, b'{"name":"\xff"}'])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(ConfigError, match="its data is no pod"):
        check(POD, body)


FIELDS: dict[Kind, dict[str, Any]] = {
    Kind.POD: {
        "name": "web-1",
        "uid": "u1",
        "namespace": "shop",
        "nodeName": None,
        "phase": "Running",
        "status": "größe",
        "containers": [{"name": "a", "image": "i", "restartCount": 3}],
        "labels": {"status": "Error", "app": "web"},
        "creationTimestamp": None,
        "owner": {"kind": "Job", "name": "j"},
    },
    Kind.NODE: {
        "name": "n1",
        "uid": "u2",
        "status": "Ready",
        "role": "worker",
        "capacity": {"cpu": "4"},
        "conditions": [{"type": "Ready", "status": "True"}],
        "labels": {"status": "Error"},
        "creationTimestamp": None,
    },
    Kind.NAMESPACE: {"name": "shop", "uid": "u3", "status": "Active", "podCount": 3},
}


@pytest.mark.parametrize("kind", FIELDS)
@given(st.data())
def test_whatever_order_and_spaces_a_file_has_it_is_written_as_kstream_does(
    kind: Kind, data: st.DataObject
) -> None:
    fields = FIELDS[kind]
    if data.draw(st.booleans()):
        fields = {name: value for name, value in fields.items() if name != "podCount"} | {
            "later": [1.5, None]
        }
        fields |= {"podCount": 3} if kind is Kind.NAMESPACE else {}
    written = msgspec.json.encode(fields)
    assert rewritten(kind, written) == written
    order = data.draw(st.permutations(list(fields)))
    indent, ascii_too = data.draw(st.sampled_from([None, 2])), data.draw(st.booleans())
    told = json.dumps({name: fields[name] for name in order}, indent=indent, ensure_ascii=ascii_too)
    assert rewritten(kind, told.encode()) == written


@pytest.mark.parametrize("key", [POD, NODE, NAMESPACE], ids=lambda key: str(key.kind))
def test_a_deletion_stays_as_it_is(key: ObjectKey) -> None:
    assert rewritten(key.kind, deleted_body(key)) == deleted_body(key)


def test_a_number_that_nothing_can_hold_is_refused() -> None:
    body = named(POD, status="Running").replace(b'"status"', b'"x":1e400,"status"')
    check(POD, body)
    with pytest.raises(ConfigError, match="its data is no pod of kstream"):
        rewritten(Kind.POD, body)


@pytest.mark.parametrize(
    ("kind", "shape"), [(Kind.POD, shapes.Pod), (Kind.NODE, shapes.Node), (Kind.NAMESPACE, shapes.Namespace)]
)
def test_each_field_that_clients_are_told_has_its_type_looked_at(
    kind: Kind, shape: type[shapes.Shape]
) -> None:
    key = {Kind.POD: POD, Kind.NODE: NODE, Kind.NAMESPACE: NAMESPACE}[kind]
    for name in set(shape.__struct_fields__) - {"name", "uid", "namespace"}:
        with pytest.raises(ConfigError, match=name):
            check(key, named(key, **{name: [[]]}))
