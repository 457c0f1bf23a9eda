"""The measures of several processes become those of all, and a counter never goes back."""

from __future__ import annotations

import pytest

from kstream.core.delivery.tally import SECONDS, SIZES, Distribution
from kstream.web.measures import MEASURES, Measures, counted, distribution, families, join


def share(clients: int, *, sent: int, refused: dict[str, int], head: int, flushes: list[int]) -> Measures:
    return {
        "kstream_clients": clients,
        "kstream_sent_bytes": sent,
        "kstream_refusals": refused,
        "kstream_log_head": head,
        "kstream_stale": int(clients == 0),
        "kstream_flush_seconds": (flushes + [0] * 10, float(sum(flushes))),
        "process_start_time_seconds": 1000.0 + clients,
    }


ONE = share(9, sent=100, refused={"host": 1}, head=7, flushes=[1, 2, 0])
OTHER = share(0, sent=11, refused={"host": 2, "origin": 5}, head=8, flushes=[0, 1, 4])


def test_counts_are_added_and_what_all_see_of_one_thing_is_not() -> None:
    assert join([ONE, OTHER]) == {
        "kstream_clients": 9,
        "kstream_sent_bytes": 111,
        "kstream_refusals": {"host": 3, "origin": 5},
        "kstream_log_head": 8,
        "kstream_stale": 1,
        "kstream_flush_seconds": ([1, 3, 4] + [0] * 10, 8.0),
        "process_start_time_seconds": 1000.0,
    }


def test_what_was_recorded_is_not_counted_once_for_each_who_heard_of_it() -> None:
    early = {"kstream_recorded_events": 5, "kstream_commit_seconds": ([5] + [0] * 12, 1.0)}
    late = {"kstream_recorded_events": 7, "kstream_commit_seconds": ([6, 1] + [0] * 11, 2.0)}
    assert join([late, early]) == late


def test_of_one_that_has_gone_the_counters_stay_and_what_it_held_does_not() -> None:
    gone = counted(ONE)
    assert set(gone) == {"kstream_sent_bytes", "kstream_refusals", "kstream_flush_seconds"}
    whole = join([gone, OTHER])
    assert (whole["kstream_sent_bytes"], whole["kstream_clients"]) == (111, 0)


def test_nothing_measured_is_nothing() -> None:
    assert join([]) == {}
    assert list(families({})) == []


def test_a_family_is_named_as_prometheus_wants_it() -> None:
    found = {family.name: family for family in families(ONE)}
    assert list(found) == [measure.name for measure in MEASURES if measure.name in ONE]
    assert [sample.name for sample in found["kstream_refusals"].samples] == ["kstream_refusals_total"]
    assert [sample.name for sample in found["kstream_clients"].samples] == ["kstream_clients"]
    (count,) = [s.value for s in found["kstream_flush_seconds"].samples if s.name.endswith("_count")]
    assert count == 3


SUMMED = [
    "kstream_snapshots",
    "kstream_fell_off",
    "kstream_received_messages",
    "kstream_limited_messages",
    "kstream_invalid_messages",
    "kstream_messages",
    "kstream_events",
    "kstream_batches",
    "kstream_coalesced_events",
    "kstream_bucket_waits",
    "kstream_sent_bytes",
    "kstream_encoded_bytes",
    "kstream_framed_bytes",
    "process_cpu_seconds",
]
SUMMED_NOW = [
    "kstream_clients",
    "kstream_slow_clients",
    "kstream_timelines",
    "process_resident_memory_bytes",
    "process_virtual_memory_bytes",
    "process_open_fds",
]
LARGEST = ["kstream_recorded_events", "kstream_suppressed_changes", "kstream_log_dropped_events"]
LARGEST_NOW = [
    "kstream_source_lag_seconds",
    "kstream_stale",
    "kstream_faults",
    "kstream_log_head",
    "kstream_log_oldest",
    "kstream_log_events",
    "kstream_log_bytes",
    "kstream_objects",
]
LEAST_NOW = ["process_max_fds", "process_start_time_seconds"]
LABELLED = {"kstream_resumes": "result", "kstream_refusals": "reason", "kstream_closes": "code"}
SPREAD = {
    "kstream_batch_events": SIZES,
    "kstream_flush_seconds": SECONDS,
    "kstream_loop_lag_seconds": SECONDS,
    "kstream_commit_seconds": SECONDS,
}
PLAIN = [*SUMMED, *SUMMED_NOW, *LARGEST, *LARGEST_NOW, *LEAST_NOW]


def test_each_measure_of_several_processes_is_joined_as_what_it_is() -> None:
    assert join([dict.fromkeys(PLAIN, value) for value in (2, 5, 3)]) == {
        **dict.fromkeys((*SUMMED, *SUMMED_NOW), 10),
        **dict.fromkeys((*LARGEST, *LARGEST_NOW), 5),
        **dict.fromkeys(LEAST_NOW, 2),
    }
    assert join(
        [{name: {"b": 1, "a": 2} for name in LABELLED}, {name: {"c": 4, "a": 3} for name in LABELLED}]
    ) == ({name: {"a": 5, "b": 1, "c": 4} for name in LABELLED})
    few, many = ([3, 1], 7.0), ([1, 4], 2.0)
    assert join([dict.fromkeys(SPREAD, few), dict.fromkeys(SPREAD, many), dict.fromkeys(SPREAD, few)]) == (
        dict.fromkeys(SPREAD, ([7, 6], 16.0)) | {"kstream_commit_seconds": many}
    )
    with pytest.raises(ValueError, match="shorter"):
        join([{"kstream_flush_seconds": ([3, 1], 7.0)}, {"kstream_flush_seconds": ([3], 7.0)}])
    assert {*PLAIN, *LABELLED, *SPREAD} == {measure.name for measure in MEASURES}


def test_of_a_process_that_has_gone_what_was_counted_there_alone_stays() -> None:
    all_of_it = (
        dict.fromkeys(PLAIN, 1) | {name: {"a": 1} for name in LABELLED} | dict.fromkeys(SPREAD, ([1], 2.0))
    )
    assert set(counted(all_of_it)) == {*SUMMED, *LABELLED, *SPREAD} - {"kstream_commit_seconds"}
    assert counted({"kstream_messages": 3, "kstream_clients": 2}) == {"kstream_messages": 3}


def test_a_count_goes_up_and_a_gauge_goes_both_ways() -> None:
    found = {family.name: family for family in families(dict.fromkeys(PLAIN, 2))}
    assert {name for name, family in found.items() if family.type == "gauge"} == {
        *SUMMED_NOW,
        *LARGEST_NOW,
        *LEAST_NOW,
    }
    for name, family in found.items():
        (sample,) = family.samples
        assert family.type in ("gauge", "counter")
        assert sample.name == name + ("" if family.type == "gauge" else "_total")
        assert (sample.labels, sample.value) == ({}, 2)


def test_a_count_by_label_is_a_sample_for_each_in_order() -> None:
    found = list(families({name: {"b": 1, "a": 2} for name in LABELLED}))
    assert [(family.name, family.type) for family in found] == [(name, "counter") for name in LABELLED]
    for family in found:
        name, label = f"{family.name}_total", LABELLED[family.name]
        assert [(sample.name, sample.labels, sample.value) for sample in family.samples] == [
            (name, {label: "a"}, 2),
            (name, {label: "b"}, 1),
        ]


@pytest.mark.parametrize(("name", "bounds"), SPREAD.items())
def test_a_distribution_is_counted_up_to_each_bound(name: str, bounds: tuple[float, ...]) -> None:
    values = Distribution(bounds)
    values.add(bounds[0])
    values.add(bounds[1], times=2)
    values.add(bounds[-1] + 1.0)
    (family,) = families({name: distribution(values)})
    assert (family.name, family.type) == (name, "histogram")
    total = bounds[0] + 2 * bounds[1] + bounds[-1] + 1.0
    assert [(sample.name, sample.labels, sample.value) for sample in family.samples] == [
        (f"{name}_bucket", {"le": str(bounds[0])}, 1),
        *((f"{name}_bucket", {"le": str(bound)}, 3) for bound in bounds[1:]),
        (f"{name}_bucket", {"le": "+Inf"}, 4),
        (f"{name}_count", {}, 4),
        (f"{name}_sum", {}, pytest.approx(total)),
    ]
    with pytest.raises(ValueError, match="shorter"):
        list(families({name: ([1, 2], 3.0)}))
