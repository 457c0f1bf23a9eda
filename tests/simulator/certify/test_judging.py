"""What a fold says is held against what it must be, object by object."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.certify.history import History
from simulator.certify.judging import Expected, differences


def cluster() -> Expected:
    history = History()
    history.add("pod", "web", "a")
    return Expected(view=history.view(frozenset()), seq=4, stale=False, may_be_empty=False, faults=("log",))


def fold_of(expected: Expected, **more: Any) -> dict[str, Any]:
    return {**{kind: list(held.values()) for kind, held in expected.view.items()}, **more}


def without(fold: dict[str, Any], kind: str, field: str) -> dict[str, Any]:
    return {**fold, kind: [{k: v for k, v in each.items() if k != field} for each in fold[kind]]}


def test_a_fold_that_is_right_differs_in_nothing() -> None:
    expected = cluster()
    told = {
        "seq": 4,
        "stale": False,
        "faults": ["log"],
        "podCounts": {"a": 1, "b": 0},
        "error": None,
        "asOf": None,
    }
    assert differences(fold_of(expected, **told, metrics=None), expected) == []
    assert differences(without(fold_of(expected), "pods", "labels"), expected) == []


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"pods": []}, "pods: web (web-6) is missing"),
        ({"pods": "none"}, "pods: must be a list of objects, not 'none'"),
        ({"nodes": [1]}, "nodes: must be a list of objects, not [1]"),
        ({"seq": 3}, "seq: expected 4, it has 3"),
        ({"stale": True}, "stale: expected False, it has True"),
        ({"stale": 0}, "stale: expected False, it has 0"),
        ({"podCounts": {"a": 2}}, "podCounts: expected {'a': 1, 'b': 0}, it has {'a': 2, 'b': 0}"),
        ({"podCounts": 1}, "podCounts: expected {'a': 1, 'b': 0}, it has {'a': 0, 'b': 0}"),
        ({"error": "down"}, "error: expected nothing: it is too early, or over, it has 'down'"),
        ({"faults": []}, "faults: expected ['log'], it has []"),
        ({"faults": None}, "faults: expected ['log'], it has ['None']"),
        ({"asOf": "now"}, "asOf: expected None, it has 'now'"),
        ({"metrics": {}}, "metrics: expected None, it has {}"),
    ],
)
def test_what_differs_is_named(more: dict[str, Any], said: str) -> None:
    expected = cluster()
    assert differences(fold_of(expected, **more), expected) == [said]


def test_fields_that_are_missing_or_other_ones_are_named() -> None:
    expected = cluster()
    fold = fold_of(expected)
    assert differences(without(fold, "pods", "phase"), expected) == ["pods: web (web-6) has no phase"]
    fold["pods"] = [
        {**fold["pods"][0], "phase": "Failed", "mine": 1},
        {"uid": "ghost", "name": "\u202eghost"},
    ]
    assert differences(fold, expected) == [
        "pods: web (web-6): phase is 'Failed', sent was 'Pending'",
        "pods: web (web-6): mine is 1, sent was nothing",
        "pods: '\\u202eghost' (ghost) is held, and is not there",
    ]
    fold["pods"] = fold_of(expected)["pods"] * 2
    assert differences(fold, expected) == ["pods: 1 of them are there twice, or have no uid"]


def test_what_is_stale_may_be_cleared_and_the_user_has_to_be_told() -> None:
    expected = cluster()
    expected.may_be_empty = True
    assert differences({"nodes": [], "pods": [], "namespaces": []}, expected) == []
    expected.error_shown = True
    assert differences(fold_of(expected, error=None), expected) == [
        "error: expected what the user is told, it has None"
    ]


def test_differences_are_bounded() -> None:
    pods = [{"uid": str(n), "name": "x" * 10_000} for n in range(100)]
    found = differences(fold_of(cluster(), pods=pods), cluster())
    assert len(found) == 13
    assert found[-1] == "… and 89 more"
    assert max(map(len, found)) < 300
