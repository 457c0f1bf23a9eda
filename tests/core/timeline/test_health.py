"""The fold of what a source says about itself."""

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

KIND = Identified(ClusterInfo("kind", "v1.36.0", "uid"))
DENIED = Fault(ErrorCode.PERMISSION_DENIED, "no", "Missing 'list'", "list pods")
REPORTS: list[Report] = [KIND, DENIED, Cleared("list pods"), Lost(), Synced()]


def after(*reports: Report) -> Health:
    health = Health()
    for report in reports:
        health.apply(report)
    return health


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: type(report).__name__)
def test_a_report_survives_the_way_to_another_process(report: Report) -> None:
    again = report_of_json(json.loads(json.dumps(report_as_json(report))))
    assert (type(again), again) == (type(report), report)


def test_a_report_that_came_from_another_process_has_the_types_of_one_that_did_not() -> None:
    fault = report_of_json(json.loads(json.dumps(report_as_json(DENIED))))
    assert isinstance(fault, Fault)
    assert fault.code is ErrorCode.PERMISSION_DENIED
    identified = report_of_json(json.loads(json.dumps(report_as_json(KIND))))
    assert isinstance(identified, Identified)
    assert identified.cluster.name == "kind"


def test_what_is_no_report_is_refused() -> None:
    with pytest.raises(ValueError, match="'Nonsense' is no report"):
        report_of_json(["Nonsense"])


def test_the_codes_are_those_of_the_contract() -> None:
    assert {code.name for code in ErrorCode} == {code.value for code in ErrorCode}
    assert len(ErrorCode) == 7


def test_before_anything_is_said_nothing_is_known_and_nothing_is_wrong() -> None:
    assert Health() == Health(
        cluster=ClusterInfo("unknown", "unknown", ""), synced=False, lost=False, faults={}
    )


def test_a_cluster_is_identified_once_and_again_when_it_is_another_version() -> None:
    health = Health()
    assert [health.apply(KIND), health.apply(KIND)] == [True, False]
    upgraded = Identified(ClusterInfo("kind", "v1.37.0", "uid"))
    assert health.apply(upgraded)
    assert health.cluster == upgraded.cluster


def test_a_fault_is_told_again_only_when_it_has_changed_and_its_subject_has_one() -> None:
    health = after(DENIED)
    assert health.apply(DENIED) is False
    worse = DENIED._replace(details="Missing 'watch'")
    assert health.apply(worse)
    assert health.apply(DENIED._replace(subject="list nodes"))
    assert health.faults == {"list pods": worse, "list nodes": DENIED._replace(subject="list nodes")}


def test_only_what_was_wrong_is_cleared_and_only_once() -> None:
    health = after(DENIED)
    assert [health.apply(Cleared(subject)) for subject in ("list nodes", "list pods", "list pods")] == [
        False,
        True,
        False,
    ]
    assert health.faults == {}


def test_loss_and_sync_are_told_when_they_change_something() -> None:
    health = Health()
    said = [health.apply(report) for report in (Synced(), Synced(), Lost(), Lost(), Synced())]
    assert said == [True, False, True, False, True]
    assert (health.synced, health.stale) == (True, False)


def test_what_is_lost_was_synced_and_is_kept_to_be_shown() -> None:
    health = after(Synced(), Lost())
    assert (health.synced, health.stale) == (True, True)


@pytest.mark.parametrize(
    ("recorded", "fed", "shown", "stale"),
    [
        (True, True, True, True),
        (True, False, True, False),
        (False, True, False, False),
        (False, False, True, False),
    ],
    ids=["a log that a source goes on with", "a replay", "a new log", "an empty one that nothing writes"],
)
def test_a_server_begins_with_what_was_recorded_and_it_is_stale_until_its_source_has_caught_up(
    *, recorded: bool, fed: bool, shown: bool, stale: bool
) -> None:
    health = Health.at_start(ClusterInfo("c", "v1"), recorded=recorded, fed=fed)
    assert (health.synced, health.stale) == (shown, stale)
    assert health.cluster == ClusterInfo("c", "v1")
    assert Health.at_start(None, recorded=recorded, fed=fed).cluster == Health().cluster


def test_one_that_was_lost_before_it_was_ever_synced_is_news_when_it_is() -> None:
    health = after(Lost())
    assert (health.synced, health.stale) == (False, True)
    assert health.apply(Synced())
    assert (health.synced, health.stale) == (True, False)


def test_what_a_fault_is_about_is_stale_as_long_as_it_lasts() -> None:
    full = Fault(ErrorCode.WATCH_ERROR, "full", "", "log", stale=True)
    health = after(Synced(), DENIED)
    assert (health.stale, health.fresh) == (False, True)
    assert health.apply(full)
    assert (health.stale, health.fresh) == (True, False)
    assert not health.apply(Synced())
    assert health.stale, "to be in touch does not make room"
    health.apply(Cleared("log"))
    assert (health.stale, health.fresh) == (False, True)
    assert not after(DENIED).fresh, "there is nothing to show"


def test_a_fault_without_a_subject_is_a_moment_and_not_kept() -> None:
    health = Health()
    fault = Fault(ErrorCode.WATCH_ERROR, "a watch ended")
    assert health.apply(fault)
    assert health.apply(fault)
    assert health.faults == {}


@pytest.mark.parametrize(
    ("heard", "retold"),
    [
        ([], [Identified(ClusterInfo("unknown", "unknown"))]),
        ([KIND, DENIED], [KIND, DENIED]),
        ([KIND, Synced()], [KIND, Synced()]),
        ([KIND, Lost()], [KIND, Lost()]),
        ([KIND, DENIED, Synced(), Lost()], [KIND, DENIED, Synced(), Lost()]),
    ],
    ids=["nothing", "a fault", "synced", "lost before a sync", "all"],
)
def test_what_is_retold_is_what_is_true_and_makes_it_true_for_another(
    heard: list[Report], retold: list[Report]
) -> None:
    """Nobody is told of a state that never was: Synced only after a sync."""
    one = after(*heard)
    assert [(type(report), report) for report in one.retold()] == [
        (type(report), report) for report in retold
    ]
    assert after(*one.retold()) == one
