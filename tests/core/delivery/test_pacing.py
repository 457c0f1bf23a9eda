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
