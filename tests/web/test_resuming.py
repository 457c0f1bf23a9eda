"""Resumes that have to be read from the log: bounded, and never in the way of others. test_ws.py has the rest."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from websockets.asyncio.client import connect

from tests.web.serving import Running, serving

# More than the window of recent events holds, so that only the log can tell it.
_EVENTS = 24_000


async def _behind(server: Running, *, note: str) -> None:
    for start in range(0, _EVENTS, 2000):
        await server.add_pods(*(f"new-{number}" for number in range(start, start + 2000)), note=note)
        await asyncio.sleep(0)


async def _resume(server: Running, seq: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """`connection`, and what follows up to the last event."""
    async with connect(f"{server.ws}?{server.token(seq)}", max_size=None) as ws:
        first = json.loads(await ws.recv())
        rest = [json.loads(await ws.recv())]
        while rest[-1].get("seq") != _EVENTS + 2:
            rest.append(json.loads(await ws.recv()))
        return first, rest


async def _stalled(server: Running) -> asyncio.StreamWriter:
    """A client that resumes from long ago and reads no more than the answer."""
    reader, writer = await asyncio.open_connection(server.address.host, server.address.port, limit=1024)
    host = f"{server.address.host}:{server.address.port}"
    writer.write(
        f"GET /ws?{server.token(2)} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    await reader.readuntil(b"\r\n\r\n")
    assert b'"resumed":true' in await reader.readuntil(b'"resumed":true')
    return writer


async def test_many_who_were_long_away_all_get_what_they_missed() -> None:
    async with serving() as server:
        await _behind(server, note="")
        for first, rest in await asyncio.gather(*(_resume(server, 2 + number) for number in range(6))):
            assert first["resumed"] is True
            assert {message["type"] for message in rest} == {"batch"}
            assert rest[-1]["data"][-1]["data"]["name"] == f"new-{_EVENTS - 1}"


async def test_what_waits_for_clients_that_do_not_read_is_bounded() -> None:
    async with serving() as server:
        await _behind(server, note="x" * 1000)
        stalled = [await _stalled(server) for _ in range(3)]
        first, rest = await _resume(server, 2)
        assert first["resumed"] is False
        assert first["reason"].startswith("too many clients are catching up at once")
        assert rest[0]["type"] == "initial_state"
        for writer in stalled:
            writer.transport.abort()
        while True:  # until the server has noticed
            first, rest = await _resume(server, 2)
            if first["resumed"]:
                break
        assert {message["type"] for message in rest} == {"batch"}
