"""The two clocks keep one contract; the virtual one wakes sleepers in order, each at its own instant."""

from __future__ import annotations

import asyncio
import math

import pytest

from kstream.clock import SystemClock, VirtualClock


async def test_sleepers_wake_by_deadline_then_by_arrival_each_at_its_own_instant() -> None:
    clock = VirtualClock(100.0)
    woken: list[tuple[str, float]] = []

    async def sleep(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((name, clock.monotonic()))

    tasks = [
        asyncio.create_task(sleep(name, seconds))
        for name, seconds in (
            ("late", 5.0),
            ("first", 2.0),
            ("second", 2.0),
            ("never", 60.0),
            ("at once", 0.0),
        )
    ]
    await clock.advance(5.0)
    assert woken == [("at once", 100.0), ("first", 102.0), ("second", 102.0), ("late", 105.0)]
    assert clock.time() == clock.monotonic() == 105.0
    tasks[3].cancel()
    await clock.advance(100.0)
    assert len(woken) == 4, "one that gave up is not woken"
    assert clock.time() == 205.0


async def test_what_a_sleeper_does_next_is_within_the_same_advance() -> None:
    clock = VirtualClock()
    beats: list[float] = []

    async def beat() -> None:
        while True:
            await clock.sleep(1.0)
            beats.append(clock.time())

    task = asyncio.create_task(beat())
    await clock.advance(3.5)
    assert beats == [1.0, 2.0, 3.0]
    await clock.advance(0.5)
    assert beats == [1.0, 2.0, 3.0, 4.0]
    task.cancel()


@pytest.mark.parametrize("seconds", [5.0, math.inf])
async def test_a_wait_ends_with_its_event(seconds: float) -> None:
    clock, event = VirtualClock(), asyncio.Event()
    waiting = asyncio.create_task(clock.wait(event, seconds))
    await clock.advance(4.0)
    assert not waiting.done()
    event.set()
    assert await waiting is True


async def test_a_wait_ends_with_its_time_and_says_that_nothing_came() -> None:
    clock, event = VirtualClock(), asyncio.Event()
    waiting = asyncio.create_task(clock.wait(event, 5.0))
    await clock.advance(4.9)
    assert not waiting.done()
    await clock.advance(0.1)
    assert await waiting is False


@pytest.mark.parametrize("clock", [SystemClock(), VirtualClock()], ids=["system", "virtual"])
@pytest.mark.parametrize("seconds", [0.0, -1.0])
async def test_a_wait_without_time_says_what_is(clock: SystemClock | VirtualClock, seconds: float) -> None:
    event = asyncio.Event()
    await clock.sleep(seconds)
    assert await clock.wait(event, seconds) is False
    event.set()
    assert await clock.wait(event, seconds) is True


async def test_the_system_clock_waits_for_an_event_however_long_it_takes() -> None:
    clock, event = SystemClock(), asyncio.Event()
    waiting = asyncio.create_task(clock.wait(event, math.inf))
    await asyncio.sleep(0)
    assert not waiting.done()
    event.set()
    assert await waiting is True


def test_the_system_clock_does_not_go_back() -> None:
    clock = SystemClock()
    assert clock.monotonic() <= clock.monotonic()
    assert clock.time() > 1_700_000_000
