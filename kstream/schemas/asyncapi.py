"""The socket as AsyncAPI 3: its address, and the messages both ways."""

from __future__ import annotations

from typing import Any, Final, get_args

from kstream.core.delivery.messages import UNIONS, ServerMessage
from kstream.core.delivery.selectors import MAX_SELECTOR
from kstream.core.delivery.wire import PROTOCOL_VERSION
from kstream.schemas.messages import message_defs, said_by_clients
from kstream.schemas.shapes import Schema, Shapes

_REFS: Final = "#/components/schemas/"
_TEXT: Final = {"type": "string"}
_QUERY: Final[Schema] = {
    "type": "object",
    "description": "All of them may be left out (docs/protocol.md, Connecting).",
    "properties": {
        "namespaces": _TEXT | {"description": "Pods and namespaces of these names only, joined by commas."},
        "kinds": _TEXT | {"description": "Of `pods,nodes,namespaces` these only."},
        "labels": _TEXT
        | {"description": "A Kubernetes label selector, for pods.", "maxLength": MAX_SELECTOR},
        "epoch": _TEXT | {"description": "Resume: that of the last `connection`."},
        "term": _TEXT | {"description": "Resume: that of the last `connection`."},
        "seq": {"type": "integer", "minimum": 0, "description": "Resume: the last one that was seen."},
        "at": _TEXT | {"description": "A timeline of one's own, from this moment on."},
        "speed": _TEXT | {"description": "Of that timeline: a number, or `max`."},
        "paused": _TEXT | {"description": "That timeline stands still at first."},
        "follow": _TEXT | {"description": "The id of the timeline of another client."},
    },
}


def asyncapi(*, closed: bool) -> Schema:
    """The document, of the server: it sends, and receives. `closed` as in messages.py."""
    shapes = Shapes(UNIONS, refs=_REFS, closed=closed)
    sent, received = _sent(), _received(closed=closed)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "kstream",
            "version": str(PROTOCOL_VERSION),
            "description": "The stream of a cluster over one WebSocket (docs/protocol.md). A client ignores message "
            "types and fields that it does not know. What is read over HTTP: /openapi.json.",
        },
        "defaultContentType": "application/json",
        "servers": {"local": {"host": "127.0.0.1:3001", "protocol": "ws"}},
        "channels": {
            "stream": {
                "address": "/ws",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in (*sent, *received)},
                "bindings": {"ws": {"method": "GET", "query": _QUERY}},
            }
        },
        "operations": {
            "tell": _operation("send", "What a client receives", sent),
            "hear": _operation("receive", "What a client may send", received),
        },
        "components": {
            "messages": sent | received,
            "schemas": message_defs(shapes, refs=_REFS, closed=closed),
        },
    }


def _operation(action: str, summary: str, messages: dict[str, Schema]) -> Schema:
    return {
        "action": action,
        "channel": {"$ref": "#/channels/stream"},
        "summary": summary,
        "messages": [{"$ref": f"#/channels/stream/messages/{name}"} for name in messages],
    }


def _sent() -> dict[str, Schema]:
    """By their `type`; those of events, which say what became of the object, by the union of both."""
    found: dict[str, Schema] = {}
    for kind in get_args(ServerMessage):
        name = str(kind.__struct_config__.tag)
        union = next((each for each, union in UNIONS.items() if kind in get_args(union)), "")
        found[name] = _message(name, union if union != "ServerMessage" else kind.__name__)
    return found


def _received(*, closed: bool) -> dict[str, Schema]:
    defs = said_by_clients(refs=_REFS, closed=closed)
    return {
        name[0].lower() + name[1:]: _message(schema["properties"]["type"]["const"], name)
        for name, schema in defs.items()
        if "properties" in schema
    }


def _message(type_: str, schema: str) -> dict[str, Any]:
    return {"name": type_, "title": schema, "payload": {"$ref": f"{_REFS}{schema}"}}
