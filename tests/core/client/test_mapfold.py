"""The fold of a map (PROTOCOL 33); that it is what there is, tests/delivery/test_maps.py holds against a server."""

from __future__ import annotations

from typing import Any

import pytest

from kstream.core.client.mapfold import MapFold, thin
from kstream.core.errors import InvalidMessageError

COLUMNS: dict[str, Any] = {
    "groups": [{"namespace": "a", "prefix": "web-", "owner": None}],
    "nodeNames": ["n1", None],
    "standings": [{"phase": "Running", "status": "Running", "ready": 1, "containers": 1, "restarts": 0}],
    "number": [4, 3],
    "group": [0, 0],
    "node": [1, -1],
    "standing": [0, 0],
}


def begun() -> MapFold:
    fold = MapFold()
    fold.begin({"type": "map_state", "numbers": "n", "data": {"pods": COLUMNS}})
    return fold


def test_steps_are_added_up_and_names_come_behind() -> None:
    fold = begun()
    assert [(pod["uid"], pod["name"], pod["nodeName"]) for pod in fold.pods.values()] == [
        ("#4", "web-", None),
        ("#7", "web-", "n1"),
    ]
    fold.name({"start": 1, "names": "y", "seq": 3})
    fold.name({"start": 0, "names": "x"})
    assert [pod["name"] for pod in fold.pods.values()] == ["web-", "web-y"], "with the seq all have come"


def test_one_that_is_looked_at_is_kept_whole_until_it_goes_or_others_are() -> None:
    fold = begun()
    whole = {"name": "web-x", "namespace": "a", "containers": [{"ready": True, "restartCount": 2}, 7]}
    fold.look({"pods": [{"number": 4, "data": whole}], "gone": [7, 8]})
    assert fold.looked == {4: whole}
    assert fold.pods == {4: thin(whole, 4)}
    assert (fold.pods[4]["ready"], fold.pods[4]["containers"], fold.pods[4]["restarts"]) == (1, 1, 2)
    before, now = fold.change({"type": "pod_event", "action": "MODIFIED", "number": 4, "data": {"name": "z"}})
    assert before == thin(whole, 4)
    assert now == fold.pods[4]
    assert fold.looked[4] == {"name": "z"}
    assert fold.change({"type": "pod_event", "action": "RENAMED", "number": 4, "data": {}}) == (now, now)
    assert fold.change({"type": "map_event", "action": "DELETED", "data": {"number": 4}}) == (now, None)
    assert (fold.pods, fold.looked) == ({}, {})


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ("begin", {"data": {"pods": COLUMNS}}),
        ("begin", {"numbers": "n"}),
        ("begin", {"numbers": "n", "data": {"pods": {**COLUMNS, "node": [1]}}}),
        ("more", {**COLUMNS, "group": [0, 9]}),
        ("more", None),
        ("name", {"start": True, "names": "a"}),
        ("name", {"start": 0}),
        ("change", {"type": "map_event", "action": "ADDED", "data": {}}),
        ("change", {"type": "map_event", "action": "ADDED"}),
        ("change", {"type": "pod_event", "action": "ADDED", "number": 3}),
        ("look", {"pods": []}),
        ("look", {"pods": [7], "gone": []}),
    ],
)
def test_what_is_not_of_the_shape_is_refused(method: str, message: Any) -> None:
    with pytest.raises(InvalidMessageError):
        getattr(begun(), method)(message)


def test_what_a_map_shows_changes_thin() -> None:
    fold = begun()
    before, now = fold.change(
        {"type": "map_event", "action": "MODIFIED", "data": {"number": 4, "name": "web-z"}}
    )
    assert before is not None
    assert now == {"uid": "#4", "number": 4, "name": "web-z"} == fold.pods[4]
    assert fold.looked == {}
