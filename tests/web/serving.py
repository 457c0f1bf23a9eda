"""A real server on a free port of 127.0.0.1, on a log in memory that the test writes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from websockets.asyncio import client

from kstream.clock import SystemClock
from kstream.config import ServeSettings
from kstream.core.timeline.events import Verb
from kstream.logs.memory import MemoryLog
from kstream.logs.replay import ReplayLog
from kstream.ports import Clock
from kstream.run import Address, Server, replay_of, run
from kstream.web.api import Status
from kstream.web.app import Control
from kstream.web.neighbours import Neighbours
from tests.making import change, node_key, pod_key
from tests.said import said


@dataclass
class Playing:
    address: Address

    @property
    def ws(self) -> str:
        return self.address.websocket

    def http(self, path: str) -> str:
        return self.address.page.rstrip("/") + path


@dataclass
class Running(Playing):
    log: MemoryLog

    def token(self, seq: int) -> str:
        """The query of a client that holds all up to `seq`."""
        return f"epoch={self.log.epoch}&term={self.log.terms[-1].id}&seq={seq}"

    async def add_pods(self, *names: str, namespace: str = "default", note: str = "") -> None:
        await self.log.append([change(Verb.ADDED, pod_key(name, namespace), note=note) for name in names])

    async def taken_in(self) -> None:
        """Until the server has all that is in its log: it takes in slices what comes at once."""
        seq = 0
        async with aiohttp.ClientSession() as http:
            while seq < self.log.head:
                async with http.get(self.http("/api/status")) as answer:
                    seq = (await answer.json())["seq"]


@asynccontextmanager
async def serving(
    *,
    log: MemoryLog | None = None,
    clock: Clock | None = None,
    status: Status | None = None,
    control: Control | None = None,
    neighbours: Neighbours | None = None,
    **settings: Any,
) -> AsyncIterator[Running]:
    """A server whose log begins with one node and one pod; no source, so its state is always in sync.

    No metrics come in between, however slow the machine is: a test that wants them says how often.
    """
    log = log or MemoryLog(epoch="epoch-1")
    await log.append([change(Verb.ADDED, node_key("n1")), change(Verb.ADDED, pod_key("p1"))])
    clock = clock or SystemClock()
    server = Server(
        mode="replay",
        settings=_settings(settings),
        log=log,
        source=None,
        clock=clock,
        time=clock.time,
        watermark=lambda: (clock.time(), log.head),
        status=status,
        control=control,
        neighbours=neighbours,
    )
    async with _started(server) as address:
        yield Running(address, log)


@asynccontextmanager
async def playing(timeline: ReplayLog, clock: Clock, **settings: Any) -> AsyncIterator[Playing]:
    """A server that plays a recording."""
    server = replay_of(timeline, clock, _settings(settings))
    async with _started(server) as address:
        yield Playing(address)


def _settings(given: dict[str, Any]) -> ServeSettings:
    return ServeSettings(**{"port": 0, "metrics_interval": 86_400.0} | given)


@asynccontextmanager
async def _started(server: Server) -> AsyncIterator[Address]:
    listening: asyncio.Future[Address] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    task = asyncio.create_task(run(server, ready=listening.set_result, stop=stop))
    await asyncio.wait((task, listening), return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        task.result()
    try:
        yield await listening
    finally:
        stop.set()
        await task


def connect(url: str, **options: Any) -> client.connect:
    """As the library's, without its deadlines: a slow machine is no fault."""
    return client.connect(
        url, **{"open_timeout": None, "ping_interval": None, "close_timeout": None} | options
    )


def decoded(text: str | bytes | bytearray) -> dict[str, Any]:
    """A message, as the protocol has it."""
    return said(json.loads(text))
