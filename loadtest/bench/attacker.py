"""`python -m loadtest.bench.attacker PORT KIND`: one client that does what it may, or more, until it is killed."""

from __future__ import annotations

import asyncio
import json
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
        elif kind == "everything":
            yield '{"type":"subscribe","namespaces":[]}'
        elif kind == "large":  # within the bound of a message, a list of very many items
            yield '{"type":"ping","x":[' + "0," * 32_000 + "0]}"
        else:  # "nonsense", faster than the limit
            yield "nonsense " * 100
        await asyncio.sleep(0.0005 if kind == "nonsense" else _RATE)


async def _talk(url: str, kind: str) -> None:
    async with client.connect(url, max_size=None, compression="deflate") as socket:
        reading = asyncio.create_task(_read(socket))
        try:
            async for text in _said(kind):
                await socket.send(text)
        finally:
            reading.cancel()


async def _read(socket: client.ClientConnection) -> None:
    async for _ in socket:
        pass


async def _deaf(url: str, _: str) -> None:
    """Asks for one state after the other and reads nothing."""
    async with client.connect(url, max_size=None, max_queue=1) as socket:
        while True:
            await socket.send('{"type":"subscribe","namespaces":[]}')
            await asyncio.sleep(_RATE)


async def _bomb(url: str, _: str) -> None:
    """Messages of a few kilobytes that inflate to ten megabytes."""
    deflater = zlib.compressobj(9, wbits=-15)
    data = deflater.compress(b'{"type":"ping","x":[' + b"0," * (5 << 20)) + deflater.flush(zlib.Z_SYNC_FLUSH)
    frame = _masked(0xC1, data[:-4])
    async with client.connect(url, compression="deflate") as socket:
        while not socket.transport.is_closing():
            socket.transport.write(frame)
            await asyncio.sleep(_RATE)


def _masked(first: int, payload: bytes) -> bytes:
    size = len(payload)
    if size < 1 << 16:
        head = bytes([first, 0x80 | 126]) + size.to_bytes(2)
    else:
        head = bytes([first, 0x80 | 127]) + size.to_bytes(8)
    return head + bytes(4) + payload


async def _come_and_go(url: str, _: str) -> None:
    while True:
        async with client.connect(url, max_size=None):
            pass


KINDS: dict[str, Callable[[str, str], object]] = {
    "filters": _talk,
    "everything": _talk,
    "large": _talk,
    "nonsense": _talk,
    "deaf": _deaf,
    "bomb": _bomb,
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
