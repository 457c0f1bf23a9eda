"""What is wrong with a value is said in words of whoever wrote it, not of the library that looked."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from kstream.core.wording import foremost, worded


class Cat(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: Literal["cat"] = "cat"
    name: str = Field(default="", max_length=8)
    lives: int = Field(default=9, gt=0, le=9)
    weight: float = Field(default=4.0, ge=1, lt=20, allow_inf_nan=False)
    tame: bool = True
    toys: list[str] = Field(default=[], max_length=2)
    home: dict[str, str] = {}
    mood: Literal["good", "bad"] = "good"
    owner: str = Field(default="ann", pattern="[a-z]+")

    @field_validator("name")
    @classmethod
    def _named(cls, name: str) -> str:
        if name == "dog":
            raise ValueError("a cat is no dog")
        return name


class Fish(BaseModel):
    kind: Literal["fish"]
    water: str


PETS: TypeAdapter[Any] = TypeAdapter(Annotated[Cat | Fish, Field(discriminator="kind")])


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"legs": 4}, "there is no such key; there are kind, name"),
        ({"kind": "fish"}, "this key is missing"),
        ({"kind": "bird"}, "there is no 'bird'; there are cat, fish"),
        ({"kind": None}, "there is no 'None'; there are cat, fish"),
        ({}, "kind is missing, which says what it is"),
        (7, "must be a mapping of keys to values, not 7"),
        ([], "must be a mapping of keys to values"),
        ({"lives": "many"}, "must be a whole number, not 'many'"),
        ({"lives": 1.5}, "must be a whole number, not 1.5"),
        ({"lives": 0}, "must be more than 0, not 0"),
        ({"lives": 10}, "must be at most 9, not 10"),
        ({"weight": "much"}, "must be a number, not 'much'"),
        ({"weight": 0.5}, "must be at least 1.0, not 0.5"),
        ({"weight": 20}, "must be less than 20.0, not 20"),
        ({"weight": float("inf")}, "must be a finite number, not inf"),
        ({"tame": "perhaps"}, "must be true or false, not 'perhaps'"),
        ({"name": 7}, "must be a text, not 7"),
        ({"name": "long enough"}, "must have at most 8 characters"),
        ({"name": "dog"}, "a cat is no dog"),
        ({"toys": "mouse"}, "must be a list, not 'mouse'"),
        ({"toys": ["a", "b", "c"]}, "must have at most 2 items"),
        ({"home": []}, "must be a mapping of keys to values"),
        ({"mood": "so"}, "must be 'good' or 'bad', not 'so'"),
        ({"owner": "7"}, "String should match pattern '[a-z]+'"),
        ({"name": "x" * 100_000, "lives": "y" * 100_000}, "must have at most 8 characters"),
    ],
)
def test_what_is_wrong_is_said_with_what_it_must_be(value: Any, said: str) -> None:
    if isinstance(value, dict) and value and "kind" not in value:
        value = {"kind": "cat", **value}
    with pytest.raises(ValidationError) as refused:
        PETS.validate_python(value)
    assert worded(refused.value.errors()[0], known=("kind", "name")) == said


def test_a_value_that_is_nobodys_affair_is_not_quoted() -> None:
    with pytest.raises(ValidationError) as refused:
        Cat(lives="secret")  # type: ignore[arg-type]
    assert worded(refused.value.errors(include_input=False)[0]) == "must be a whole number"


def test_keys_are_not_listed_where_they_are_not_known() -> None:
    with pytest.raises(ValidationError) as refused:
        Cat(legs=4)  # type: ignore[call-arg]
    assert worded(refused.value.errors()[0]) == "there is no such key"


def test_what_is_long_is_cut() -> None:
    problem = {"type": "value_error", "msg": "Value error, " + "x" * 1000}
    assert worded(problem) == "x" * 500
    problem = {"type": "int_parsing", "msg": "", "input": "y" * 1000}
    assert len(worded(problem)) < 100


def test_a_key_that_there_is_not_is_told_before_the_one_that_is_missing_for_it() -> None:
    missing, unknown = {"type": "missing"}, {"type": "extra_forbidden"}
    assert foremost([missing, unknown]) is unknown
    assert foremost([missing, {"type": "int_type"}]) is missing
