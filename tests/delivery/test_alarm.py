"""When the hub has to look at whom."""

from __future__ import annotations

import asyncio
from typing import Any

from kstream.clock import VirtualClock
from kstream.delivery.alarm import Alarm


class Somebody:
    scheduled = float("inf")


def put(alarm: Alarm, due: float) -> Any:
    whom: Any = Somebody()
    alarm.put(due, whom)
    return whom


async def test_those_are_looked_at_who_are_due_and_were_not_forgotten() -> None:
    alarm = Alarm(VirtualClock())
    first, gone, last = put(alarm, 3.0), put(alarm, 3.5), put(alarm, 4.0)
    alarm.forget(gone)
    assert list(alarm.due(2.9)) == []
    assert first in list(alarm.due(3.9))
    assert list(alarm.due(4.0)) == [last]


async def test_it_wakes_up_for_whoever_is_due_first_and_for_who_comes_to_be_so_meanwhile() -> None:
    clock = VirtualClock()
    alarm = Alarm(clock)
    for until, put_meanwhile, wakes in ((5.0, None, 5.0), (20.0, 8.0, 8.0), (9.0, 30.0, 9.0)):
        waiting = asyncio.create_task(alarm.wait(until))
        await clock.advance(0)
        if put_meanwhile is not None:
            alarm.arm(put_meanwhile)
            put(alarm, put_meanwhile)
            await clock.advance(0)
            if waiting.done():  # it is to be waited anew, for less
                waiting = asyncio.create_task(alarm.wait(until))
                await clock.advance(0)
        while not waiting.done():
            await clock.advance(0.5)
        assert clock.monotonic() == wakes
        list(alarm.due(clock.monotonic()))
