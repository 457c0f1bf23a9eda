from __future__ import annotations

from typing import Any

from loadtest.verdict import THRESHOLDS, VIEWED, Threshold, judge

EVENT = [Threshold("event", "50%", 250, 100)]


def row(kind: str, name: str, **fields: Any) -> dict[str, str]:
    known = {"Type": kind, "Name": name, "Request Count": "500", "Failure Count": "0", "50%": "20"}
    return known | {key.replace("_", " "): str(value) for key, value in fields.items()}


def test_a_run_within_its_thresholds_is_good() -> None:
    assert all(line.good for line in judge([row("Normal", "event"), row("", "Aggregated")], EVENT))


def test_a_slow_run_is_not_but_those_who_chose_to_be_late_do_not_count() -> None:
    late = {"50%": "900"}
    assert [line.good for line in judge([row("Normal", "event") | late], EVENT)] == [False]
    assert [
        line.good for line in judge([row("Normal", "event"), row("SlowReader", "event") | late], EVENT)
    ] == [True]


def test_a_run_that_measured_nothing_is_not_good() -> None:
    assert [line.good for line in judge([], EVENT)] == [False]


def test_one_failure_of_anything_is_too_many() -> None:
    lines = judge([row("Normal", "event"), row("Herd", "same state", Failure_Count=1)], EVENT)
    assert [line.text for line in lines if not line.good] == ["Herd same state: 1 of 500 failed"]


def test_viewers_who_did_nothing_or_compared_nothing_are_no_test_of_rewinding() -> None:
    live = [
        row("Normal", name, **{"99%": 50}) for name in ("connect", "state", "event", "ping", "same state")
    ]
    assert all(line.good for line in judge(live, THRESHOLDS))
    missed = [line.text.split(":")[0] for line in judge(live, THRESHOLDS + VIEWED) if not line.good]
    assert missed == [threshold.name for threshold in VIEWED]


def test_what_live_clients_see_beside_viewers_is_that_of_those_who_read() -> None:
    beside = [threshold for threshold in VIEWED if threshold.name.startswith("event")]
    rows = [row("Normal", "event, beside"), row("SlowReader", "event, beside") | {"50%": "9000"}]
    assert [line.good for line in judge(rows, beside)] == [True]
