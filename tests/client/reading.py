"""Somebody who reads a client's messages in the background, for tests; the time of the client's waits is virtual."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from kstream.client import Client, Link, Status
from kstream.clock import VirtualClock
from tests.fake_stream_server import HELLO, FakeStreamServer, Peer, fake_stream_server, initial_state

RESUMED = {**HELLO, "resumed": True}


@pytest.fixture
async def server() -> AsyncIterator[FakeStreamServer]:
    async with fake_stream_server() as running:
        yield running


class Reader:
    """Reads a client's messages in the background, and knows every status it told of."""

    def __init__(self, url: str, **options: Any) -> None:
        self.clock = VirtualClock()
        self.statuses: list[Status] = []
        self._seen = 0
        self._changed = asyncio.Event()
        self.client = Client(url, clock=self.clock, on_status=self._status, **options)
        self.got: list[dict[str, Any]] = []

    def _status(self, status: Status) -> None:
        self.statuses.append(status)
        self._changed.set()

    async def read(self) -> None:
        async for message in self.client.messages():
            self.got.append(message)
            self._changed.set()

    async def until_got(self, count: int) -> None:
        while len(self.got) < count:
            self._changed.clear()
            await self._changed.wait()

    async def until(self, link: Link) -> Status:
        """The next status of this kind that no call before has returned or passed over."""
        while True:
            for status in self.statuses[self._seen :]:
                self._seen += 1
                if status.link is link:
                    return status
            self._changed.clear()
            await self._changed.wait()


@asynccontextmanager
async def reading(url: str, **options: Any) -> AsyncIterator[Reader]:
    reader = Reader(url, **options)
    async with reader.client:
        task = asyncio.create_task(reader.read())
        try:
            yield reader
        finally:
            task.cancel()
            await asyncio.wait((task,))
    if not task.cancelled() and (failure := task.exception()) is not None:
        raise failure


async def loaded(server: FakeStreamServer, reader: Reader, seq: int = 10) -> Peer:
    peer = await server.accept()
    await peer.send(HELLO, initial_state(seq))
    await reader.until_got(len(reader.got) + 2)
    return peer
