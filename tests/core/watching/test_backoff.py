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
