"""When a client tries again, and how it notices that nobody answers: the waits of the contract, in its own time.

A harness that can `advance` is told how much time passes, and hours take no time; else it passes.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from kstream.ports import Clock
from simulator.certify.failure import FailedError
from simulator.certify.harness import Harness
from simulator.certify.server import Peer, StreamServer

FIRST_WAIT: Final = 1.0  # seconds (contract, "Reconnection Strategy")
MAX_WAIT: Final = 30.0
ATTEMPTS_BEFORE_ERROR: Final = 5
HEARTBEAT_INTERVAL: Final = 30.0  # seconds (contract, "Connection Parameters")
HEARTBEAT_TIMEOUT: Final = 10.0
_HEARS = 0.03  # seconds for the end of a connection to reach a client
_EARLY, _LATE = 0.9, 1.5  # of a wait: what a clock may be wrong by, and what a client may add at random
_LOOKS: Final = 0.1  # of the patience, for what may come any moment
_GLANCE: Final = 0.02  # seconds, for what must not come


class Outage:
    """One client's connections as they come and go. Seconds everywhere."""

    def __init__(self, harness: Harness, server: StreamServer, *, clock: Clock, patience: float) -> None:
        self._harness = harness
        self._server = server
        self._clock = clock
        self._patience = patience
        self._passed = 0.0  # of the client's time, where it is told
        self._since = 0.0
        self._waits = 0
        self._failed = 0
        self._asked_for = 0.0  # by Retry-After
        self.attempts = 0  # to connect, that there may be

    @property
    def shown(self) -> bool:
        """The user has to know by now."""
        return self._failed >= ATTEMPTS_BEFORE_ERROR

    def begin(self) -> None:
        """The first attempt has come."""
        self.attempts = 1

    async def was_refused(self) -> bool:
        """The last attempt was, so there is a wait."""
        refusal = self._server.last_refusal
        self._server.last_refusal = None
        if refusal is None:
            return False
        self._failed += 1
        self._asked_for = float(refusal[1]) if "retry-after" in self._harness.can else 0.0
        self._since = self._now()
        return True

    def lost(self) -> None:
        """A connection that worked has ended: the first wait begins."""
        self._waits = self._failed = 0
        self._asked_for = 0.0
        self._since = self._now()

    def over(self) -> None:
        self._waits = self._failed = 0

    async def wait(self, span: float) -> None:
        """So many seconds pass for the client."""
        if span <= 0:
            return
        if "advance" in self._harness.can:
            await self._harness.ask("advance", ms=round(span * 1000))
            self._passed += span
        else:
            await self._clock.sleep(span)

    def early(self) -> str:
        """What is wrong with an attempt that came before its time; "" where none did."""
        if self._server.attempts <= self.attempts or self._now() - self._since >= _EARLY * self._due:
            return ""
        waited = self._now() - self._since
        return f"It tries again {waited:.1f} s after the connection ended: {self._due:g} s are to be waited"

    async def next_attempt(self) -> Peer | None:
        """Wait for it; None where it was refused. Raises FailedError for one that comes too early, or not in time."""
        due = self._due
        left = _EARLY * due - (self._now() - self._since)
        if "advance" in self._harness.can:
            # A client that has yet to hear that its connection is gone would begin its wait after it.
            await self._clock.sleep(_HEARS)
        await self.wait(left)
        self._server.repeats = False
        await self._look(_GLANCE)
        if left > 0 and self._server.attempts > self.attempts:
            said = f"It tries again before {_EARLY * due:g} s have passed: {due:g} s are to be waited"
            raise FailedError("wait", said)
        while self._server.attempts <= self.attempts and self._now() - self._since < _LATE * due:
            await self.wait(min(0.1 * due, _LATE * due - (self._now() - self._since)))
            await self._look(_LOOKS * self._patience)
        await self._look(self._patience)
        if self._server.attempts <= self.attempts:
            raise FailedError(
                "wait", f"It does not try again: {due:g} s were to be waited, {_LATE * due:g} have passed"
            )
        self.attempts += 1
        if await self.was_refused():
            self._waits += 1
            return None
        return await self._server.accept()

    async def beat(self, peer: Peer) -> None:
        """The interval passes, in which a ping has to come."""
        for span in (HEARTBEAT_INTERVAL, 1.5, 1.5):
            await self.wait(span)
            if await self._pinged(
                peer, self._patience if span < HEARTBEAT_INTERVAL else 2 * _LOOKS * self._patience
            ):
                return
            if peer.over.is_set():
                return  # whoever looks next says so
        raise FailedError("ping", f"It sends no ping: one is due every {HEARTBEAT_INTERVAL:g} s")

    async def silence(self, peer: Peer) -> None:
        """Nobody answers its ping: it has to give the connection up, in time and not before."""
        peer.mute = True
        await self.beat(peer)
        await self.wait(HEARTBEAT_TIMEOUT - 2)
        if await self._gone(peer, _GLANCE):
            said = f"It gives a connection up less than {HEARTBEAT_TIMEOUT:g} s after a ping that was not answered"
            raise FailedError("pong", said)
        await self.wait(2)
        if not await self._gone(peer, 2 * _LOOKS * self._patience):
            self._since = self._now()
            await self.wait(0.5)
            if not await self._gone(peer, self._patience):
                said = f"It keeps a connection on which no pong came within {HEARTBEAT_TIMEOUT:g} s"
                raise FailedError("pong", said)

    @property
    def _due(self) -> float:
        return max(min(FIRST_WAIT * 2.0**self._waits, MAX_WAIT), self._asked_for)

    def _now(self) -> float:
        return self._passed if "advance" in self._harness.can else self._clock.monotonic()

    async def _look(self, within: float) -> None:
        """Let an attempt come that is on its way, for so many seconds."""
        if self._server.attempts > self.attempts:
            return
        self._server.arrived.clear()
        await self._clock.wait(self._server.arrived, within)

    async def _pinged(self, peer: Peer, within: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                while (await peer.received.get())["type"] != "ping":
                    pass
                return True
        return False

    async def _gone(self, peer: Peer, within: float) -> bool:
        return await self._clock.wait(peer.over, within)
