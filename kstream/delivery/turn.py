"""Taking turns: work that goes on for long, and stops nobody."""

from __future__ import annotations

import asyncio

from kstream.ports import Clock

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
