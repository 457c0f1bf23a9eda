"""The client against a cluster that changes, a server that dies and a network that is slow, in any order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from random import Random
from typing import Any

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kstream.client import Client, Link, Status
from tests.client.network import NAMESPACES, Log, Network, Server, Socket, Term, View, shows
from tests.world.loop import LoopClock, VirtualLoop

_QUIET = 120.0  # seconds after which a client has found its server, whatever was before


class Story:
    """A client and all that befalls it."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.dice = network.dice
        self.server = network.server = Server(network, Log("e0", (Term("t0", 0),)), ready=True)
        self.serial = 0
        for _ in range(3):
            self.changes()
        self.wanted = self._some()
        self.statuses: list[Status] = []
        self.running = False
        self.client = Client(
            "ws://h",
            namespaces=self.wanted,
            resume=self.dice.random() < 0.9,
            on_status=self.statuses.append,
            clock=LoopClock(),
        )
        self.slow = False
        self._readers: list[asyncio.Task[None]] = []

    # What may happen

    def changes(self) -> None:
        for _ in range(self.dice.randint(1, 5)):
            self.serial += 1
            self.server.change(self.serial)

    async def start(self) -> None:
        if not self.running:
            self.running = True
            await self.client.__aenter__()
            await self._read()

    async def close(self) -> None:
        if self.running:
            self.running = False
            if self.dice.random() < 0.5:
                self._readers[-1].cancel()
            await self.client.__aexit__(None, None, None)

    async def looks_in(self) -> None:
        """Comes and goes, perhaps before there is a connection, and perhaps comes again at once."""
        await self.start()
        await asyncio.sleep(self.dice.random() * 0.05)
        await self.close()
        if self.dice.random() < 0.5:
            await self.start()

    async def closes_at_a_word(self) -> None:
        """What the client has got already, and not looked at yet, comes too late."""
        if self.network.sockets:
            self.network.sockets[-1].say_at_once(self.server.hello(resumed=False))
        await self.close()

    async def reads_anew(self) -> None:
        """Whoever reads gives up, wherever the client is; somebody else goes on."""
        if self.running:
            for reader in self._readers:
                reader.cancel()
            await asyncio.wait(self._readers)
            self.check()
            await self._read()

    def reads_slowly(self) -> None:
        self.slow = not self.slow

    async def subscribe(self) -> None:
        self.wanted = () if self.dice.random() < 0.2 else self._some()
        await self.client.subscribe(self.wanted)

    def drop(self) -> None:
        if self.network.sockets:
            self.network.sockets[-1].cut()

    def silence(self) -> None:
        if self.network.sockets:
            self.network.sockets[-1].cut(silent=True)

    def server_stops(self) -> None:
        if self.network.server is not None:
            self.network.server.crash()
        self.network.server = None

    def server_restarts(self) -> None:
        self.server_stops()
        self.serial += 1
        log, term, ready = self.server.log, f"t{self.serial}", self.dice.random() < 0.7
        match self.dice.choice(("again", "lost its tail", "another history")):
            case "again":
                self.server = Server(self.network, log.fork(term, log.head), ready=ready)
            case "lost its tail":  # the numbers that are lost are given again
                lost = self.dice.randint(0, min(3, log.head))
                self.server = Server(self.network, log.fork(term, log.head - lost), ready=ready)
                self.changes()
            case _:
                self.server = Server(self.network, Log(f"e{self.serial}", (Term(term, 0),)), ready=True)
                self.changes()
        self.network.server = self.server

    def server_comes(self) -> None:
        if self.network.server is None:
            self.server_restarts()
        self.server.hear_of_the_cluster()

    async def moment(self) -> None:
        await asyncio.sleep(self.dice.random() * 0.08)

    async def seconds(self) -> None:
        await asyncio.sleep(self.dice.random() * 5)

    async def minute(self) -> None:
        await asyncio.sleep(20 + self.dice.random() * 60)

    def _some(self) -> tuple[str, ...]:
        return tuple(name for name in NAMESPACES if self.dice.random() < 0.4)

    async def _read(self) -> None:
        self._readers.append(asyncio.create_task(self._reading(self.client.messages())))
        await asyncio.sleep(0)

    async def _reading(self, messages: AsyncIterator[Any]) -> None:
        async for _ in messages:
            self.check()
            if self.slow:
                await asyncio.sleep(self.dice.random() * 3)

    # What must be so

    async def play(self, steps: list[str]) -> None:
        for step in steps:
            done = getattr(self, step)()
            if done is not None:
                await done
            self.check()
        self.network.calm, self.slow = True, False
        self.server_comes()
        await asyncio.sleep(_QUIET)
        self.check()
        if self.running:
            await self._ends_open()
            await self.close()
        await self._ends_closed()

    def check(self) -> None:
        for reader in self._readers:
            if reader.done() and not reader.cancelled():
                reader.result()
        client, state = self.client, self.client.state
        open_ones = self._open()
        assert len(open_ones) <= 1, "two sockets are open"
        if client.status.link is not Link.CONNECTED and client.status.link is not Link.CONNECTING:
            assert not open_ones, f"a socket is open while {client.status.link}"
        read = self.running and not self._readers[-1].done()
        # A socket that nobody reads is kept for whoever reads next.
        kept = self.running and any(not socket.closed for socket in self.network.sockets)
        closed = client.status.link is Link.CLOSED
        assert not read if closed else read or kept, f"the link is {client.status.link}"
        if state.stale:
            return
        held: View = {"nodes": state.nodes, "pods": state.pods, "namespaces": state.namespaces}
        for kind, items in held.items():
            for item in items.values():
                assert shows(self.wanted, kind, item), f"{item} is shown as what {self.wanted} lets through"
        if state.seq is not None:  # between two numbers (a state in parts) only the server knows
            log = self.network.sockets[-1].server.log
            assert held == log.view(self.wanted, state.seq), f"not what event {state.seq} left"

    def _open(self) -> list[Socket]:
        return [socket for socket in self.network.sockets if not socket.closed and not socket.ended]

    async def _ends_open(self) -> None:
        state = self.client.state
        assert self.client.status == Status(Link.CONNECTED)
        assert not state.stale, "nothing happens any more, and what is held is stale"
        view = self.server.log.view(self.wanted)
        assert {"nodes": state.nodes, "pods": state.pods, "namespaces": state.namespaces} == view
        for name in NAMESPACES:
            assert state.pod_count(name) == sum(pod["namespace"] == name for pod in view["pods"].values())
        (socket,) = self._open()
        made, before = len(self.network.sockets), len(socket.pings)
        await asyncio.sleep(300)
        assert len(self.network.sockets) == made
        assert len(socket.pings) == before + 10
        gaps = {round(late - early, 3) for early, late in zip(socket.pings, socket.pings[1:], strict=False)}
        assert gaps == {30.0}

    async def _ends_closed(self) -> None:
        told, made = len(self.statuses), len(self.network.sockets)
        await asyncio.sleep(3600)
        assert not self._open()
        assert len(self.network.sockets) == made
        assert len(self.statuses) == told, "a closed client said something"
        assert asyncio.all_tasks() == {asyncio.current_task()}, "a closed client is still at it"
        self.check()


@pytest.fixture(scope="module", autouse=True)
def _network_in_the_place_of_aiohttps() -> Iterator[None]:
    def ws_connect(session: aiohttp.ClientSession, url: Any, **options: Any) -> Any:
        return _networks[-1].ws_connect(session, url, **options)

    def get(session: aiohttp.ClientSession, *args: Any, **options: Any) -> Any:
        raise aiohttp.ClientConnectionError("nobody says why")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aiohttp.ClientSession, "ws_connect", ws_connect)
        patch.setattr(aiohttp.ClientSession, "get", get)
        yield


_networks: list[Network] = []

_OFTEN = (
    "moment",
    "moment",
    "moment",
    "changes",
    "subscribe",
    "subscribe",
    "seconds",
    "start",
    "server_comes",
)
_SELDOM = (
    "drop",
    "close",
    "looks_in",
    "closes_at_a_word",
    "reads_anew",
    "reads_slowly",
    "silence",
    "server_stops",
    "server_restarts",
    "minute",
)


@settings(max_examples=600)
@given(st.integers(0, 2**32), st.lists(st.sampled_from(_OFTEN * 2 + _SELDOM), min_size=10, max_size=80))
def test_whatever_happens_in_whatever_order_a_client_ends_up_with_the_state_that_it_wanted_last(
    seed: int, steps: list[str]
) -> None:
    async def played() -> None:
        _networks[:] = [Network(Random(seed))]
        story = Story(_networks[-1])
        try:
            await story.play(steps)
        finally:
            await story.client.__aexit__(None, None, None)

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(played())
