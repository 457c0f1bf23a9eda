"""`python -m loadtest.bench.attacker PORT KIND`: one client that does what it may, or more, until it is killed."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import zlib
from collections.abc import AsyncIterator, Callable

from websockets.asyncio import client
from websockets.exceptions import WebSocketException

_RATE = 0.06  # seconds between two messages: as often as the limit lets one


async def _said(kind: str) -> AsyncIterator[str]:
    number = 0
    while True:
        number += 1
        if kind == "filters":  # another state each time
            names = [f"ns-{(number * 7 + step) % 60}" for step in range(20)]
            yield json.dumps({"type": "subscribe", "namespaces": names})
        elif kind == "seeks":  # another state each time, from the log
            yield json.dumps({"type": "playback", "action": "seek", "at": ("-0.7s", "+0.5s")[number % 2]})
        elif kind == "pauses":  # another timeline each time
            yield json.dumps({"type": "playback", "action": ("pause", "live")[number % 2]})
        elif kind == "everything":
            yield '{"type":"subscribe","namespaces":[]}'
        elif kind == "large":  # within the bound of a message, a list of very many items
            yield '{"type":"ping","x":[' + "0," * 32_000 + "0]}"
        else:  # "nonsense", faster than the limit
            yield "nonsense " * 100
        await asyncio.sleep(0.0005 if kind == "nonsense" else _RATE)


async def _talk(url: str, kind: str) -> None:
    async with client.connect(url, max_size=None, compression="deflate") as ws:
        reading = asyncio.create_task(_read(ws))
        try:
            async for text in _said(kind):
                await ws.send(text)
        finally:
            reading.cancel()


async def _read(ws: client.ClientConnection) -> None:
    async for _ in ws:
        pass


async def _deaf(url: str, _: str) -> None:
    """Asks for one state after the other and reads nothing."""
    async with client.connect(url, max_size=None, max_queue=1) as ws:
        while True:
            await ws.send('{"type":"subscribe","namespaces":[]}')
            await asyncio.sleep(_RATE)


async def _bomb(url: str, _: str) -> None:
    """Messages of a few kilobytes that inflate to ten megabytes."""
    deflater = zlib.compressobj(9, wbits=-15)
    data = deflater.compress(b'{"type":"ping","x":[' + b"0," * (5 << 20)) + deflater.flush(zlib.Z_SYNC_FLUSH)
    frame = _masked(0xC1, data[:-4])
    async with client.connect(url, compression="deflate") as ws:
        while not ws.transport.is_closing():
            ws.transport.write(frame)
            await asyncio.sleep(_RATE)


def _masked(first: int, payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        head = bytes([first, 0x80 | size])
    elif size < 1 << 16:
        head = bytes([first, 0x80 | 126]) + size.to_bytes(2)
    else:
        head = bytes([first, 0x80 | 127]) + size.to_bytes(8)
    return head + bytes(4) + payload


async def _pongs(url: str, _: str) -> None:
    """Pongs that nobody asked for, as fast as they are taken."""
    await _flood(url, _masked(0x8A, b"") * 10_000)


async def _fragments(url: str, _: str) -> None:
    """A message of empty pieces that never ends."""
    await _flood(url, _masked(0x00, b"") * 10_000, first=_masked(0x01, b""))


async def _flood(url: str, frames: bytes, *, first: bytes = b"") -> None:
    async with client.connect(url) as connection:
        loop, raw = asyncio.get_running_loop(), connection.transport.get_extra_info("socket")
        connection.transport.pause_reading()
        await loop.run_in_executor(None, _push, raw.dup(), first, frames)


def _push(raw: socket.socket, first: bytes, frames: bytes) -> None:
    with raw:
        raw.setblocking(True)
        raw.sendall(first)
        while True:
            raw.sendall(frames)


async def _come_and_go(url: str, _: str) -> None:
    while True:
        async with client.connect(url, max_size=None):
            pass


KINDS: dict[str, Callable[[str, str], object]] = {
    "filters": _talk,
    "everything": _talk,
    "seeks": _talk,
    "pauses": _talk,
    "large": _talk,
    "nonsense": _talk,
    "deaf": _deaf,
    "bomb": _bomb,
    "pongs": _pongs,
    "fragments": _fragments,
    "come and go": _come_and_go,
}


async def main(port: str, kind: str) -> None:
    while True:  # one that is thrown out comes back
        try:
            await KINDS[kind](f"ws://127.0.0.1:{port}/ws", kind)  # type: ignore[misc]  # all of them are coroutines
        except (OSError, WebSocketException):
            await asyncio.sleep(0.05)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
