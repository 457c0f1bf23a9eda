"""Taking turns: work that goes on for long, and stops nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from kstream.ports import Clock

_LONGEST = 1.0  # seconds of rest
_TURN = 0.005  # seconds that work may hold the event loop


class Turn:
    """Work that goes on for long, and lets others run every few milliseconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since = clock.monotonic()

    async def rest(self) -> float:
        """What time it is; others have run before, if it has taken long."""
        now = self._clock.monotonic()
        if now - self._since > _TURN:
            await asyncio.sleep(0)
            now = self._since = self._clock.monotonic()
        return now


class Half:
    """Work in threads, one piece at a time, and after each as long a rest as it took: half of a core at most, however
    many want it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._free = asyncio.Lock()
        self._resting: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Whoever is done goes on at once; the next one waits for the rest to be over."""
        await self._free.acquire()
        began = self._clock.monotonic()
        try:
            yield
        finally:
            rest = asyncio.ensure_future(self._rest(self._clock.monotonic() - began))
            self._resting.add(rest)
            rest.add_done_callback(self._over)

    async def _rest(self, seconds: float) -> None:
        await self._clock.sleep(min(seconds, _LONGEST))

    def _over(self, rest: asyncio.Task[None]) -> None:
        self._resting.discard(rest)
        self._free.release()
