"""The messages of the socket, both ways, as JSON Schema: what the server says, and what a client may say."""

from __future__ import annotations

from typing import Any, Final

from pydantic import TypeAdapter

from kstream.core.delivery.messages import UNIONS
from kstream.core.delivery.wire import ClientMessage
from kstream.schemas.shapes import Schema, Shapes

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_DEFS: Final = "#/$defs/"


def message_schema(*, closed: bool) -> Schema:
    """`ServerMessage` is the root, `ClientMessage` is among the definitions.

    `closed`: a field that is not described is refused. For who tests what a server says; a client must ignore it.
    """
    return {
        "$schema": DIALECT,
        "title": "ServerMessage",
        "description": "What a kstream server says. What a client may say is #/$defs/ClientMessage.",
        "$ref": f"{_DEFS}ServerMessage",
        "$defs": message_defs(Shapes(UNIONS, refs=_DEFS, closed=closed), closed=closed, refs=_DEFS),
    }


def message_defs(shapes: Shapes, *, refs: str, closed: bool) -> dict[str, Schema]:
    """Those of the server, which `shapes` holds, and those of the client; the order is that of the protocol page."""
    return shapes.defs | said_by_clients(refs=refs, closed=closed)


def said_by_clients(*, refs: str, closed: bool) -> dict[str, Schema]:
    """By name, with their union."""
    made = TypeAdapter(ClientMessage).json_schema(ref_template=f"{refs}{{model}}")
    defs: dict[str, Schema] = {name: _plain(schema) for name, schema in made["$defs"].items()}
    if closed:
        for schema in defs.values():
            schema["additionalProperties"] = False
    return defs | {"ClientMessage": {"anyOf": made["anyOf"]}}


def _plain(schema: Any) -> Any:
    """As pydantic says it, without what it says of Python."""
    if isinstance(schema, list):
        return [_plain(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: each for name, each in schema.items() if name not in ("title", "default")}
    if "properties" in found:
        found["properties"] = {name: _plain(each) for name, each in schema["properties"].items()}
    if "description" in found:
        found["description"] = found["description"].partition("\n\n")[0].replace("\n", " ")
    return {name: each if name == "properties" else _plain(each) for name, each in found.items()}
