"""The only reader of real time, and its stand-in for tests and simulations."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kstream.ports import Clock


class SystemClock:
    """The machine's clock."""

    def time(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        try:
            async with asyncio.timeout(None if math.isinf(seconds) else max(seconds, 0.0)):
                await event.wait()
        except TimeoutError:
            return event.is_set()
        return True


def time_at(clock: Clock, monotonic: float) -> float:
    """When it was `monotonic`, in seconds since the Unix epoch, as the clock is set now: how long ago that was is told
    by the one clock, when by the other."""
    return clock.time() - (clock.monotonic() - monotonic)


class VirtualClock:
    """A clock that moves when it is told to: hours pass in no time, in the same order every time.

    Sleepers are woken in the order of their deadlines, then of their arrival.
    """

    def __init__(self, start: float = 0.0) -> None:
        self._now = start
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def time(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + seconds, next(self._order), waiter))
        await waiter

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        waits: list[asyncio.Future[Any]] = [asyncio.ensure_future(event.wait())]
        if not math.isinf(seconds):
            waits.append(asyncio.ensure_future(self.sleep(seconds)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
        return event.is_set()

    async def advance(self, seconds: float) -> None:
        """Let `seconds` pass: wake every sleeper that is due, each at its own instant, and let it run."""
        end = self._now + seconds
        await self._settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            due, _, waiter = heapq.heappop(self._sleepers)
            self._now = max(self._now, due)
            if not waiter.done():
                waiter.set_result(None)
            await self._settle()
        self._now = end
        await self._settle()

    @staticmethod
    async def _settle() -> None:
        # Tasks that were woken may wake others: a few turns let all of them reach their next wait.
        for _ in range(20):
            await asyncio.sleep(0)
