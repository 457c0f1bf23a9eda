"""What makes one version of the one before it: whatever they are."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kstream.core.timeline.edits import edits

KEYS = st.sampled_from(["name", "status", "labels", "__proto__"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from(["", "a", 0.5]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


def edited(value: Any, made: list[Any]) -> Any:
    """As the page does it (web/static/columns.js)."""
    whole = {"": copy.deepcopy(value)}
    for path, wanted in made:
        steps: list[Any] = ["", *path]
        inside: Any = whole
        for step in steps[:-1]:
            inside = inside[step]
        inside[steps[-1]] = wanted
    return whole[""]


@settings(max_examples=60)
@given(JSON, JSON)
def test_the_edits_make_the_second_of_the_first_in_the_same_order(before: Any, after: Any) -> None:
    made = json.loads(json.dumps(edits(before, after)))
    assert json.dumps(edited(before, made)) == json.dumps(after)


@settings(max_examples=20)
@given(JSON)
def test_what_is_the_same_has_none(value: Any) -> None:
    assert edits(value, copy.deepcopy(value)) == []


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": 1}, {"a": 2}, [(("a",), 2)]),
        ({"a": 1}, {"a": True}, [(("a",), True)]),
        ({"a": [{"b": 1, "c": 2}]}, {"a": [{"b": 1, "c": 3}]}, [(("a", 0, "c"), 3)]),
        ({"a": [1]}, {"a": [1, 2]}, [(("a",), [1, 2])]),
        ({"l": {"a": 1}, "z": 1}, {"l": {"a": 1, "b": 2}, "z": 1}, [(("l",), {"a": 1, "b": 2})]),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, [((), {"b": 2, "a": 1})]),
    ],
)
def test_no_more_is_replaced_than_differs(before: Any, after: Any, expected: list[Any]) -> None:
    assert edits(before, after) == expected
