"""JSON Schema (2020-12) of the types in the code: what is encoded is what is described."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

import msgspec
from msgspec import Meta, UnsetType

Schema = dict[str, Any]

_SIMPLE: Final[Mapping[object, str]] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    NoneType: "null",
}


class Shapes:
    """The schemas by their names, each type that is met once; `refs` is where a name is found: `#/$defs/`.

    `closed`: a field that is not described is refused. Otherwise it is to be ignored, as clients must.
    """

    def __init__(self, unions: Mapping[str, Any] | None = None, *, refs: str, closed: bool) -> None:
        """`unions` are known by name: they are described once, and referred to."""
        self._refs = refs
        self._closed = closed
        self._named = {frozenset(get_args(union)): name for name, union in (unions or {}).items()}
        self.defs: dict[str, Schema] = {}
        for name, union in (unions or {}).items():
            self.defs[name] = {"anyOf": [self.of(member) for member in self._folded(union, name)]}

    def of(self, kind: Any) -> Schema:
        """What describes a type: by reference where it has a name. Raises TypeError for one that JSON has not."""
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            return self._struct(kind)
        if isinstance(kind, type) and issubclass(kind, Enum):
            self.defs[kind.__name__] = {"type": "string", "enum": [each.value for each in kind]}
            return self._ref(kind.__name__)
        if kind is Any:
            return {}
        if kind in _SIMPLE:
            return {"type": _SIMPLE[kind]}
        return self._composed(kind)

    def all_of(self, kinds: Iterable[type]) -> None:
        for kind in kinds:
            self.of(kind)

    def _composed(self, kind: Any) -> Schema:
        origin, arguments = get_origin(kind), get_args(kind)
        if origin is Annotated:
            return self._annotated(arguments[0], arguments[1:])
        if origin is Literal:
            values = list(arguments)
            return (
                {"type": "string", "const": values[0]}
                if len(values) == 1
                else {"type": "string", "enum": values}
            )
        if origin in (Union, UnionType):
            return self._union(kind)
        if origin is list:
            return {"type": "array", "items": self.of(arguments[0])}
        if origin is Mapping:
            return {"type": "object", "additionalProperties": self.of(arguments[1])}
        raise TypeError(f"{kind!r} has no form in JSON")

    def _annotated(self, kind: Any, metas: Iterable[Any]) -> Schema:
        schema = dict(self.of(kind))
        for meta in metas:
            if not isinstance(meta, Meta):
                continue
            if meta.ge is not None:
                schema["minimum"] = meta.ge
            schema |= meta.extra_json_schema or {}
            if meta.description is not None:
                schema["description"] = meta.description
        return schema

    def _union(self, kind: Any) -> Schema:
        if (name := self._named.get(frozenset(get_args(kind)))) is not None:
            return self._ref(name)
        members = [self.of(member) for member in get_args(kind) if member is not UnsetType]
        if len(members) == 1:
            return members[0]
        if all(set(member) == {"type"} for member in members):
            return {"type": [member["type"] for member in members]}
        return {"anyOf": members}

    def _folded(self, union: Any, name: str) -> list[Any]:
        """Its members; those that make up another named union by that."""
        members = list(get_args(union))
        for inner, other in self._named.items():
            if other != name and inner < set(members) and other in self.defs:
                place = min(members.index(each) for each in inner)
                members = [each for each in members if each not in inner]
                members.insert(place, Union[tuple(inner)])  # noqa: UP007 - of what is only known here
        return members

    def _struct(self, kind: type[msgspec.Struct]) -> Schema:
        name = kind.__name__
        if name in self.defs:
            return self._ref(name)
        schema = self.defs[name] = {"type": "object"}
        if kind.__doc__ and "\n" not in kind.__doc__:
            schema["description"] = kind.__doc__
        properties: dict[str, Schema] = {}
        required: list[str] = []
        config = kind.__struct_config__
        if config.tag_field is not None:
            properties[config.tag_field] = {"type": "string", "const": config.tag}
            required.append(config.tag_field)
        for field in msgspec.structs.fields(kind):
            properties[field.encode_name] = self.of(field.type)
            if field.required:
                required.append(field.encode_name)
        schema |= {"properties": properties, "required": required}
        if self._closed:
            schema["additionalProperties"] = False
        return self._ref(name)

    def _ref(self, name: str) -> Schema:
        return {"$ref": f"{self._refs}{name}"}
