"""Faults on demand, as a frontend meets them."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from kstream.core.delivery.socketfaults import CloseWith, Delay, Drop, parse_faults
from kstream.core.errors import ConfigError
from tests.web.serving import connect, decoded, serving


def test_faults_are_read_as_they_are_written() -> None:
    assert parse_faults(["drop:after=10", "delay:seconds=0.5", "close:after=1,code=4000"]) == (
        Drop(kind="drop", after=10),
        Delay(kind="delay", seconds=0.5),
        CloseWith(kind="close", after=1, code=4000),
    )


@pytest.mark.parametrize(
    ("text", "named"),
    [("explode", "kind"), ("drop", "after"), ("drop:soon", "NAME=VALUE"), ("delay:second=1", "second")],
)
def test_a_fault_that_is_none_is_named(text: str, named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        parse_faults([text])


async def read_on(ws: ClientConnection) -> None:
    while True:
        await ws.recv()


async def test_a_dropped_connection_ends_without_a_close_frame_and_the_next_one_works() -> None:
    async with serving(fault=parse_faults(["drop:after=0.05"])) as server:
        for _ in range(2):
            ws = await connect(server.ws)
            with pytest.raises(ConnectionClosed) as closed:
                await read_on(ws)
            assert closed.value.rcvd is None


async def test_a_close_has_its_code() -> None:
    async with serving(fault=parse_faults(["close:after=0.05,code=4321"])) as server:
        ws = await connect(server.ws)
        with pytest.raises(ConnectionClosed) as closed:
            await read_on(ws)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4321


async def test_delayed_messages_come_in_order() -> None:
    async with serving(fault=parse_faults(["delay:seconds=0.1"])) as server, connect(server.ws) as ws:
        await server.add_pods("a")
        types = [decoded(await ws.recv())["type"] for _ in range(2)]
        assert types == ["connection", "initial_state"]


async def test_a_deaf_server_sends_events_and_no_pongs() -> None:
    async with serving(fault=parse_faults(["deaf"])) as server, connect(server.ws) as ws:
        for _ in range(2):
            await ws.recv()
        await ws.send('{"type":"ping"}')
        pong = asyncio.ensure_future(await ws.ping())
        await server.add_pods("a")
        assert decoded(await ws.recv())["type"] == "pod_event"
        assert not pong.done()
        pong.cancel()


async def test_a_mute_server_stays_open_and_says_nothing() -> None:
    async with serving(fault=parse_faults(["mute"])) as server, connect(server.ws) as ws:
        heard = asyncio.ensure_future(ws.recv())
        await server.add_pods("a")
        await ws.send('{"type":"ping"}')
        async with aiohttp.ClientSession() as session:  # whatever is answered comes after it has had its turn
            await session.get(server.ws.replace("ws://", "http://").replace("/ws", "/livez"))
        assert not heard.done()
        assert ws.state.name == "OPEN"
        heard.cancel()
        ws.transport.abort()


async def test_the_first_attempts_are_refused() -> None:
    async with serving(fault=parse_faults(["refuse:first=2"])) as server:
        for _ in range(2):
            with pytest.raises(InvalidStatus):
                await connect(server.ws)
        async with connect(server.ws) as ws:
            assert decoded(await ws.recv())["type"] == "connection"
