from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kstream.core.delivery.limits import Limits, TokenBucket


def test_a_bucket_starts_full_and_gives_no_more_than_it_has() -> None:
    bucket = TokenBucket(50, 10.0, now=0.0)
    assert all(bucket.take(1, 0.0) for _ in range(50))
    assert not bucket.take(1, 0.0)


def test_what_is_kept_can_be_taken_by_those_who_keep_nothing() -> None:
    bucket = TokenBucket(50, 10.0, now=0.0)
    assert bucket.take(45, 0.0, keep=5)
    assert not bucket.take(1, 0.0, keep=5)
    assert bucket.take(5, 0.0)


def test_ready_at_is_when_take_succeeds() -> None:
    bucket = TokenBucket(50, 10.0, now=0.0)
    bucket.take(50, 0.0)
    at = bucket.ready_at(3, 0.0)
    assert not bucket.take(3, at - 0.01)
    assert bucket.take(3, at)


def test_a_full_burst_and_a_minute_of_refill_are_the_contracts_thousand() -> None:
    limits = Limits()
    assert limits.burst + limits.rate * 60 == limits.per_minute == 1000


@given(st.lists(st.tuples(st.floats(0, 5), st.integers(1, 20)), max_size=300))
def test_no_window_of_a_minute_holds_more_than_a_thousand(steps: list[tuple[float, int]]) -> None:
    limits = Limits()
    bucket = TokenBucket(limits.burst, limits.rate, now=0.0)
    now = 0.0
    taken: list[float] = []
    for pause, wish in steps:
        now += pause
        taken.extend(now for _ in range(wish) if bucket.take(1, now))
    for first, start in enumerate(taken):
        end = start + 60
        assert sum(1 for at in taken[first:] if at < end) <= limits.per_minute
    for start in set(taken):
        assert taken.count(start) <= limits.burst
