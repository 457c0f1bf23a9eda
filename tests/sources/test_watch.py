"""The pieces that drive a stream: a result within a time, on a clock that the test moves."""

from __future__ import annotations

import asyncio

import pytest

from kstream.clock import VirtualClock
from kstream.core.watching.reflection import Moment
from kstream.sources.watch import now_of, within


class Work:
    """A result that comes when the test says so; `stubborn` work gives it although it is cancelled."""

    def __init__(self, *, stubborn: bool = False) -> None:
        self.done = asyncio.Event()
        self.cancelled = False
        self.discarded: list[str] = []
        self._stubborn = stubborn

    async def run(self) -> str:
        try:
            await self.done.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            if not self._stubborn:
                raise
        return "result"


async def begun(clock: VirtualClock, work: Work, seconds: float = 10.0) -> asyncio.Task[str]:
    task = asyncio.create_task(within(clock, seconds, work.run(), discard=work.discarded.append))
    await clock.advance(0)
    return task


async def test_a_result_in_time_is_the_result() -> None:
    clock, work = VirtualClock(), Work()
    task = await begun(clock, work)
    await clock.advance(9.9)
    assert not task.done()
    work.done.set()
    assert await task == "result"
    assert (work.cancelled, work.discarded) == (False, [])


async def test_what_takes_longer_is_given_up_and_ends() -> None:
    clock, work = VirtualClock(), Work()
    task = await begun(clock, work)
    await clock.advance(10.0)
    with pytest.raises(TimeoutError):
        await task
    assert (work.cancelled, work.discarded) == (True, [])


async def test_a_result_that_came_too_late_is_discarded_and_not_lost() -> None:
    clock, work = VirtualClock(), Work(stubborn=True)
    task = await begun(clock, work)
    await clock.advance(10.0)
    with pytest.raises(TimeoutError):
        await task
    assert work.discarded == ["result"]


@pytest.mark.parametrize("stubborn", [False, True])
async def test_a_result_for_nobody_is_discarded(stubborn: bool) -> None:
    clock, work = VirtualClock(), Work(stubborn=stubborn)
    task = await begun(clock, work)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert work.cancelled
    assert work.discarded == (["result"] if stubborn else [])


async def test_what_fails_in_time_fails_with_its_own_error() -> None:
    async def fail() -> str:
        raise ValueError("of its own")

    with pytest.raises(ValueError, match="of its own"):
        await within(VirtualClock(), 10.0, fail())


async def test_a_failure_after_its_time_is_nobodys() -> None:
    async def fail() -> str:
        try:
            await asyncio.Event().wait()
        finally:
            raise ValueError("too late")

    clock = VirtualClock()
    task = asyncio.create_task(within(clock, 10.0, fail()))
    await clock.advance(10.0)
    with pytest.raises(TimeoutError):
        await task


async def test_no_timer_is_left_behind() -> None:
    clock, work = VirtualClock(), Work()
    task = await begun(clock, work)
    work.done.set()
    await task
    assert {each for each in asyncio.all_tasks() if each is not asyncio.current_task()} == set()


def test_now_is_that_of_both_hands_of_the_clock() -> None:
    class Clock(VirtualClock):
        def monotonic(self) -> float:
            return 7.0

    assert now_of(Clock(1000.0)) == Moment(7.0, 1000.0)
