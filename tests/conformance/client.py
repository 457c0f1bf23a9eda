"""A WebSocket client of raw bytes: what it sends is what a case says, what it gets is taken apart frame by frame."""

from __future__ import annotations

import asyncio
import base64
import json
import struct
import zlib
from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
_KEY = base64.b64encode(bytes(16)).decode()


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    rsv: int = 0,
    mask: bytes | None = b"\x37\xfa\x21\x3d",
) -> bytes:
    """One frame as a client sends it; `rsv` holds the reserved bits as a number from 0 to 7."""
    size = len(payload)
    head = bytes([fin << 7 | rsv << 4 | opcode])
    bit = 0x80 if mask is not None else 0
    if size < 126:
        head += bytes([bit | size])
    elif size < 65536:
        head += struct.pack("!BH", bit | 126, size)
    else:
        head += struct.pack("!BQ", bit | 127, size)
    if mask is None:
        return head + payload
    key = int.from_bytes((mask * (size // 4 + 1))[:size], "big")
    return head + mask + (int.from_bytes(payload, "big") ^ key).to_bytes(size, "big")


def closing(code: int, reason: bytes = b"") -> bytes:
    """A close frame with this code."""
    return frame(CLOSE, struct.pack("!H", code) + reason)


class ServerFrame(NamedTuple):
    """A frame of the server as it was on the wire."""

    fin: bool
    rsv: int
    opcode: int
    masked: bool
    payload: bytes

    @property
    def close_code(self) -> int:
        """0 for a close frame without a code."""
        return int(struct.unpack("!H", self.payload[:2])[0]) if self.payload else 0

    def text(self, window_bits: int = 15) -> str:
        """The message, inflated from an empty window where it is deflated."""
        whole = self.payload
        if self.rsv & 4:
            whole = zlib.decompressobj(-window_bits).decompress(whole + b"\x00\x00\xff\xff")
        return whole.decode()


def json_of(found: ServerFrame) -> dict[str, Any]:
    message = json.loads(found.text())
    assert isinstance(message, dict)
    return message


class Handshake(NamedTuple):
    status: int
    headers: dict[str, str]


class _Received(asyncio.Protocol):
    """All bytes that came, also those before a reset: asyncio's StreamReader forgets them then."""

    def __init__(self) -> None:
        self.buffer = bytearray()
        self.ended = False
        self.changed = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        self.changed.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended = True
        self.changed.set()


class RawClient:
    """Reads are bounded by the end of the connection; nothing here waits for a time."""

    def __init__(self, transport: asyncio.Transport, received: _Received) -> None:
        self._transport = transport
        self._received = received
        self.answer = Handshake(0, {})

    @classmethod
    async def connect(cls, url: str, **headers: str | None) -> RawClient:
        """The handshake; with `Name=value` for headers ("_" standing for "-"), None to leave one out."""
        parts = urlsplit(url)
        transport, received = await asyncio.get_running_loop().create_connection(
            _Received, parts.hostname or "", parts.port or 0
        )
        sent: dict[str, str | None] = {
            "Host": parts.netloc,
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": _KEY,
        }
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = "".join(f"{name}: {value}\r\n" for name, value in sent.items() if value is not None)
        transport.write(f"GET {parts.path}?{parts.query} HTTP/1.1\r\n{lines}\r\n".encode())
        client = cls(transport, received)
        while (end := received.buffer.find(b"\r\n\r\n")) < 0:
            await client._more()
        first, *rest = (await client._take(end + 4) or b"").decode().split("\r\n")
        pairs = (line.split(": ", 1) for line in rest if line)
        client.answer = Handshake(int(first.split()[1]), {name.lower(): value for name, value in pairs})
        return client

    async def state(self) -> list[ServerFrame]:
        """What everyone gets at first, up to `initial_state`."""
        return [await self.message(), await self.message()]

    async def message(self) -> ServerFrame:
        """The next text message."""
        while (found := await self.frame()) is not None:
            if found.opcode == TEXT:
                return found
        raise EOFError("the connection ended before a message came")

    async def send(self, writes: Iterable[bytes]) -> None:
        """Each in a write of its own, with a turn of the event loop after it, in which the server reads it.

        Nothing more once the server has closed: that would only reset the connection.
        """
        for data in writes:
            if self._received.ended or self._closing():
                return
            self._transport.write(data)
            await asyncio.sleep(0)

    def _closing(self) -> bool:
        """A close frame is there; pongs and messages before it are skipped."""
        buffer, at = self._received.buffer, 0
        while at + 2 <= len(buffer):
            if buffer[at] & 0x0F == CLOSE:
                return True
            size, at = self._size(at)
            at += size
        return False

    def _size(self, at: int) -> tuple[int, int]:
        """The size of the payload of the frame that begins at `at`, and where that payload begins."""
        buffer, size = self._received.buffer, self._received.buffer[at + 1] & 0x7F
        wide = {126: 2, 127: 8}.get(size, 0)
        if wide:
            size = int.from_bytes(buffer[at + 2 : at + 2 + wide], "big")
        return size, at + 2 + wide

    async def frame(self) -> ServerFrame | None:
        """The next frame; None when the server has closed the connection."""
        received = self._received
        while len(received.buffer) < 2 or len(received.buffer) < sum(self._size(0)):
            if received.ended:
                assert not received.buffer, "the connection ended within a frame"
                return None
            await self._more()
        size, start = self._size(0)
        whole = await self._take(start + size)
        first, second = whole[:2]
        return ServerFrame(
            bool(first & 0x80), first >> 4 & 7, first & 0x0F, bool(second & 0x80), whole[start:]
        )

    async def rest(self) -> list[ServerFrame]:
        """All frames until the server closes the connection."""
        found = []
        while (one := await self.frame()) is not None:
            found.append(one)
        return found

    async def _take(self, size: int) -> bytes:
        """The next `size` bytes, or all there are at the end."""
        received = self._received
        while len(received.buffer) < size and not received.ended:
            await self._more()
        taken = bytes(received.buffer[:size])
        del received.buffer[:size]
        return taken

    async def _more(self) -> None:
        received = self._received
        if received.ended:
            raise EOFError("the connection ended early")
        received.changed.clear()
        await received.changed.wait()

    def close(self) -> None:
        self._transport.abort()
