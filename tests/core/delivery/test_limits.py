from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kstream.core.delivery.limits import MAX_TAKEN, Allowance, Limits, TokenBucket


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


def test_a_bucket_is_refilled_at_its_rate_and_never_beyond_what_it_holds() -> None:
    bucket = TokenBucket(50, 10.0, now=5.0)
    bucket.take(50, 5.0)
    assert [bucket.level(now) for now in (5.0, 5.5, 7.0, 11.0)] == [0.0, 5.0, 20.0, 50.0]
    assert bucket.level(6.0) == 50.0, "time does not go back"


def test_exactly_what_there_is_can_be_taken() -> None:
    bucket = TokenBucket(10, 1.0, now=0.0)
    assert not bucket.take(6, 0.0, keep=5)
    assert bucket.level(0.0) == 10.0, "what is refused costs nothing"
    assert bucket.take(5, 0.0, keep=5)
    assert bucket.level(0.0) == 5.0


def test_a_copy_is_as_full_and_goes_its_own_way() -> None:
    bucket = TokenBucket(50, 10.0, now=0.0)
    bucket.take(30, 0.0)
    twin = bucket.copy()
    assert (twin.capacity, twin.rate, twin.level(0.0), twin.level(1.0)) == (50.0, 10.0, 20.0, 30.0)
    twin.take(30, 1.0)
    assert (twin.level(1.0), bucket.level(1.0)) == (0.0, 30.0)


def test_a_wait_is_no_longer_than_it_must_be() -> None:
    bucket = TokenBucket(50, 10.0, now=0.0)
    assert bucket.ready_at(50, 3.0) == 3.0
    assert bucket.ready_at(45, 3.0, keep=5) == 3.0
    bucket.take(50, 3.0)
    assert bucket.ready_at(1, 3.0) == pytest.approx(3.1, abs=2e-6)
    assert bucket.ready_at(1, 3.0, keep=5) == pytest.approx(3.6, abs=2e-6)


def test_the_defaults_are_those_of_the_contract() -> None:
    limits = Limits()
    assert (limits.burst, limits.reserve, limits.heartbeat, limits.heartbeat_timeout) == (50, 5, 30.0, 10.0)
    assert (limits.abuse_after, limits.stall_timeout) == (10.0, 60.0)
    assert Limits(per_minute=120, burst=60).rate == 1.0


def test_what_is_owed_has_to_be_made_up_for() -> None:
    bucket = TokenBucket(50, 10.0, 0.0)
    bucket.owe(80, 0.0)
    assert (bucket.level(0.0), bucket.level(3.0), bucket.level(4.0)) == (-30.0, 0.0, 10.0)
    assert not bucket.take(11, 4.0)
    assert bucket.take(10, 4.0)


def test_a_client_may_send_as_many_bytes_as_its_messages_may_have() -> None:
    limits = Limits()
    allowed = Allowance(limits, 0.0)
    assert [allowed.take(MAX_TAKEN, 0.0) for _ in range(limits.burst + 1)] == [True] * limits.burst + [False]
    assert allowed.ready_in(0.0) == pytest.approx(1 / limits.rate, abs=1e-4)
    assert allowed.take(10, 0.1)


def test_one_message_that_is_too_long_for_all_there_is_makes_the_next_ones_wait() -> None:
    limits = Limits()
    allowed = Allowance(limits, 0.0)
    assert allowed.take(2 * limits.burst * MAX_TAKEN, 0.0)
    wait = limits.burst / limits.rate
    assert allowed.ready_in(0.0) == pytest.approx(wait, rel=1e-3)
    assert [allowed.take(1, now) for now in (0.0, wait - 0.01)] == [False, False]
    assert allowed.take(1, wait + 0.01), "what was refused meanwhile is not owed as well"


def test_messages_that_are_refused_for_their_number_are_counted_by_their_bytes() -> None:
    limits = Limits()
    allowed = Allowance(limits, 0.0)
    for _ in range(limits.burst):
        allowed.take(1, 0.0)
    assert not allowed.take(limits.burst * MAX_TAKEN, 0.0)
    assert allowed.ready_in(0.0) == pytest.approx(1 / limits.rate, abs=1e-4)
    assert not allowed.take(MAX_TAKEN, 0.0)
    assert not allowed.take(1, 0.0)
