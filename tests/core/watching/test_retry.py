"""When it may be asked again. The dice always say a half: a wait is one and a half times its base."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from kstream.core.watching.retry import PROBE, RESTORED, WARMING, Retry


class Half:
    def random(self) -> float:
        return 0.5


def retry() -> Retry:
    return Retry(Half())


def test_at_first_it_may_be_asked_at_once() -> None:
    assert (retry().wait(0.0), retry().failures, retry().denied) == (0.0, 0, False)


def test_after_a_failure_it_waits_and_each_time_for_longer() -> None:
    asked = retry()
    assert asked.failed(100.0) == pytest.approx(1.2)
    assert asked.wait(100.0) == pytest.approx(1.2)
    assert asked.wait(101.0) == pytest.approx(0.2)
    assert asked.wait(102.0) == 0.0
    assert asked.failed(102.0) == pytest.approx(2.4)
    assert asked.failures == 2


def test_the_first_failure_may_cost_nothing_and_a_server_may_ask_for_more() -> None:
    asked = retry()
    assert asked.failed(100.0, first_at_once=True) == 0.0
    assert asked.wait(100.0) == 0.0
    assert asked.failed(100.0, first_at_once=True) == pytest.approx(2.4)
    assert asked.failed(100.0, retry_after=20.0) == 20.0
    assert asked.wait(110.0) == 10.0


def test_it_is_held_until_the_later_of_two_moments() -> None:
    asked = retry()
    asked.hold(105.0)
    asked.hold(103.0)
    assert asked.wait(100.0) == 5.0


def test_other_credentials_are_tried_at_once_and_then_no_more() -> None:
    asked = retry()
    assert not asked.unauthorized(100.0)
    assert asked.wait(100.0) == 0.0
    assert asked.unauthorized(100.0)
    assert asked.wait(100.0) == pytest.approx(2.4)
    asked.answered()
    assert not asked.unauthorized(100.0)


def test_what_waits_because_nobody_answered_asks_within_a_second_of_an_answer() -> None:
    asked = retry()
    for _ in range(8):
        asked.failed(100.0, away=True)
    assert (asked.away, asked.wait(100.0)) == (True, 45.0)
    asked.back(110.0)
    assert asked.wait(110.0) == 0.5
    asked.failed(111.0, away=True)
    asked.back(111.0)
    asked.back(111.4)
    assert asked.wait(111.4) == pytest.approx(0.1), "it is not put off"


@pytest.mark.parametrize(
    "otherwise",
    [
        lambda asked: asked.failed(100.0),
        lambda asked: asked.failed(100.0, retry_after=60.0),
        lambda asked: (asked.unauthorized(100.0), asked.unauthorized(100.0)),
        lambda asked: asked.forbidden(100.0),
        lambda asked: (asked.forbidden(100.0), asked.failed(200.0, away=True), asked.forbidden(300.0)),
    ],
)
def test_what_waits_for_another_reason_goes_on_to_wait(otherwise: Callable[[Retry], object]) -> None:
    asked = retry()
    asked.failed(100.0, away=True)
    otherwise(asked)
    waits = asked.wait(100.0)
    assert waits > 0
    asked.back(100.0)
    assert (asked.away, asked.wait(100.0)) == (False, waits)


@pytest.mark.parametrize(
    ("trouble", "out"),
    [
        (lambda asked, now: asked.failed(now, away=True), True),
        (lambda asked, now: asked.unauthorized(now), True),
        (lambda asked, now: asked.failed(now), False),
        (lambda asked, now: asked.failed(now, retry_after=5.0), False),
        (lambda asked, now: asked.forbidden(now), False),
    ],
)
def test_out_for_long_is_who_was_not_answered_or_not_known(
    trouble: Callable[[Retry, float], object], out: bool
) -> None:
    asked = retry()
    assert not asked.long_out(1e9)
    asked.asked(100.0)
    trouble(asked, 100.0)
    asked.asked(105.0)
    trouble(asked, 105.0)
    assert not asked.long_out(100.0 + RESTORED - 0.1)
    assert asked.long_out(100.0 + RESTORED) is out
    asked.answered()
    assert not asked.long_out(200.0)
    assert RESTORED == 10.0


def test_an_answer_ends_an_absence() -> None:
    asked = retry()
    asked.failed(100.0, away=True)
    asked.answered()
    assert not asked.away


def test_a_403_is_asked_about_again_soon_while_the_server_may_be_warming_up_and_then_seldom() -> None:
    asked = retry()
    asked.forbidden(100.0)
    assert asked.denied
    assert asked.wait(100.0) == pytest.approx(1.2)
    asked.forbidden(100.0 + WARMING - 0.1)
    assert asked.wait(100.0 + WARMING - 0.1) == pytest.approx(2.4)
    asked.forbidden(100.0 + WARMING)
    assert asked.wait(100.0 + WARMING) == pytest.approx(PROBE * 1.05)
    assert (WARMING, PROBE) == (120.0, 300.0)


def test_a_denial_ends_with_an_answer_or_with_something_worse() -> None:
    for end in (Retry.answered, Retry.forget_denial):
        asked = retry()
        asked.forbidden(100.0)
        end(asked)
        assert not asked.denied
        asked.forbidden(100.0 + 2 * WARMING)
        assert asked.wait(100.0 + 2 * WARMING) < 30.0, "it counts from here"


@pytest.mark.parametrize(("after", "late"), [(9.9, False), (10.0, True)])
def test_an_answer_is_late_after_ten_seconds(after: float, late: bool) -> None:
    retry = Retry(random.Random(1))
    retry.asked(100.0)
    assert retry.late(100.0 + after, watch=False) is late
    assert retry.late(100.0 + after, watch=False) is late
    assert retry.late(100.0 + after, watch=True) is late


def test_of_watches_that_are_late_in_a_row_only_the_first_is_told() -> None:
    retry = Retry(random.Random(1))
    retry.asked(0.0)
    assert retry.late(20.0, watch=True)
    assert retry.late(20.0, watch=False), "a list between them says nothing about watches"
    assert not retry.late(20.0, watch=True)
    assert not retry.late(1.0, watch=True), "this one was in time"
    assert retry.late(20.0, watch=True)


@pytest.mark.parametrize(("after", "out"), [(9.9, False), (10.0, True)])
def test_what_hangs_for_long_and_is_refused_then_is_out_since_it_was_asked(after: float, out: bool) -> None:
    asked = retry()
    asked.asked(100.0)
    asked.refused(100.0 + after)
    asked.failed(100.0 + after)
    assert asked.long_out(100.0 + after) is out
    asked.answered()
    assert not asked.long_out(1e9)


def test_nobody_answers_since_it_was_asked_and_not_since_that_was_given_up() -> None:
    asked = retry()
    asked.asked(100.0)
    asked.failed(100.0 + RESTORED, away=True)
    assert asked.long_out(100.0 + RESTORED)
