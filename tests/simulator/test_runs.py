"""Which run a log is of, and what was done to it: what the log says is doubted, and told so that it can be read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kstream.core.errors import LogMismatchError
from simulator import runs
from simulator.cluster import bounds
from simulator.runs import ACTION, POSITION, RUN

KILL = {"do": "kill-node", "target": "node-1"}
MINE = json.dumps({"scenario": "tour", "digest": "d", "seed": 1, "start": "2025-01-24T10:00:00.000Z"})
START = 1_737_712_800.0


def log(*actions: Any, **run: Any) -> dict[str, str]:
    versions = {RUN: json.dumps(json.loads(MINE) | run)}
    return versions | {f"{ACTION}{number}": json.dumps(each) for number, each in enumerate(actions, 1)}


def check(versions: dict[str, str], *, empty: bool = False, adopt_start: bool = False) -> None:
    runs.check(versions, MINE, empty=empty, adopt_start=adopt_start)


def test_a_log_of_the_same_run_is_gone_on_with() -> None:
    versions = log({"elapsed": 0, "action": KILL}, {"elapsed": 7, "action": KILL}) | {POSITION: "17"}
    check(versions)
    assert runs.start_of(versions) == START
    assert runs.position(versions) == 17
    assert [(elapsed, action.do) for elapsed, action in runs.actions(versions)] == [
        (0, "kill-node"),
        (7, "kill-node"),
    ]
    assert runs.position(log()) == 0
    assert runs.actions(log()) == []


def test_an_empty_log_is_of_any_run_and_one_with_events_of_a_cluster_is_of_none() -> None:
    check({}, empty=True)
    with pytest.raises(LogMismatchError, match="The log is not of a simulation"):
        check({"pods": "17"})


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("scenario", "small", "its scenario is small, not tour. Give the same --scenario,"),
        ("seed", 2, "its seed is 2, not 1. Give the same --seed,"),
        ("digest", None, "its digest is None, not d. Give the same the scenario's content"),
        (
            "scenario",
            "half \ud800\x1b[2J\u202e",
            "its scenario is half \\\\ud800\\\\u001b\\[2J\\\\u202e, not tour.",
        ),
        ("scenario", "x" * 5_000, f"its scenario is {'x' * 100}, not tour."),
    ],
)
def test_a_log_of_another_run_is_refused_with_what_is_another(key: str, value: object, said: str) -> None:
    with pytest.raises(LogMismatchError, match=said) as refused:
        check(log(**{key: value}))
    str(refused.value).encode()


def test_another_start_is_that_of_the_log_where_none_was_given() -> None:
    versions = log(start="2025-01-24T11:00:00.000Z")
    with pytest.raises(LogMismatchError, match=r"its start is 2025-01-24T11:00:00\.000Z, not 2025-01-24T10"):
        check(versions)
    check(versions, adopt_start=True)
    assert runs.start_of(versions) == START + 3600


@pytest.mark.parametrize("start", [None, 7, "soon", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "\ud800"])
def test_a_start_that_is_no_moment_of_a_simulation_is_refused(start: object) -> None:
    with pytest.raises(LogMismatchError, match="its simulation-run is nothing that this version") as refused:
        check(log(start=start), adopt_start=True)
    str(refused.value).encode()


@pytest.mark.parametrize("text", ["-1", "1.5", "", "\u0663", "9" * 16])
def test_a_position_that_is_no_number_of_changes_is_refused(text: str) -> None:
    with pytest.raises(LogMismatchError, match="is no number of changes"):
        check(log() | {POSITION: text})


@pytest.mark.parametrize("text", ["", "[]", "[" * 100_000, "{"])
def test_what_is_no_json_object_is_refused(text: str) -> None:
    with pytest.raises(LogMismatchError, match="it is no JSON object"):
        check({RUN: text})
    with pytest.raises(LogMismatchError, match="it is no JSON object"):
        check(log() | {f"{ACTION}1": text})


@pytest.mark.parametrize("elapsed", [None, True, 6, -1, 7.0, bounds.LIFE * 1000 + 1])
def test_an_action_happens_after_the_one_before(elapsed: object) -> None:
    with pytest.raises(LogMismatchError, match="is no moment after the action before"):
        check(log({"elapsed": 7, "action": KILL}, {"elapsed": elapsed, "action": KILL}))


def test_a_moment_is_a_number() -> None:
    with pytest.raises(LogMismatchError, match="elapsed: True is no moment"):
        check(log({"elapsed": True, "action": KILL}))


def test_what_is_no_action_is_refused_and_there_are_only_so_many() -> None:
    with pytest.raises(LogMismatchError, match="its simulation-action-1 is nothing"):
        check(log({"elapsed": 0, "action": {"do": "explode"}}))
    many = [{"elapsed": 0, "action": KILL}] * bounds.INJECTED
    check(log(*many))
    with pytest.raises(LogMismatchError, match=f"{bounds.INJECTED} actions is the most"):
        check(log(*many, many[0]))


def test_a_run_is_told_by_all_that_makes_it() -> None:
    assert runs.stamp(START + 0.0625) == "2025-01-24T10:00:00.062Z"
