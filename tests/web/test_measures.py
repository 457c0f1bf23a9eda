"""The measures of several processes become those of all, and a counter never goes back."""

from __future__ import annotations

from kstream.web.measures import MEASURES, Measures, counted, families, join


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
