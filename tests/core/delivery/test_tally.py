"""What was done, counted: for /metrics, and from one process to another."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest

from kstream.core.delivery.tally import SECONDS, SIZES, Distribution, Recording, Tally


@pytest.mark.parametrize(
    ("value", "under"), [(0.0, 0), (1.0, 0), (1.5, 1), (2.0, 1), (5.0, 2), (5.1, 3), (99.0, 3)]
)
def test_a_value_is_counted_under_the_first_bound_that_it_does_not_pass(value: float, under: int) -> None:
    found = Distribution((1.0, 2.0, 5.0))
    found.add(value)
    assert found.counts == [int(place == under) for place in range(4)]
    assert found.total == value


def test_many_of_one_value_are_counted_at_once() -> None:
    found = Distribution((1.0, 2.0))
    found.add(1.5, 3)
    found.add(0.5)
    found.add(7.0, 2)
    found.add(7.0, 0)
    assert (found.counts, found.total) == ([1, 3, 2], 19.0)


def test_bounds_go_up_so_that_a_bisection_finds_them() -> None:
    assert list(SECONDS) == sorted(set(SECONDS))
    assert list(SIZES) == sorted(set(SIZES))


def test_at_the_start_nothing_was_done() -> None:
    tally = Tally()
    assert [getattr(tally, each.name) for each in fields(tally) if each.default == 0] == [0] * 14
    assert tally.batch_sizes.bounds == SIZES
    assert tally.flushes.bounds == tally.loop_lag.bounds == SECONDS
    for each in (tally.batch_sizes, tally.flushes, tally.loop_lag):
        assert (sum(each.counts), each.total, len(each.counts)) == (0, 0.0, len(each.bounds) + 1)


def test_each_tally_counts_for_itself() -> None:
    one, other = Tally(), Tally()
    one.flushes.add(0.1)
    assert sum(other.flushes.counts) == 0
    recording, another = Recording(), Recording()
    recording.commits.add(0.1)
    assert sum(another.commits.counts) == 0


def test_what_was_recorded_is_known_in_another_process() -> None:
    here, there = Recording(), Recording()
    here.progress(7, 3)
    here.progress(9, 4)
    here.commits.add(0.002, 5)
    there.learn(json.loads(json.dumps(here.as_json())))
    assert (there.events, there.suppressed) == (9, 4)
    assert (there.commits.counts, there.commits.total) == (here.commits.counts, 0.01)
    assert there.commits.bounds == SECONDS
    assert here.as_json() == [9, 4, [0, 5] + [0] * 11, 0.01]


def test_the_bounds_are_those_that_dashboards_know() -> None:
    assert SECONDS == (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
    assert SIZES == (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 5000.0)


def test_at_the_start_nothing_was_recorded() -> None:
    assert (Recording().events, Recording().suppressed) == (0, 0)
