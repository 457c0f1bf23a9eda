"""What resources are, field by field (PROTOCOL 9 to 11): in this order, and what may be left out."""

from __future__ import annotations

import msgspec
import pytest

from kstream.core.timeline.shapes import Deleted, DeletedPod, Namespace, Node, Owner, Pod, Shape


@pytest.mark.parametrize(
    ("shape", "always", "sometimes"),
    [
        (Node, "name uid status role capacity conditions labels creationTimestamp", ""),
        (Pod, "name uid namespace nodeName phase status containers labels creationTimestamp", "owner"),
        (Namespace, "name uid status", "podCount"),
        (Deleted, "uid name", ""),
        (DeletedPod, "uid name namespace", ""),
    ],
)
def test_a_resource_has_the_fields_of_the_contract_in_their_order(
    shape: type[Shape], always: str, sometimes: str
) -> None:
    fields = msgspec.structs.fields(shape)
    assert [field.encode_name for field in fields if field.required] == always.split()
    assert [field.encode_name for field in fields if not field.required] == sometimes.split()


def test_what_is_left_out_is_not_encoded_and_null_is() -> None:
    pod = Pod("p", "u", "n", None, "", "", [], {}, None)
    assert msgspec.json.encode(pod).endswith(b'"labels":{},"creationTimestamp":null}')
    owned = msgspec.structs.replace(pod, owner=Owner("Job", "j"))
    assert msgspec.json.encode(owned).endswith(b'"owner":{"kind":"Job","name":"j"}}')
    assert msgspec.json.encode(msgspec.structs.replace(pod, owner=None)).endswith(b'"owner":null}')
