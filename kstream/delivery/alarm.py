"""When the hub has to look at whom: one timer for all clients of a timeline, set anew when somebody is due before."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from kstream.core.delivery.lane import FOREVER
from kstream.core.delivery.timers import Timers
from kstream.delivery.crowd import Party
from kstream.delivery.member import Member
from kstream.ports import Clock


class Alarm:
    """Instants are monotonic, in seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._timers: Timers[Member | Party] = Timers()
        self._armed = -FOREVER
        self._wake = asyncio.Event()

    def put(self, due: float, whom: Member | Party) -> None:
        """Look at `whom` then, and not as was said before."""
        self._timers.put(due, whom)
        self.arm(due)

    def forget(self, member: Member) -> None:
        self._timers.forget(member)

    def arm(self, at: float) -> None:
        """Wake up then, for whatever it is."""
        if at < self._armed:
            self._wake.set()

    def due(self, now: float) -> Iterator[Member | Party]:
        """Those who are due by then, as many as there are while they are looked at."""
        while self._timers.due <= now:
            yield self._timers.take()

    async def wait(self, until: float) -> None:
        """Until then, until somebody is due, or until it is armed for an instant before."""
        self._armed = min(until, self._timers.due)
        self._wake.clear()
        await self._clock.wait(self._wake, self._armed - self._clock.monotonic())
