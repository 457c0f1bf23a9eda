"""Who does not get onto the socket, and what it is told; whoever stays away from a ping too long, and who does not."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from kstream.clock import VirtualClock
from kstream.core.delivery.socketfaults import parse_faults
from tests.conformance.client import BINARY, CLOSE, PING, PONG, TEXT, RawClient, frame, json_of
from tests.making import START
from tests.web.serving import Running, connect, decoded, serving

UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


async def refused(
    server: Running, query: str = "", **headers: str
) -> tuple[int, dict[str, str], dict[str, str]]:
    async with (
        aiohttp.ClientSession() as http,
        http.get(server.http("/ws" + query), headers=UPGRADE | headers) as response,
    ):
        if response.status == 101:
            return 101, {}, {}
        return response.status, dict(response.headers), (await response.json())["error"]


async def test_a_server_that_is_full_says_how_many_it_takes_and_when_to_come_back() -> None:
    async with serving(max_clients=2) as server, connect(server.ws), connect(server.ws):
        status, headers, error = await refused(server)
    assert (status, error["code"], headers["Retry-After"]) == (503, "TOO_MANY_CLIENTS", "5")
    assert error["details"] == "At most 2 at once (--max-clients)"


async def test_a_request_that_is_no_handshake_is_told_how_to_make_one() -> None:
    async with serving() as server:
        status, headers, error = await refused(server, Upgrade="h2c")
    assert (status, error["code"]) == (426, "UPGRADE_REQUIRED")
    assert (headers["Upgrade"], headers["Sec-WebSocket-Version"]) == ("websocket", "13")


async def test_as_many_attempts_are_refused_as_the_faults_say_together() -> None:
    async with serving(fault=parse_faults(["refuse:first=1", "refuse:first=2"])) as server:
        assert (await refused(server, Upgrade="h2c"))[0] == 426, "that was none"
        for _ in range(3):
            status, headers, error = await refused(server)
            assert (status, error["code"], headers["Retry-After"]) == (503, "TOO_MANY_CLIENTS", "1")
        async with connect(server.ws) as ws:
            assert decoded(await ws.recv())["type"] == "connection"


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("?epoch=e", "epoch and seq go together"),
        ("?seq=1", "epoch and seq go together"),
        ("?epoch=e&seq=" + "9" * 19, "seq: '9999999999999999999' is not a number"),
        ("?epoch=e&seq=" + "x" * 50, "seq: '" + "x" * 40 + "' is not a number"),
        ("?epoch=e&seq=%C2%B2", "seq: '²' is not a number"),
        ("?epoch=e&seq=", "seq: '' is not a number"),
        ("?at=noon", "at: 'noon': give"),
        ("?at=" + "1" * 101, "at: more than 100 characters"),
        ("?at=seq:99999", "at: 'seq:99999': the last one is seq:"),
        ("?speed=0.01", "speed: '0.01': give a number from 0.1 to 1000"),
        ("?speed=fast", "speed: 'fast': give a number above 0"),
        ("?at=seq:1&paused=perhaps", "paused: 'perhaps'"),
        ("?follow=x&at=seq:1", "follow: leave out at, speed and paused"),
        ("?namespaces=Not_A_Label", "namespaces: 'Not_A_Label' must be"),
    ],
)
async def test_a_parameter_that_is_wrong_is_named(query: str, named: str) -> None:
    async with serving() as server:
        status, _, error = await refused(server, query)
    assert (status, error["code"]) == (400, "INVALID_MESSAGE")
    assert error["details"].startswith(named)


async def test_a_seq_may_be_far_ahead_and_is_still_a_number() -> None:
    async with serving() as server, connect(f"{server.ws}?{server.token(int('9' * 18))}") as ws:
        first = decoded(await ws.recv())
    assert first["reason"] == f"seq {'9' * 18} is ahead of this timeline, which is at 2"


async def until(client: RawClient, opcode: int, **expected: Any) -> None:
    """Read on to a frame of that sort; of texts, one that says this."""
    while True:
        found = await client.frame()
        assert found is not None, "the connection ended before"
        if found.opcode == opcode and expected.items() <= (json_of(found) if opcode == TEXT else {}).items():
            return


@pytest.mark.parametrize("answers", [True, False])
async def test_who_answers_a_ping_is_there_after_45_seconds_and_who_does_not_is_not(answers: bool) -> None:
    clock = VirtualClock(START)
    async with serving(clock=clock) as server:
        client = await RawClient.connect(server.ws)
        await until(client, TEXT, type="initial_state")
        await clock.advance(30)
        await until(client, PING)
        said = frame(TEXT, b'{"type":"ping","timestamp":"t"}')
        await client.send([frame(PONG), said] if answers else [said])
        await until(client, TEXT, type="pong", timestamp="t")
        await clock.advance(15)
        if answers:
            await server.add_pods("new")
            await until(client, TEXT, type="pod_event")
            client.close()
        else:
            assert CLOSE not in [found.opcode for found in await client.rest()], "it is cut off"


async def test_what_the_server_ends_is_counted_by_its_code_once() -> None:
    async with serving() as server, aiohttp.ClientSession() as http:
        for count in (1, 2):
            client = await RawClient.connect(server.ws)
            await client.send([frame(BINARY, b"x"), frame(BINARY, b"y"), frame(PING, b"late")])
            await until(client, CLOSE)
            async with http.get(server.http("/metrics")) as response:
                assert f'kstream_closes_total{{code="1003"}} {count}.0' in await response.text()
            client.close()
