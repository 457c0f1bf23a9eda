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
    """Work of which one piece is done at a time, and after each there is as long a rest as it took: half of a core at
    most, however many want it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._free = asyncio.Lock()
        self._rested = clock.monotonic()  # when the rest after the last piece is over

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Whoever is done goes on at once; the next one waits for the rest to be over."""
        clock = self._clock
        async with self._free:
            if (rest := self._rested - clock.monotonic()) > 0:
                await clock.sleep(rest)
            began = clock.monotonic()
            try:
                yield
            finally:
                ended = clock.monotonic()
                self._rested = ended + min(ended - began, _LONGEST)
