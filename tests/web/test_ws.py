"""The socket as clients that we did not write see it: the `websockets` library, and raw bytes."""

from __future__ import annotations

import asyncio
import base64
import gc
import json
import os
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp import web
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from kstream.core.delivery.session import Session
from kstream.core.timeline.events import Verb
from kstream.delivery.member import Member
from tests.frames_reader import Frame, FrameReader
from tests.making import change, pod_key
from tests.web.serving import Running, connect, decoded, serving
from tests.web.taking import take


async def send_and_read(ws: ClientConnection, message: str | bytes) -> None:
    await ws.send(message)
    await take(ws, 1)


async def test_connection_state_and_events_in_this_order() -> None:
    async with serving() as server, connect(server.ws) as ws:
        first, state = await take(ws, 2)
        await server.add_pods("p2")
        (event,) = await take(ws, 1)
    assert (first["type"], first["status"], first["epoch"]) == ("connection", "connected", "epoch-1")
    assert [pod["name"] for pod in state["data"]["pods"]] == ["p1"]
    assert (event["type"], event["action"], event["seq"]) == ("pod_event", "ADDED", 3)


async def test_a_ping_is_answered_with_its_own_timestamp() -> None:
    async with serving() as server, connect(server.ws) as ws:
        await take(ws, 2)
        await ws.send('{"type":"ping","timestamp":"2025-01-24T10:03:00Z"}')
        (pong,) = await take(ws, 1)
        assert (pong["type"], pong["timestamp"]) == ("pong", "2025-01-24T10:03:00Z")
        assert pong["asOf"] > "2026"


async def test_a_websocket_ping_is_answered() -> None:
    async with serving() as server, connect(server.ws) as ws:
        await (await ws.ping(b"there?"))


async def test_what_the_server_did_not_see_itself_is_resumed_from_the_log() -> None:
    async with serving() as server, connect(f"{server.ws}?" + server.token(1)) as ws:
        first, batch = await take(ws, 2)
    assert first["resumed"] is True
    assert (batch["type"], batch["seq"], batch["data"][0]["data"]["name"]) == ("batch", 2, "p1")


async def test_one_who_missed_nothing_gets_nothing_but_what_comes() -> None:
    async with serving() as server, connect(f"{server.ws}?" + server.token(2)) as ws:
        (first,) = await take(ws, 1)
        await server.add_pods("p2")
        (event,) = await take(ws, 1)
    assert (first["resumed"], event["type"], event["seq"]) == (True, "pod_event", 3)


async def test_a_token_that_retention_has_overtaken_gets_the_reason_and_a_state() -> None:
    async with serving() as server:
        # More than the window of recent events holds, so that only the log could tell it.
        for start in range(0, 24_000, 2000):
            await server.add_pods(*(f"new-{number}" for number in range(start, start + 2000)))
            await asyncio.sleep(0)
        await server.taken_in()
        await server.log.trim(24_000)
        async with connect(f"{server.ws}?" + server.token(2), max_size=None) as ws:
            first, state = await take(ws, 2)
    assert first["resumed"] is False
    assert first["reason"] == "seq 2 is no longer kept: the log begins at 24000"
    assert (state["type"], state["seq"], len(state["data"]["pods"])) == ("initial_state", 24_002, 24_001)


async def test_a_token_within_the_window_is_resumed_whatever_retention_has_dropped() -> None:
    async with serving() as server:
        async with connect(server.ws) as ws:
            await take(ws, 2)
            await server.add_pods("p2")
            await take(ws, 1)
        await server.log.trim(4)
        async with connect(f"{server.ws}?" + server.token(2)) as ws:
            first, batch = await take(ws, 2)
    assert (first["resumed"], batch["type"], batch["seq"]) == (True, "batch", 3)


async def test_who_is_connected_when_retention_overtakes_the_server_gets_a_fresh_state() -> None:
    async with serving() as server, connect(server.ws, max_size=None) as ws:
        await take(ws, 2)
        # Without a turn for others: more than is held in memory for a server that is busy, and dropped before it
        # could read it.
        for verb in (Verb.ADDED, Verb.MODIFIED):
            await server.log.append([change(verb, pod_key(f"new-{number}")) for number in range(12_000)])
        await server.log.trim(24_000)
        seen = await take(ws, 1)
        while seen[-1]["seq"] < 24_002:
            seen += await take(ws, 1)
    assert seen[0]["type"] == "initial_state"
    assert len(seen[0]["data"]["pods"]) == 12_001


async def test_a_missed_part_is_resumed_as_a_batch_without_a_state() -> None:
    async with serving() as server:
        await server.add_pods("p2", "p3")
        async with connect(f"{server.ws}?" + server.token(2)) as ws:
            first, batch = await take(ws, 2)
            await server.add_pods("p4")
            (event,) = await take(ws, 1)
        assert first["resumed"] is True
        assert (batch["type"], batch["seq"]) == ("batch", 4)
        assert [item["data"]["name"] for item in batch["data"]] == ["p2", "p3"]
        assert event["seq"] == 5


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("epoch=other&seq=1", "epoch"),
        ("epoch=epoch-1&term={term}&seq=99", "ahead"),
        ("epoch=epoch-1&term={term}&seq=0", "kept"),
        ("epoch=epoch-1&term=other&seq=2", "another term"),
        ("epoch=epoch-1&seq=2", "another term"),
    ],
)
async def test_a_token_that_cannot_be_resumed_gets_the_reason_and_a_state(token: str, reason: str) -> None:
    async with serving() as server:
        await server.log.trim(2)
        async with connect(f"{server.ws}?{token.format(term=server.log.terms[-1].id)}") as ws:
            first, state = await take(ws, 2)
        assert first["resumed"] is False
        assert reason in first["reason"]
        assert state["type"] == "initial_state"


@pytest.mark.parametrize(
    "query",
    [
        "namespaces=Not_A_Label",
        "namespaces=a,,b",
        "epoch=e",
        "seq=1",
        "epoch=e&seq=x",
        "epoch=e&seq=-1",
        "kinds=pod",
        "labels=%3Dweb",
        "at=noon",
        "speed=0",
    ],
)
async def test_a_bad_parameter_is_refused_before_the_upgrade(query: str) -> None:
    async with serving() as server:
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"{server.ws}?{query}")
    assert refused.value.response.status_code == 400
    error = json.loads(refused.value.response.body)["error"]
    assert set(error) == {"code", "message", "details"}
    assert error["code"] == "INVALID_MESSAGE"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost:5173"}, 101),
        ({"Host": "evil.example"}, 421),
        ({"Host": "10.1.2.3"}, 421),
        ({"Host": "kstream.test:3001"}, 101),
        ({"Host": "localhost:3001", "Origin": "http://localhost:3001"}, 101),
        ({"Host": "localhost:3001", "Origin": "http://localhost:3002"}, 403),
        ({"Host": "[::1]:99"}, 101),
    ],
)
async def test_origin_and_host_decide_before_the_upgrade(headers: dict[str, str], status: int) -> None:
    async with serving(allow_origin=("http://localhost:5173",), allow_host=("kstream.test",)) as server:
        reader, writer = await raw(server.ws, **headers)
        line = await reader.readline()
        writer.close()
    assert int(line.split()[1]) == status


async def test_past_the_most_clients_a_client_is_asked_to_come_back() -> None:
    async with serving(max_clients=1) as server, connect(server.ws):
        with pytest.raises(InvalidStatus) as refused:
            await connect(server.ws)
    assert refused.value.response.status_code == 503
    assert refused.value.response.headers["Retry-After"] == "5"


async def test_a_place_is_free_again_when_a_client_has_gone() -> None:
    async with serving(max_clients=1) as server:
        for _ in range(3):
            async with connect(server.ws) as ws:
                await take(ws, 1)
            async with aiohttp.ClientSession() as http:
                for _ in range(100):
                    async with http.get(server.http("/api/status")) as response:
                        if (await response.json())["clients"] == 0:
                            break


@pytest.mark.parametrize(
    ("message", "code"), [(b"binary", 1003), ("x" * (10 * 2**20 + 1), 1009)], ids=["binary", "oversize"]
)
async def test_what_may_not_be_sent_closes_the_socket_with_its_code(message: str | bytes, code: int) -> None:
    async with serving() as server, connect(server.ws, compression=None) as ws:
        await take(ws, 2)
        with pytest.raises(ConnectionClosed) as closed:
            await send_and_read(ws, message)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == code


async def test_a_message_that_inflates_past_the_limit_is_refused() -> None:
    async with serving() as server, connect(server.ws) as ws:
        await take(ws, 2)
        with pytest.raises(ConnectionClosed) as closed:
            await send_and_read(ws, "x" * (64 * 2**20))
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


async def test_what_inflates_to_millions_of_items_is_not_looked_at() -> None:
    """9.7 KB on the wire; to look at it took a second, in which nobody else was answered."""
    many = "[" + ",".join(["1"] * 3_300_000) + "]"
    async with serving() as server, connect(server.ws, compression="deflate") as ws:
        await take(ws, 2)
        await ws.send(json.dumps({"type": "subscribe", "namespaces": []})[:-2] + many)
        (error,) = await take(ws, 1)
        assert error["error"]["code"] == "INVALID_MESSAGE"
        assert "at most 65536 are looked at" in error["error"]["details"]


async def test_nothing_is_left_of_those_who_came_and_went() -> None:
    """Not even for the garbage collector, which comes by very seldom here."""
    async with serving() as server:
        gc.collect()
        gc.disable()
        try:
            for _ in range(1000):
                reader, writer = await raw(server.ws)
                await reader.read(1)
                writer.transport.abort()
            await gone(server)
            assert alive() < 3 * 250, "what the timers hold of the last who went"
        finally:
            gc.enable()


def alive() -> int:
    kinds = (Member, Session, web.WebSocketResponse)
    return sum(isinstance(each, kinds) for each in gc.get_objects())


async def gone(server: Running) -> None:
    """Until the server has noticed that nobody is there any more."""
    async with aiohttp.ClientSession() as http:
        while True:
            async with http.get(server.http("/api/status")) as answer:
                if (await answer.json())["clients"] == 0:
                    return


async def test_a_server_that_stops_says_1001() -> None:
    async with serving() as server:
        ws = await connect(server.ws)
        await take(ws, 2)
    with pytest.raises(ConnectionClosed) as closed:
        await take(ws, 1)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1001


async def raw(url: str, **headers: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A handshake by hand."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    sent = {
        "Host": parts.netloc,
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        **headers,
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
    writer.write(f"GET /ws HTTP/1.1\r\n{lines}\r\n".encode())
    return reader, writer


async def frames_of(url: str, count: int, **headers: str) -> tuple[str, list[Frame]]:
    reader, writer = await raw(url, **headers)
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    frames: list[Frame] = []
    decoder = FrameReader()
    while len(frames) < count:
        frames += decoder.feed(await reader.read(65536))
    writer.close()
    return head, frames


async def test_more_than_a_kilobyte_is_compressed_and_less_is_not_as_seen_on_the_raw_frames() -> None:
    async with serving() as server:
        await server.add_pods("large", note="x" * 1500)
        head, frames = await frames_of(
            server.ws, 2, **{"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"}
        )
    assert "permessage-deflate" in head
    assert [frame.compressed for frame in frames] == [False, True]
    assert decoded(frames[1].payload)["type"] == "initial_state"


async def test_a_client_that_offers_no_compression_gets_none() -> None:
    async with serving() as server:
        await server.add_pods("large", note="x" * 1500)
        head, frames = await frames_of(server.ws, 2)
    assert "permessage-deflate" not in head
    assert [frame.compressed for frame in frames] == [False, False]


@pytest.mark.parametrize(
    "offer", ["server_max_window_bits=10", "server_no_context_takeover", "client_no_context_takeover"]
)
async def test_every_offer_of_compression_is_kept(offer: str) -> None:
    async with serving() as server:
        await server.add_pods("large", note="x" * 5000)
        _, frames = await frames_of(
            server.ws, 2, **{"Sec-WebSocket-Extensions": f"permessage-deflate; {offer}"}
        )
    assert decoded(frames[1].payload)["type"] == "initial_state"


async def test_after_heavy_churn_a_clients_state_is_the_servers() -> None:
    async with serving() as server, connect(server.ws, max_size=None) as ws, aiohttp.ClientSession() as http:
        for number in range(200):
            verb = Verb.ADDED if number < 20 else Verb.MODIFIED
            await server.log.append([change(verb, pod_key(f"c{number % 20}"), note=str(number))])
        have: dict[str, Any] = {}
        seen_batch = False
        seq = 0
        while seq < server.log.head:
            (message,) = await take(ws, 1)
            if message["type"] == "initial_state":
                have = {pod["uid"]: pod for pod in message["data"]["pods"]}
            elif message["type"] in ("pod_event", "batch"):
                seen_batch |= message["type"] == "batch"
                for event in message["data"] if message["type"] == "batch" else [message]:
                    have[event["data"]["uid"]] = event["data"]
            seq = message.get("seq", seq)
        async with http.get(server.http("/api/state")) as response:
            state = await response.json()
    assert {pod["uid"]: pod for pod in state["data"]["pods"]} == have
    assert state["seq"] == seq


async def test_one_client_in_trouble_does_not_stop_another() -> None:
    async with serving() as server, connect(server.ws) as good:
        await take(good, 2)
        reader, writer = await raw(server.ws)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"\x81\x85nonsense that is no frame" * 50)
        await writer.drain()
        await server.add_pods("p2")
        assert (await take(good, 1))[0]["seq"] == 3
        writer.close()
