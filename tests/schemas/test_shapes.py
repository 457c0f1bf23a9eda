"""JSON Schema of the types in the code: each form that a field may have."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import UNSET, Meta, UnsetType

from kstream.schemas.shapes import Schema, Shapes


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Inner(msgspec.Struct):
    """What is within."""

    n: int


class Outer(msgspec.Struct, tag_field="type", tag="outer"):
    """Two lines
    say nothing of it."""

    inner: Inner
    from_: str = msgspec.field(name="from")
    left_out: int | UnsetType = UNSET


class Left(msgspec.Struct, tag_field="type", tag="left"):
    x: int


class Right(msgspec.Struct, tag_field="type", tag="right"):
    many: list[Left | Outer]


def shapes(*, closed: bool = False, **unions: Any) -> Shapes:
    return Shapes(unions, refs="#/$defs/", closed=closed)


@pytest.mark.parametrize(
    ("kind", "schema"),
    [
        (str, {"type": "string"}),
        (float, {"type": "number"}),
        (bool, {"type": "boolean"}),
        (Any, {}),
        (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
        (Literal["a"], {"type": "string", "const": "a"}),
        (str | None, {"type": ["string", "null"]}),
        (str | UnsetType, {"type": "string"}),
        (float | Literal["max"], {"anyOf": [{"type": "number"}, {"type": "string", "const": "max"}]}),
        (list[int], {"type": "array", "items": {"type": "integer"}}),
        (Mapping[str, str], {"type": "object", "additionalProperties": {"type": "string"}}),
        (Annotated[int, Meta(ge=0)], {"type": "integer", "minimum": 0}),
        (Annotated[str, Meta(description="Why.")], {"type": "string", "description": "Why."}),
        (Annotated[str, Meta(extra_json_schema={"format": "date"})], {"type": "string", "format": "date"}),
        (Annotated[str, "for people"], {"type": "string"}),
    ],
)
def test_a_type_is_described(kind: Any, schema: Schema) -> None:
    assert shapes().of(kind) == schema


def test_what_has_a_name_is_described_once_and_referred_to() -> None:
    made = shapes()
    assert made.of(Outer) == made.of(Outer) == {"$ref": "#/$defs/Outer"}
    assert made.of(Colour) == {"$ref": "#/$defs/Colour"}
    assert made.defs == {
        "Outer": {
            "type": "object",
            "properties": {
                "type": {"type": "string", "const": "outer"},
                "inner": {"$ref": "#/$defs/Inner"},
                "from": {"type": "string"},
                "left_out": {"type": "integer"},
            },
            "required": ["type", "inner", "from"],
        },
        "Inner": {
            "type": "object",
            "description": "What is within.",
            "properties": {"n": {"type": "integer"}},
            "required": ["n"],
        },
        "Colour": {"type": "string", "enum": ["red", "blue"]},
    }


def test_a_closed_schema_refuses_other_fields() -> None:
    made = shapes(closed=True)
    made.all_of([Inner, Left])
    assert [each["additionalProperties"] for each in made.defs.values()] == [False, False]


def test_a_union_goes_by_its_name_also_within_another() -> None:
    made = shapes(Some=Left | Outer, All=Left | Outer | Right)
    assert made.defs["All"] == {"anyOf": [{"$ref": "#/$defs/Some"}, {"$ref": "#/$defs/Right"}]}
    assert made.defs["Right"]["properties"]["many"]["items"] == {"$ref": "#/$defs/Some"}


def test_what_has_no_form_in_json_is_an_error() -> None:
    with pytest.raises(TypeError, match="has no form in JSON"):
        shapes().of(set[int])
