"""How late the event loop is: what tells a process that has too much to do; and how long work goes on holds it."""

from __future__ import annotations

import asyncio

from kstream.core.tally import Tally
from kstream.ports import Clock

_EVERY = 0.1  # seconds between two looks
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


class Pulse:
    """`lag`: seconds, smoothed, since one long step is no strain."""

    def __init__(self, clock: Clock, tally: Tally) -> None:
        self.lag = 0.0
        self._clock = clock
        self._tally = tally

    async def run(self) -> None:
        """Until cancelled."""
        clock = self._clock
        while True:
            wanted = clock.monotonic() + _EVERY
            await clock.sleep(_EVERY)
            late = max(clock.monotonic() - wanted, 0.0)
            self._tally.loop_lag.add(late)
            self.lag += (late - self.lag) / 4
