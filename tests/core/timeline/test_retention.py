"""How much of the past is kept, decided from what a log holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kstream.core.timeline.retention import Holding, Keep, first_kept, overdue, trimmed_size, worthwhile
from tests.making import START


@pytest.mark.parametrize(
    ("keep", "everything"),
    [
        (Keep(), True),
        (Keep(seconds=60.0), False),
        (Keep(size=1000), False),
        (Keep(seconds=0.0), False),
        (Keep(seconds=60.0, size=1000), False),
    ],
)
def test_everything_is_kept_where_no_limit_is_set(keep: Keep, everything: bool) -> None:
    assert keep.everything is everything


def test_a_log_that_is_too_large_comes_down_to_nine_tenths() -> None:
    assert [trimmed_size(size) for size in (1000, 1001, 0)] == [900, 900, 0]


@pytest.mark.parametrize(
    ("age", "seconds", "due"),
    [
        (3600, 3600, False),
        (3700, 3600, False),
        (3780, 3600, False),
        (3781, 3600, True),
        (604_800 + 299, 604_800, False),
        (604_800 + 300, 604_800, False),
        (604_800 + 301, 604_800, True),
        (10.4, 10, False),
        (10.6, 10, True),
    ],
)
def test_events_may_get_a_twentieth_too_old_and_five_minutes_at_most(
    age: float, seconds: float, due: bool
) -> None:
    assert overdue(START - age, seconds=seconds, now=START) is due


holdings = st.builds(
    lambda oldest, events, objects, moved, size: Holding(oldest, oldest + events - 1, objects, moved, size),
    st.integers(1, 10**6),
    st.integers(0, 10**6),
    st.integers(0, 10**5),
    st.integers(0, 10**5),
    st.integers(0, 10**10),
)


@given(holdings, st.integers(0, 10**10), st.integers(0, 2000))
def test_a_trim_by_size_drops_something_if_it_may_and_never_the_newest(
    holding: Holding, goal: int, spare: int
) -> None:
    before = first_kept(holding, goal, spare=spare)
    assert holding.oldest <= before <= max(holding.oldest, holding.head + 1 - spare)
    assert (before > holding.oldest) is (holding.size > goal and holding.events > spare)


@pytest.mark.parametrize(
    ("events", "kept"),
    [(Holding(8, 7, 3, 0, 0), 0), (Holding(7, 7, 3, 0, 0), 1), (Holding(1, 7, 3, 0, 0), 7)],
)
def test_the_events_of_a_log_are_counted_from_the_oldest_to_the_head(events: Holding, kept: int) -> None:
    assert events.events == kept


def test_what_is_dropped_by_size_counts_the_state_that_stays() -> None:
    # 1000 bytes an event; of the 2000 that fit 500 are taken by the objects that there are.
    holding = Holding(oldest=1, head=10_000, objects=500, moved=0, size=10_000_000)
    assert first_kept(holding, 2_000_000, spare=0) == 8501
    # As many as were there before the oldest, where that is known to be more; they take part of the size, too.
    assert first_kept(holding._replace(moved=600, size=10_600_000), 2_000_000, spare=0) == 8601


def test_a_trim_by_size_is_a_step_of_a_fiftieth_at_least_and_leaves_what_is_spared() -> None:
    holding = Holding(oldest=101, head=10_100, objects=0, moved=0, size=10_000_000)
    assert first_kept(holding, 9_999_000, spare=0) == 301, "200 of 10,000 events, though one would do"
    assert first_kept(holding, 0, spare=1000) == 9101
    assert first_kept(holding, 10_000_000, spare=0) == 101, "it fits"
    few = holding._replace(head=110, size=10_000)
    assert first_kept(few, 9_500, spare=0) == 102, "one event at least, and no more than are too many"
    assert first_kept(few, 0, spare=9) == 102
    assert first_kept(holding._replace(head=110), 0, spare=10) == 101, "nothing may go"


def test_a_trim_is_worth_its_while_when_it_drops_a_tenth_as_many_events_as_there_are_objects() -> None:
    assert not worthwhile(Holding(1, 15_999, 150_000, 0, 0), 1000)
    assert worthwhile(Holding(1, 16_000, 150_000, 0, 0), 1000)
    assert not worthwhile(Holding(1, 1999, 10, 0, 0), 1000)
    assert worthwhile(Holding(1, 2000, 10, 0, 0), 1000)
