"""What a server says, field by field (PROTOCOL 1 to 8, 27): which messages there are, and what each of them has."""

from __future__ import annotations

from typing import get_args

import msgspec
import pytest

from kstream.core.delivery.messages import (
    UNIONS,
    BatchMessage,
    ClearedMessage,
    ConnectionMessage,
    EventMessage,
    InitialStateMessage,
    LookedMessage,
    MapNamesMessage,
    MapStateMessage,
    Message,
    PongMessage,
    ServerMessage,
)


def test_every_message_has_a_type_and_a_timestamp() -> None:
    for kind in get_args(ServerMessage):
        assert kind.__struct_config__.tag_field == "type"
        assert "timestamp" in {field.encode_name for field in msgspec.structs.fields(kind) if field.required}


def test_the_types_are_those_of_the_protocol() -> None:
    assert list(dict.fromkeys(kind.__struct_config__.tag for kind in get_args(ServerMessage))) == [
        *("connection", "initial_state", "map_state", "map_pods", "map_names", "looked"),
        *("node_event", "pod_event", "namespace_event", "map_event", "batch"),
        *("metrics", "error", "cleared", "pong", "playback"),
    ]


def test_an_event_says_what_became_of_an_object_and_carries_it_whole_unless_it_is_gone() -> None:
    for kind in get_args(EventMessage):
        names = [field.encode_name for field in msgspec.structs.fields(kind)]
        assert names[:4] == ["action", "seq", "data", "timestamp"]
        assert names[4:] == (["number"] if kind.__name__.startswith("Pod") else [])
    assert {kind.__name__ for kind in get_args(EventMessage)} == {
        f"{what}{became}" for what in ("Node", "Pod", "Namespace", "Map") for became in ("Changed", "Deleted")
    }


@pytest.mark.parametrize(
    ("kind", "sometimes"),
    [
        (ConnectionMessage, ["resumed", "reason", "limits"]),
        (InitialStateMessage, ["seq", "id"]),
        (BatchMessage, ["seq"]),
        (MapStateMessage, ["id"]),
        (MapNamesMessage, ["seq"]),
        (LookedMessage, ["id"]),
        (PongMessage, ["asOf"]),
        (ClearedMessage, []),
    ],
)
def test_what_is_not_always_said_may_be_left_out(kind: type[Message], sometimes: list[str]) -> None:
    fields = msgspec.structs.fields(kind)
    assert [field.encode_name for field in fields if not field.required] == sometimes


def test_the_type_comes_first() -> None:
    assert (
        msgspec.json.encode(ClearedMessage("log", "then"))
        == b'{"type":"cleared","fault":"log","timestamp":"then"}'
    )


def test_the_unions_have_names_the_narrow_ones_first() -> None:
    sizes = [len(get_args(union)) for union in UNIONS.values()]
    assert sizes == sorted(sizes)
    assert list(UNIONS)[-2:] == ["EventMessage", "ServerMessage"]
