from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from kstream.core.watching.backoff import Backoff


@given(st.integers())
def test_each_wait_is_between_its_step_and_twice_that(seed: int) -> None:
    """LISTWATCH 10."""
    backoff = Backoff(random.Random(seed))
    for step in (0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0, 30.0):
        assert step <= backoff.failed(0.0) < 2 * step


def test_two_minutes_of_health_begin_anew() -> None:
    backoff = Backoff(random.Random(1))
    for _ in range(9):
        backoff.failed(0.0)
    assert backoff.failed(119.0) >= 30
    assert backoff.failed(119.0 + 121.0) < 1.6


def test_the_server_may_ask_for_more_time_but_not_for_ever() -> None:
    assert Backoff(random.Random(1)).failed(0.0, retry_after=7.0) == 7.0
    assert Backoff(random.Random(1)).failed(0.0, retry_after=0.0) >= 0.8
    assert Backoff(random.Random(1)).failed(0.0, retry_after=1e9) == 300.0


def test_a_first_failure_may_cost_nothing_and_its_repetition_does() -> None:
    backoff = Backoff(random.Random(1))
    assert backoff.failed(0.0, first_at_once=True) == 0.0
    assert backoff.failed(0.1, first_at_once=True) >= 1.6


class Even:
    """No chance at all: each wait is its step and half of it."""

    def random(self) -> float:
        return 0.5


def test_waits_are_those_of_listwatch_and_failures_in_a_row_are_counted() -> None:
    backoff = Backoff(Even())
    assert [round(backoff.failed(0.0), 6) for _ in range(8)] == [1.2, 2.4, 4.8, 9.6, 19.2, 38.4, 45.0, 45.0]
    assert backoff.failures == 8


def test_two_minutes_to_the_second_are_not_yet_health() -> None:
    backoff = Backoff(Even())
    assert backoff.failures == 0
    backoff.failed(0.0)
    backoff.failed(120.0)
    assert backoff.failures == 2
    backoff.failed(240.5)
    assert backoff.failures == 1


def test_what_the_server_asks_for_is_waited_for_even_the_first_time() -> None:
    assert Backoff(Even()).failed(0.0, retry_after=0.0, first_at_once=True) >= 1.2
    assert Backoff(Even()).failed(0.0, retry_after=300.0) == 300.0
    assert Backoff(Even()).failed(0.0, retry_after=301.0) == 300.0
    assert Backoff(Even()).failed(0.0, retry_after=1.3) == 1.3


def test_a_night_of_failures_is_waited_through_as_its_first_hour_is() -> None:
    backoff = Backoff(Even())
    assert [backoff.failed(0.0) for _ in range(2000)][-1] == 45.0
