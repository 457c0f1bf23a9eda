"""Plays one script to a client: does what the steps say, and asks after each whether it holds what it must."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any, Final

from kstream.core.errors import KstreamError
from kstream.ports import Clock
from simulator.certify import steps, wire
from simulator.certify.failure import FailedError
from simulator.certify.harness import Harness
from simulator.certify.history import Filter, History, Json
from simulator.certify.judging import differences
from simulator.certify.outage import Outage
from simulator.certify.server import Peer, StreamServer
from simulator.certify.telling import Telling, asked_for

_TURN: Final = 0.2  # of the patience, for a client to read what was sent
_FIRST: Final = 10  # times the patience for the first connection: a browser may have to start
_BEFORE: Final = (steps.Add, steps.Refuse, steps.Hold, steps.Fault, steps.Source, steps.Subscribe)


class Referee:
    """Of one script. `patience`: seconds that a client has for whatever needs no waiting."""

    def __init__(self, harness: Harness, server: StreamServer, *, clock: Clock, patience: float) -> None:
        self._harness = harness
        self._server = server
        self._clock = clock
        self._patience = patience
        self._history = History()
        self._telling = Telling(self._history)
        self._outage = Outage(harness, server, clock=clock, patience=patience)
        self._holding = False
        self.skipped: list[int] = []  # the numbers of the steps that made no sense where they stand

    async def play(self, script: Sequence[steps.Step]) -> None:
        """Raises FailedError and HarnessError, with a note that says at which step; UsageError as Harness.begin."""
        ahead = 0
        while ahead < len(script) and isinstance(script[ahead], _BEFORE):
            step = script[ahead]
            if isinstance(step, steps.Subscribe):
                self._telling.wanted = frozenset(step.namespaces)
            else:
                await self._do(step)
            ahead += 1
        await _noted("when it connected", self._begin())
        for number, step in enumerate(script[ahead:], ahead + 1):
            await _noted(f"step {number}, {steps.written([step])[0]}", self._step(number, step))

    async def _begin(self) -> None:
        names = ",".join(sorted(self._telling.wanted))
        await self._harness.begin(f"{self._server.url}{f'?namespaces={names}' if names else ''}")
        if not await self._clock.wait(self._server.arrived, _FIRST * self._patience):
            raise FailedError("connect", "It has not connected to KSTREAM_URL")
        self._outage.begin()
        if not await self._outage.was_refused():
            await self._join(await self._server.accept())
        await self._settle()

    async def _step(self, number: int, step: steps.Step) -> None:
        if not await self._do(step):
            self.skipped.append(number)
        await self._settle()

    # What must be so

    async def _settle(self) -> None:
        """Ask until it holds what it must, for as long as the patience goes."""
        peer = self._telling.peer
        if peer is not None and not peer.over.is_set():
            await peer.heard(_TURN * self._patience)
        until, pause = self._clock.monotonic() + self._patience, 0.001
        while True:
            self._watch()
            found = differences(await self._harness.fold(), self._telling.expected)
            if not found:
                return
            if self._clock.monotonic() > until:
                self._watch()
                raise FailedError("fold", "What it holds is not what it was told", found)
            await self._clock.sleep(pause)
            pause = min(pause * 2, 0.05)

    def _watch(self) -> None:
        """What is wrong whatever it holds."""
        peer = self._telling.peer
        if peer is None:
            if early := self._outage.early():
                raise FailedError("wait", early)
        elif peer.complaint:
            raise FailedError("says", peer.complaint)
        elif peer.over.is_set():
            raise FailedError("left", "It has left a connection that was well")
        elif self._server.attempts != self._outage.attempts:
            raise FailedError("twice", "It has connected again while it was connected")

    # Steps

    async def _do(self, step: steps.Step) -> bool:
        """False for one that makes no sense here."""
        telling = self._telling
        match step:
            case steps.Add():
                return self._history.add(step.kind, step.name, step.namespace)
            case steps.Modify():
                return self._history.modify(step.kind, step.name, step.namespace)
            case steps.Delete():
                return self._history.delete(step.kind, step.name, step.namespace)
            case steps.Hold():
                self._holding = True
            case steps.Fault():
                return await telling.fault(step.name, over=step.over)
            case steps.Source():
                changed, telling.found = telling.found != step.found, step.found
                if changed and telling.peer is not None:
                    await telling.connection(telling.peer)
                return changed
            case steps.Restart():
                await self._restart(step.how)
            case steps.Subscribe():
                return await self._subscribe(frozenset(step.namespaces), dropped=step.dropped)
            case steps.Refuse() if telling.peer is None:
                self._server.refusals.extend([(step.status, step.retry_after)] * step.times)
            case steps.Back() if telling.peer is None:
                await self._back()
            case _:
                return telling.peer is not None and await self._do_connected(telling.peer, step)
        return True

    async def _do_connected(self, peer: Peer, step: steps.Step) -> bool:
        telling = self._telling
        match step:
            case steps.Drop():
                await peer.close(step.code)
                self._lost()
            case steps.Silence():
                await telling.finish(peer)
                peer.last_word = wire.ghost(self._history.head + 50) if step.late else None
                await self._outage.silence(peer)
                self._lost()
            case steps.Beat():
                await self._outage.beat(peer)
                # The pong is there before this is: only then may more time pass.
                self._history.modify("node", "node-1", "")
                if not telling.awaiting:
                    await telling.send(peer, "each")
            case steps.Term():
                self._history.another_term()
                await telling.connection(peer)
            case steps.Moment():
                await peer.send(wire.error(step.code, self._history.head))
            case steps.Metrics():
                await telling.metrics(peer)
            case steps.State():
                self._heard(peer)
                await telling.state(peer, pieces=step.parts, behind=step.behind, torn=step.torn)
                await self._answer(peer)
            case steps.Send() if not telling.awaiting:
                return await telling.send(peer, step.how)
            case steps.Strange() if not telling.awaiting:
                return await telling.strange(peer, step.what)
            case _:
                return False
        return True

    async def _restart(self, how: str) -> None:
        if self._telling.peer is not None:
            await self._telling.peer.close(1006)
            self._lost()
        if how == "epoch":
            self._history.begin()
        else:
            self._history.another_term(lost=2 if how == "lost" else 0)
        if how == "lost":  # its numbers are given again
            self._history.modify("node", "node-1", "")
            self._history.modify("node", "node-1", "")

    # Connections

    async def _back(self) -> None:
        while (peer := await self._outage.next_attempt()) is None:
            self._telling.expected.error_shown = self._outage.shown
            await self._settle()
        await self._join(peer)

    async def _join(self, peer: Peer) -> None:
        self._outage.over()
        self._telling.expected.error_shown = False
        token = asked_for(peer, self._telling, can_resume="resume" in self._harness.can)
        await self._telling.join(peer, token, state=not self._holding)
        self._holding = False

    def _lost(self) -> None:
        self._outage.lost()
        self._telling.lost()

    # Filters

    async def _subscribe(self, wanted: Filter, *, dropped: bool) -> bool:
        if "subscribe" not in self._harness.can:
            return False
        telling = self._telling
        before, telling.wanted = telling.asked, wanted
        await self._harness.ask("subscribe", namespaces=sorted(wanted))
        telling.judge()
        peer = telling.peer
        if peer is None or telling.awaiting or wanted == before:
            return True  # it says so when it can: in a URL, or after the state that is due
        await telling.finish(peer)
        await self._asks(peer)
        if dropped:
            telling.asked = before
            await peer.send(wire.error("RATE_LIMITED", self._history.head, retryAfter=1))
            await peer.heard(_TURN * self._patience)
            await self._outage.wait(1.5)
            await self._asks(peer)
        telling.awaiting = True
        telling.expected.seq_judged = False
        telling.judge()
        if not self._holding:
            await telling.state(peer)
        self._holding = False
        return True

    async def _answer(self, peer: Peer) -> None:
        """A client that waited with what it wants, until this state was there, says it now."""
        if self._telling.asked != self._telling.wanted:
            await self._asks(peer)
            await self._telling.state(peer)

    async def _asks(self, peer: Peer) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience):
                while self._telling.asked != self._telling.wanted:
                    self._take(await peer.received.get())
        if self._telling.asked != self._telling.wanted:
            names = sorted(self._telling.wanted)
            raise FailedError("subscribe", f"It was asked to want {names}, and has not told the server so")

    def _heard(self, peer: Peer) -> None:
        while not peer.received.empty():
            self._take(peer.received.get_nowait())

    def _take(self, message: Json) -> None:
        names = message.get("namespaces")
        if message["type"] == "subscribe" and isinstance(names, list):
            self._telling.asked = frozenset(map(str, names))


async def _noted(where: str, action: Coroutine[Any, Any, None]) -> None:
    try:
        await action
    except KstreamError as error:
        error.add_note(where)
        raise
