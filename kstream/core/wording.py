"""What pydantic finds wrong with a value, in words for whoever wrote it: what it must be, and what it is.

pydantic speaks to the programmer of its types: of tags, inputs, unions and models.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

_LONGEST: Final = 500  # characters
_SHOWN: Final = 60  # characters of a value

_MUST_BE: Final = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a smaller number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
}
_BOUNDS: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "greater_than": lambda given: f"more than {given['gt']}",
    "greater_than_equal": lambda given: f"at least {given['ge']}",
    "less_than": lambda given: f"less than {given['lt']}",
    "less_than_equal": lambda given: f"at most {given['le']}",
}


def foremost(problems: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The one to tell: a key that there is not is why another one is missing."""
    return next((each for each in problems if each["type"] == "extra_forbidden"), problems[0])


def worded(problem: Mapping[str, Any], *, known: Iterable[str] = ()) -> str:
    """One of `ValidationError.errors()`, to stand behind the name of the place; `known`: what could be there instead.

    The value is quoted where the problem has it (`include_input`) and it is no more than a text or a number.
    """
    kind, given = problem["type"], problem.get("ctx", {})
    if kind == "extra_forbidden":
        names = ", ".join(known)
        return f"there is no such key{f'; there are {names}' if names else ''}"
    if kind == "missing":
        return "this key is missing"
    if kind == "union_tag_not_found":
        return f"{given['discriminator'].strip(chr(39))} is missing, which says what it is"
    if kind == "union_tag_invalid":
        return (
            f"there is no {given['tag']!r:.{_SHOWN}}; there are {given['expected_tags'].replace(chr(39), '')}"
        )
    if kind == "literal_error":
        return f"must be {given['expected']}{_but(problem)}"
    if kind in _MUST_BE:
        return f"must be {_MUST_BE[kind]}{_but(problem)}"
    if kind in _BOUNDS:
        return f"must be {_BOUNDS[kind](given)}{_but(problem)}"
    if kind == "string_too_long":
        return f"must have at most {given['max_length']} characters"
    if kind == "too_long":
        return f"must have at most {given['max_length']} items"
    text = str(problem["msg"]).removeprefix("Value error, ").replace("Input should be", "must be")
    return text[:_LONGEST]


def _but(problem: Mapping[str, Any]) -> str:
    value = problem.get("input")
    return f", not {value!r:.{_SHOWN}}" if isinstance(value, str | int | float) else ""
