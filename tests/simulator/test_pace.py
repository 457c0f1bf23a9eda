"""Where simulated time should be, by the clock."""

from __future__ import annotations

import pytest

from simulator.pace import MAX, Pace


def test_simulated_time_goes_on_at_its_speed() -> None:
    pace = Pace(speed=10.0, now=100.0, at=5_000)
    assert [pace.at(now) for now in (100.0, 100.25, 102.0)] == [5_000, 7_500, 25_000]
    assert pace.until(25_000, 101.0) == pytest.approx(1.0)
    assert pace.until(6_000, 101.0) == 0.0, "it is over"


def test_a_pause_holds_it_where_it_is_and_nothing_ever_comes() -> None:
    pace = Pace(speed=10.0, now=100.0, at=5_000, paused=True)
    assert (pace.at(999.0), pace.until(5_001, 999.0)) == (5_000, MAX)
    pace.paused = False
    pace.anchor(5_000, 999.0)
    assert pace.at(1000.0) == 15_000


def test_the_greatest_speed_waits_for_nothing_unless_it_is_paused() -> None:
    pace = Pace(speed=MAX, now=0.0)
    assert (pace.at(1.0), pace.until(10**9, 1.0)) == (None, 0.0)
    pace.paused = True
    assert (pace.at(1.0), pace.until(1, 1.0)) == (0, MAX)


def test_another_speed_goes_on_from_where_it_is() -> None:
    pace = Pace(speed=1.0, now=0.0)
    at = pace.at(10.0)
    assert at == 10_000
    pace.anchor(at, 10.0)
    pace.speed = 0.5
    assert pace.at(14.0) == 12_000
    assert pace.until(13_000, 14.0) == pytest.approx(2.0)
