from __future__ import annotations

import pytest

from kstream.core.delivery.pacing import LONGEST, pause_after


def test_short_flushes_leave_no_pause() -> None:
    assert pause_after(0.005, 0.0) == 0.0


@pytest.mark.parametrize(("took", "lag"), [(0.1, 0.0), (0.0, 0.1), (0.1, 0.05)])
def test_a_strained_process_keeps_half_of_its_time(took: float, lag: float) -> None:
    assert pause_after(took, lag) == 0.1


def test_the_delay_is_bounded_however_busy_it_is() -> None:
    assert pause_after(100.0, 100.0) == LONGEST


@pytest.mark.parametrize(
    ("took", "lag", "pause"),
    [
        (0.0, 0.0, 0.0),
        (0.019, 0.019, 0.0),
        (0.02, 0.0, 0.02),
        (0.0, 0.02, 0.02),
        (0.2, 0.1, 0.2),
        (0.25, 0.0, 0.25),
        (0.26, 0.0, 0.25),
    ],
)
def test_a_pause_is_as_long_as_the_strain_from_a_fiftieth_to_a_quarter_of_a_second(
    took: float, lag: float, pause: float
) -> None:
    assert pause_after(took, lag) == pause
