"""The server's end of the wire: it takes connections, or refuses them, and says what it is told to."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from aiohttp import WSMsgType, web

from kstream.client import ASKS_WHY
from simulator.certify import wire

_MOST_MESSAGES: Final = 1000  # of a client that nobody has looked at
_LARGEST: Final = 1 << 20  # bytes of a message of a client
_REMEMBERED: Final = 6  # messages, for the report
_SHOWN: Final = 300  # characters of each


class Peer:
    """One connection."""

    def __init__(self, socket: web.WebSocketResponse, request: web.Request, remembered: deque[str]) -> None:
        self.query = dict(request.query)
        self.received: asyncio.Queue[dict[str, Any]] = asyncio.Queue(maxsize=_MOST_MESSAGES)
        self.over = asyncio.Event()  # the client is gone, or says that it goes
        self.complaint = ""  # what a client must not send, and this one did
        self._ponged = asyncio.Event()
        self.mute = False  # no ping is answered
        self.last_word: Mapping[str, Any] | None = None  # that follows upon the client's goodbye
        self._socket = socket
        self._request = request
        self._remembered = remembered

    async def heard(self, within: float) -> None:
        """Wait until the client has read all that was sent, `within` seconds at most: pings come in their turn."""
        self._ponged.clear()
        with suppress(ConnectionError, RuntimeError, TimeoutError):
            async with asyncio.timeout(within):
                await self._socket.ping(b"certify")
                await self._ponged.wait()

    async def send(self, message: Mapping[str, Any], *, fragments: bool = False) -> None:
        """Nothing where the client is gone: whoever waits for it to hold this will say so."""
        text = json.dumps(message, ensure_ascii=False)
        self._remembered.append(wire.shown(message))
        with suppress(ConnectionError, RuntimeError):
            if fragments:
                await self._send_slowly(text.encode())
            else:
                await self._socket.send_str(text)

    def _speak_late(self, message: Mapping[str, Any]) -> None:
        transport = self._request.transport
        if transport is not None and not transport.is_closing():
            self._remembered.append(f"(on the connection that was given up) {wire.shown(message)}")
            transport.write(frame(json.dumps(message).encode(), first=True, last=True))

    async def _send_slowly(self, data: bytes, size: int = 61) -> None:
        # Fragments (RFC 6455, 5.4) that also arrive in pieces: nothing says that a read is a message.
        transport = self._request.transport
        pieces = [data[begin : begin + size] for begin in range(0, len(data), size)]
        for number, piece in enumerate(pieces):
            whole = frame(piece, first=number == 0, last=number == len(pieces) - 1)
            for part in (whole[:1], whole[1:]):
                if transport is not None:
                    transport.write(part)
                await asyncio.sleep(0)

    async def close(self, code: int) -> None:
        if code == 1006:
            self.abort()
        else:
            self._remembered.append(f"(closed with {code})")
            with suppress(ConnectionError, RuntimeError):
                await self._socket.close(code=code)

    def abort(self) -> None:
        """Cut, without a word."""
        self._remembered.append("(cut)")
        if self._request.transport is not None:
            self._request.transport.abort()

    async def serve(self) -> None:
        """Take what comes until the connection is over, and may be."""
        try:
            async for message in self._socket:
                if message.type is WSMsgType.PING:
                    await self._socket.pong(message.data)
                    continue
                if message.type is WSMsgType.PONG:
                    self._ponged.set()
                    continue
                if message.type is not WSMsgType.TEXT:
                    self.complaint = f"It sent {message.type.name.lower()} data"
                    continue
                await self._take(message.data)
        finally:
            self.over.set()
            if self.last_word is not None:
                self._speak_late(self.last_word)

    async def _take(self, text: str) -> None:
        try:
            message = json.loads(text)
            kind = message["type"]
        except (ValueError, RecursionError, KeyError, TypeError):
            self.complaint = f"It sent what is no message: {text[:_SHOWN]}"
            return
        if kind not in ("ping", "subscribe"):
            self.complaint = f"It sent a message of a type that servers do not know: {text[:_SHOWN]}"
        elif self.received.full():
            self.complaint = f"It sent more than {_MOST_MESSAGES} messages"
        else:
            self.received.put_nowait(message)
        if kind == "ping" and not self.mute:
            await self.send(
                {"type": "pong", "timestamp": message.get("timestamp", "2025-01-24T10:00:00.000Z")}
            )


class StreamServer:
    """`refusals` are what the next attempts get; `attempts` counts all. One for each case: what an earlier client does
    late reaches nobody."""

    def __init__(self) -> None:
        self.url = ""
        self.attempts = 0
        self.refusals: deque[tuple[int, int]] = deque()  # HTTP status or 0, Retry-After in seconds or 0
        self.remembered: deque[str] = deque(maxlen=_REMEMBERED)
        self.arrived = asyncio.Event()  # somebody has tried, since it was cleared
        self.repeats = False  # what comes next repeats an attempt that was cut, and is none
        self._peers: asyncio.Queue[Peer] = asyncio.Queue(maxsize=100)
        self._open: set[Peer] = set()
        self.last_refusal: tuple[int, int] | None = None  # until somebody has seen it
        self._last: tuple[int, int] | None = None

    async def accept(self) -> Peer:
        return await self._peers.get()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        if self._last is not None and request.headers.get("Sec-WebSocket-Key") == ASKS_WHY:
            return self._refused(request, *self._last)  # no attempt: it wants to know why
        if self.repeats:
            self.repeats = False
            return self._refused(request, 0, 0)
        self.attempts += 1
        self.arrived.set()
        if self.refusals:
            self._last = self.last_refusal = self.refusals.popleft()
            # Whoever is cut off before an answer may ask once more at once (RFC 9110, 9.2.2): HTTP libraries do.
            self.repeats = self._last[0] == 0
            self.remembered.append(f"(refused: {self._last[0] or 'cut'})")
            return self._refused(request, *self._last)
        socket = web.WebSocketResponse(autoclose=False, autoping=False, max_msg_size=_LARGEST)
        await socket.prepare(request)
        peer = Peer(socket, request, self.remembered)
        self._open.add(peer)
        try:
            self._peers.put_nowait(peer)
            await peer.serve()
        except asyncio.QueueFull:
            peer.abort()
        finally:
            self._open.discard(peer)
        return socket

    def _refused(self, request: web.Request, status: int, retry_after: int) -> web.Response:
        if status == 0 and request.transport is not None:
            request.transport.abort()
        headers = {"Retry-After": str(retry_after)} if retry_after else {}
        code = {403: "ORIGIN_NOT_ALLOWED", 421: "HOST_NOT_ALLOWED", 429: "RATE_LIMITED"}.get(
            status, "TOO_MANY_CLIENTS"
        )
        error = {"code": code, "message": "It is a test", "details": ""}
        answer = web.json_response({"error": error}, status=status or 503, headers=headers)
        answer.force_close()  # a client may try a connection again, which it kept, and that would be one more attempt
        return answer

    def release(self) -> None:
        """Cut all that is left."""
        for peer in list(self._open):
            peer.abort()


@asynccontextmanager
async def stream_server() -> AsyncIterator[StreamServer]:
    """One on a free port of this machine, at ws://127.0.0.1:PORT/ws."""
    server = StreamServer()
    app = web.Application()
    app.router.add_get("/ws", server.serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    _, port = runner.addresses[0][:2]
    server.url = f"ws://127.0.0.1:{port}/ws"
    try:
        yield server
    finally:
        server.release()
        await runner.cleanup()


def frame(data: bytes, *, first: bool, last: bool) -> bytes:
    """A text frame of a server, or a part of one (RFC 6455, 5.2)."""
    head = (0x80 if last else 0) | (0x1 if first else 0x0)
    size = bytes((len(data),)) if len(data) < 126 else b"\x7e" + len(data).to_bytes(2, "big")
    return bytes((head,)) + size + data
