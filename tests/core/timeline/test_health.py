from __future__ import annotations

import json

import pytest

from kstream.core.timeline.health import (
    Cleared,
    ClusterInfo,
    ErrorCode,
    Fault,
    Health,
    Identified,
    Lost,
    Report,
    Synced,
    report_as_json,
    report_of_json,
)

REPORTS: list[Report] = [
    Identified(ClusterInfo("kind", "v1.36.0", "uid")),
    Fault(ErrorCode.PERMISSION_DENIED, "no", "Missing 'list'", "list pods"),
    Cleared("list pods"),
    Lost(),
    Synced(),
]


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: type(report).__name__)
def test_a_report_survives_the_way_to_another_process(report: Report) -> None:
    again = report_of_json(json.loads(json.dumps(report_as_json(report))))
    assert (type(again), again) == (type(report), report)


def test_what_is_no_report_is_refused() -> None:
    with pytest.raises(ValueError, match="Nonsense"):
        report_of_json(["Nonsense"])


def test_saying_the_same_again_says_nothing_new() -> None:
    health = Health()
    assert [health.apply(report) for report in [*REPORTS[:2], *REPORTS[:2]]] == [True, True, False, False]
    assert [health.apply(report) for report in [*REPORTS[2:], *REPORTS[2:4]]] == [
        True,
        True,
        True,
        False,
        True,
    ]


def test_a_watch_error_is_a_moment_and_not_kept() -> None:
    health = Health()
    fault = Fault(ErrorCode.WATCH_ERROR, "a watch ended")
    assert health.apply(fault)
    assert health.apply(fault)
    assert health.faults == {}


@pytest.mark.parametrize("stale", [False, True])
def test_retold_reports_make_the_same_true_for_another(stale: bool) -> None:
    one, other = Health(), Health()
    for report in [*REPORTS[:2], Synced(), *([Lost()] if stale else [])]:
        one.apply(report)
    for report in one.retold():
        other.apply(report)
    assert other == one
