"""A WebSocket server that does what a test tells it, for clients of the protocol."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import WSMsgType, web
from yarl import URL

from tests.making import body_of, pod_key
from tests.said import said

HELLO = {
    "type": "connection",
    "status": "connected",
    "timestamp": "2025-01-24T10:00:00.000Z",
    "cluster": {"name": "my-cluster", "version": "v1.29.0"},
    "epoch": "e1",
    "term": "t1",
    "source": "live",
    "protocol": 1,
    "resumed": False,
}


def pod_event(uid: str, seq: int) -> dict[str, Any]:
    return {
        "type": "pod_event",
        "action": "ADDED",
        "seq": seq,
        "data": json.loads(body_of(pod_key(uid, uid=uid))),
        "timestamp": "2025-01-24T10:00:02.000Z",
    }


def initial_state(seq: int) -> dict[str, Any]:
    return {
        "type": "initial_state",
        "seq": seq,
        "data": {"nodes": [], "pods": [], "namespaces": []},
        "timestamp": "2025-01-24T10:00:01.000Z",
    }


class Peer:
    """The server's end of one connection."""

    def __init__(self, socket: web.WebSocketResponse, request: web.Request) -> None:
        self.socket = socket
        self.request = request
        self.received: asyncio.Queue[dict[str, Any]] = asyncio.Queue(maxsize=1000)
        self.over = asyncio.Event()

    @property
    def query(self) -> dict[str, str]:
        return dict(self.request.query)

    async def send(self, *messages: Mapping[str, Any]) -> None:
        """Messages of the protocol; what is none goes as `say`."""
        await self.say(*(said(dict(message)) for message in messages))

    async def say(self, *messages: Mapping[str, Any]) -> None:
        for message in messages:
            await self.socket.send_str(json.dumps(message))

    async def receive(self) -> dict[str, Any]:
        """The next message of the client."""
        return await self.received.get()

    def has_got_nothing(self) -> bool:
        """Nothing has come that was not asked for with `receive`."""
        return self.received.empty()

    async def close(self, code: int = 1001) -> None:
        await self.socket.close(code=code)

    def abort(self) -> None:
        """Cut the connection without a word."""
        transport = self.request.transport
        if transport is not None:
            transport.abort()


class FakeStreamServer:
    """`refusal`, when set, is the answer to the next handshakes: status, headers, body."""

    def __init__(self) -> None:
        self.refusal: tuple[int, dict[str, str], str] | None = None
        self.attempts = 0
        self._peers: asyncio.Queue[Peer] = asyncio.Queue(maxsize=100)
        self.url = URL()

    async def accept(self) -> Peer:
        """The next connection."""
        return await self._peers.get()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.attempts += 1
        if self.refusal is not None:
            status, headers, body = self.refusal
            return web.Response(status=status, headers=headers, text=body)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        peer = Peer(socket, request)
        await self._peers.put(peer)
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await peer.received.put(json.loads(message.data))
        finally:
            peer.over.set()
        return socket


@asynccontextmanager
async def fake_stream_server() -> AsyncIterator[FakeStreamServer]:
    server = FakeStreamServer()
    app = web.Application()
    app.router.add_get("/ws", server.serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    _, port = runner.addresses[0][:2]
    server.url = URL.build(scheme="ws", host="127.0.0.1", port=port, path="/ws")
    try:
        yield server
    finally:
        await runner.cleanup()
