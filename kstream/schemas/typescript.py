"""The messages as TypeScript, made of their JSON Schema: the first part of kstream.d.ts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from kstream.schemas.messages import message_schema
from kstream.schemas.shapes import Schema

_SIMPLE: Final = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "null": "null",
}
_WIDTH: Final = 120


def typescript() -> str:
    """Declarations, with a newline at the end."""
    defs = message_schema(closed=False)["$defs"]
    return "\n".join(_declared(name, schema) for name, schema in defs.items())


def _declared(name: str, schema: Schema) -> str:
    said = _said(schema, "")
    if "properties" not in schema:
        return f"{said}export type {name} = {_type(schema)};\n".replace(" = \n", " =\n")
    lines = "".join(_fields(schema))
    return f"{said}export interface {name} {{\n{lines}}}\n"


def _fields(schema: Schema) -> Iterator[str]:
    for name, field in schema["properties"].items():
        mark = "" if name in schema.get("required", ()) else "?"
        yield f"{_said(field, '  ')}  {name}{mark}: {_type(field)};\n"


def _said(schema: Schema, indent: str) -> str:
    text = schema.get("description")
    if not text:
        return ""
    return f"{indent}/** {text} */\n"


def _type(schema: Schema) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " | ".join(map(json.dumps, schema["enum"]))
    if "anyOf" in schema:
        return _union([_type(member) for member in schema["anyOf"]])
    kind = schema["type"]
    if isinstance(kind, list):
        return " | ".join(_SIMPLE[each] for each in kind)
    if kind == "array":
        inner = _type(schema["items"])
        return f"({inner})[]" if " | " in inner else f"{inner}[]"
    if kind == "object":
        return f"Record<string, {_type(schema['additionalProperties'])}>"
    return _SIMPLE[kind]


def _union(members: list[str]) -> str:
    line = " | ".join(members)
    return line if len(line) < _WIDTH - 40 else "".join(f"\n  | {each}" for each in members)
