"""When it may be asked again. The dice always say a half: a wait is one and a half times its base."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kstream.core.watching.retry import PROBE, WARMING, Retry


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
