"""How late the event loop is: what tells a process that has too much to do."""

from __future__ import annotations

from kstream.core.delivery.tally import Tally
from kstream.ports import Clock

_EVERY = 0.1  # seconds between two looks


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
