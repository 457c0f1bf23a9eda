"""What changed, by path."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kstream.core.timeline.difference import Difference, differences


def found(before: Any, after: Any) -> list[tuple[str, Any, Any]]:
    return [tuple(each) for each in differences(json.dumps(before).encode(), json.dumps(after).encode())]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, [("a", 1, 2)]),
        ({"a": 1}, {"a": True}, [("a", 1, True)]),
        ({"a": 1, "b": 2}, {"b": 2, "c": 3}, [("a", 1, None), ("c", None, 3)]),
        ({"a": {"b": {"c": 1}}}, {"a": {"b": {"c": 2}}}, [("a.b.c", 1, 2)]),
        ({"a": {"b": 1}}, {"a": 5}, [("a", {"b": 1}, 5)]),
        ({"l": [1, 2, 3]}, {"l": [1, 5]}, [("l[1]", 2, 5), ("l[2]", 3, None)]),
        ({"l": []}, {"l": [1]}, [("l[0]", None, 1)]),
        (
            {"c": [{"name": "web", "n": 0}, {"name": "log"}]},
            {"c": [{"name": "log"}, {"name": "web", "n": 1}]},
            [("c[web].n", 0, 1)],
        ),
        (
            {"c": [{"type": "Ready", "s": "True"}]},
            {"c": [{"type": "Ready", "s": "False"}]},
            [("c[Ready].s", "True", "False")],
        ),
        (
            {"c": [{"name": "a"}]},
            {"c": [{"name": "b"}]},
            [("c[a]", {"name": "a"}, None), ("c[b]", None, {"name": "b"})],
        ),
        (
            {"c": [{"name": "a", "v": 1}, {"name": "a", "v": 2}]},
            {"c": [{"name": "a", "v": 3}]},
            [("c[0].v", 1, 3), ("c[1]", {"name": "a", "v": 2}, None)],
        ),
    ],
)
def test_each_change_has_its_path(before: Any, after: Any, expected: list[Any]) -> None:
    assert found(before, after) == expected


def test_of_what_comes_and_what_goes_each_field_is_told() -> None:
    body = b'{"name":"p","status":"Running"}'
    assert differences(b"", body) == [Difference("name", None, "p"), Difference("status", None, "Running")]
    assert differences(body, b"") == [Difference("name", "p", None), Difference("status", "Running", None)]


def test_it_can_be_read() -> None:
    assert str(Difference("status", "Running", "CrashLoopBackOff")) == "status: Running → CrashLoopBackOff"
    assert str(Difference("containers[web].ready", True, None)) == "containers[web].ready: true → nothing"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["a", "b"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "type", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from("abc"), VALUES), st.dictionaries(st.sampled_from("abc"), VALUES))
def test_there_is_a_difference_where_they_differ_and_none_where_they_do_not(before: Any, after: Any) -> None:
    changes = found(before, after)
    if json.dumps(before, sort_keys=True) == json.dumps(after, sort_keys=True):
        assert changes == []
    turned = [(path, now, then) for path, then, now in found(after, before)]
    assert sorted(map(repr, turned)) == sorted(map(repr, changes))
