"""How late the loop is: looked at ten times a second, and smoothed."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from kstream.clock import VirtualClock
from kstream.core.delivery.tally import Tally
from kstream.delivery.pulse import Pulse


class TardyClock(VirtualClock):
    """Wakes sleepers `late` seconds after their time, as a loop does that is busy."""

    late = 0.0

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds + self.late)


async def test_a_lag_is_what_the_loop_is_late_by_and_is_believed_by_a_quarter_at_a_time() -> None:
    clock, tally = TardyClock(), Tally()
    pulse = Pulse(clock, tally)
    assert pulse.lag == 0.0
    task = asyncio.create_task(pulse.run())
    await clock.advance(0.35)
    assert (pulse.lag, sum(tally.loop_lag.counts)) == (0.0, 3)
    clock.late = 0.4
    await clock.advance(0.1)  # from here on it is late
    for expected in (0.1, 0.175):
        await clock.advance(0.5)
        assert pulse.lag == pytest.approx(expected)
    assert tally.loop_lag.total == pytest.approx(0.8)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_a_loop_that_is_early_is_not_late() -> None:
    clock, tally = TardyClock(), Tally()
    clock.late = -0.05
    task = asyncio.create_task(Pulse(clock, tally).run())
    await clock.advance(0.51)
    assert (tally.loop_lag.total, sum(tally.loop_lag.counts)) == (0.0, 10)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
