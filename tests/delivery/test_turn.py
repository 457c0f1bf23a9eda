"""Long work lets others run every few milliseconds, and no more often than that."""

from __future__ import annotations

import asyncio

from kstream.clock import VirtualClock
from kstream.delivery.turn import Turn


class Stopwatch(VirtualClock):
    """A clock that moves when the work does."""

    def work(self, seconds: float) -> None:
        self._now += seconds


async def test_others_run_once_the_work_has_taken_more_than_five_milliseconds() -> None:
    clock = Stopwatch()
    turn = Turn(clock)
    others: list[float] = []

    async def worked(seconds: float) -> tuple[float, int]:
        clock.work(seconds)
        asyncio.get_running_loop().call_soon(others.append, 0.0)
        now, ran = await turn.rest(), len(others)
        await asyncio.sleep(0)
        others.clear()
        return now, ran

    # Binary fractions: these sums are exact.
    assert await worked(0.0) == (0.0, 0)
    assert await worked(1 / 256) == (1 / 256, 0)
    assert await worked(1 / 256) == (2 / 256, 1)
    assert await worked(1 / 256) == (3 / 256, 0), "since they ran last, that is"
    assert await worked(1 / 256) == (4 / 256, 1)


async def test_five_milliseconds_are_not_more_than_five_milliseconds() -> None:
    clock = Stopwatch()
    turn = Turn(clock)
    clock.work(0.005)
    asyncio.get_running_loop().call_soon(clock.work, 1.0)
    assert await turn.rest() == 0.005


async def test_what_time_it_is_is_looked_at_again_after_others_have_run() -> None:
    clock = Stopwatch()
    turn = Turn(clock)
    clock.work(1.0)
    asyncio.get_running_loop().call_soon(clock.work, 2.0)
    assert await turn.rest() == 3.0
    clock.work(0.004)
    asyncio.get_running_loop().call_soon(clock.work, 2.0)
    assert await turn.rest() == 3.004, "the turn of others is not counted as ours"
