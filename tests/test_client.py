"""The Python client against a server that does what the test says; the time of its waits is virtual."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from kstream.client import Client, Link, Status
from kstream.clock import VirtualClock
from kstream.core.errors import ConfigError, ForbiddenError, InvalidMessageError, UnreachableError
from tests.client.reading import RESUMED, loaded, reading, server
from tests.fake_stream_server import HELLO, FakeStreamServer, initial_state, pod_event

__all__ = ["server"]  # a fixture


async def test_messages_come_folded_and_the_filter_is_asked_for(server: FakeStreamServer) -> None:
    async with reading(str(server.url), namespaces=["default", "shop"]) as reader:
        peer = await server.accept()
        assert peer.query == {"namespaces": "default,shop"}
        await peer.send(HELLO, initial_state(10), pod_event("p", 11))
        await reader.until_got(3)
        assert [message["type"] for message in reader.got] == ["connection", "initial_state", "pod_event"]
        assert set(reader.client.state.pods) == {"p"}
        assert reader.client.status == Status(Link.CONNECTED)
        assert not reader.client.state.stale
    assert reader.client.status == Status(Link.CLOSED)
    assert reader.client.state.stale


@pytest.mark.parametrize("path", ["", "/"])
async def test_an_address_without_a_path_means_the_stream(server: FakeStreamServer, path: str) -> None:
    async with reading(f"http://127.0.0.1:{server.url.port}{path}?at=-5m"):
        peer = await server.accept()
        assert peer.query == {"at": "-5m"}


@pytest.mark.parametrize("url", ["", "ftp://host/ws", "ws://", "ws://[oops", "http://host:x"])
def test_what_is_no_address_is_refused_at_once(url: str) -> None:
    with pytest.raises(ConfigError, match="ws://localhost:3001/ws"):
        Client(url)


async def test_a_lost_connection_is_resumed_after_one_second(server: FakeStreamServer) -> None:
    async with reading(str(server.url), namespaces=["shop"]) as reader:
        peer = await loaded(server, reader)
        await peer.send(pod_event("p", 12))
        await reader.until_got(3)
        peer.abort()
        status = await reader.until(Link.WAITING)
        assert (status.wait, status.failed, status.error) == (1.0, 0, None)
        assert reader.client.state.stale
        await reader.clock.advance(0.99)
        assert server.attempts == 1
        await reader.clock.advance(0.01)
        peer = await server.accept()
        assert peer.query == {"namespaces": "shop", "epoch": "e1", "term": "t1", "seq": "12"}
        await peer.send(RESUMED, pod_event("q", 13))
        await reader.until_got(5)
        assert set(reader.client.state.pods) == {"p", "q"}
        assert not reader.client.state.stale


async def test_a_closing_server_is_reconnected_to_and_its_code_is_told(server: FakeStreamServer) -> None:
    async with reading(str(server.url), resume=False) as reader:
        peer = await loaded(server, reader)
        await peer.close(1013)
        status = await reader.until(Link.WAITING)
        assert "1013" in status.reason
        await reader.clock.advance(1)
        peer = await server.accept()
        assert peer.query == {}


async def test_a_private_timeline_is_not_resumed(server: FakeStreamServer) -> None:
    async with reading(str(server.url.with_query(at="-5m", speed="2"))) as reader:
        peer = await loaded(server, reader)
        peer.abort()
        await reader.until(Link.WAITING)
        await reader.clock.advance(1)
        assert (await server.accept()).query == {"at": "-5m", "speed": "2"}


async def test_who_was_elsewhere_is_there_again_and_who_came_home_resumes(server: FakeStreamServer) -> None:
    async with reading(str(server.url.with_query(at="-5m", speed="2"))) as reader:
        peer = await loaded(server, reader)
        now = "2025-01-24T10:00:00.000Z"
        told = {"type": "playback", "timestamp": now}
        there = {"state": "paused", "speed": 0.5, "at": now, "start": now, "end": now}
        await peer.send(told | {"data": there | {"id": "x"}})
        await reader.until_got(3)
        peer.abort()
        await reader.until(Link.WAITING)
        await reader.clock.advance(1)
        peer = await server.accept()
        place = {"at": "2025-01-24T10:00:00.000Z", "speed": "0.5", "paused": "true"}
        assert peer.query == place | {"epoch": "e1", "seq": "10", "term": "t1"}
        await peer.send(HELLO, told | {"data": there | {"state": "live"}}, initial_state(12))
        await reader.until_got(6)
        peer.abort()
        await reader.until(Link.WAITING)
        await reader.clock.advance(1)
        assert (await server.accept()).query == {"epoch": "e1", "term": "t1", "seq": "12"}


async def test_a_server_that_is_down_is_tried_after_1_2_4_8_16_30_seconds_and_the_error_comes_after_five(
    server: FakeStreamServer,
) -> None:
    async with reading(str(server.url)) as reader:
        peer = await loaded(server, reader)
        server.refusal = (502, {}, "")
        peer.abort()
        waits, errors = [], []
        for _ in range(7):
            status = await reader.until(Link.WAITING)
            waits.append(status.wait)
            errors.append(status.error)
            await reader.clock.advance(status.wait)
        assert waits == [1, 2, 4, 8, 16, 30, 30]
        assert errors[:5] == [None] * 5
        assert all(isinstance(error, UnreachableError) for error in errors[5:])
        server.refusal = None
        await reader.until(Link.WAITING)
        await reader.clock.advance(30)
        peer = await server.accept()
        await peer.send(RESUMED)
        await reader.until(Link.CONNECTED)
        peer.abort()
        status = await reader.until(Link.WAITING)
        assert (status.wait, status.failed) == (1, 0)


async def test_a_server_that_accepts_and_says_nothing_before_it_closes_counts_as_failed(
    server: FakeStreamServer,
) -> None:
    async with reading(str(server.url)) as reader:
        waits = []
        for _ in range(3):
            await (await server.accept()).close()
            status = await reader.until(Link.WAITING)
            waits.append((status.wait, status.failed))
            await reader.clock.advance(status.wait)
        assert waits == [(1, 1), (2, 2), (4, 3)]


async def test_a_full_server_says_when_to_come_back(server: FakeStreamServer) -> None:
    server.refusal = (503, {"Retry-After": "20"}, "")
    async with reading(str(server.url)) as reader:
        status = await reader.until(Link.WAITING)
        assert status.wait == 20
        assert "503" in status.reason


async def following(messages: AsyncIterator[dict[str, Any]]) -> dict[str, Any]:
    return await anext(messages)


async def first_message(url: str, **options: Any) -> dict[str, Any]:
    async with Client(url, clock=VirtualClock(), **options) as client:
        return await following(client.messages())


async def test_a_first_connection_that_must_succeed_fails_with_the_cause() -> None:
    with pytest.raises(UnreachableError, match=r"Cannot reach ws://127\.0\.0\.1:1/ws.*running there"):
        await first_message("ws://127.0.0.1:1/ws", wait_for_server=False)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, ConfigError),
        (401, ForbiddenError),
        (403, ForbiddenError),
        (404, ConfigError),
        (200, ConfigError),
    ],
)
async def test_a_refusal_is_a_clear_error_with_what_the_server_said(
    server: FakeStreamServer, status: int, error: type[Exception]
) -> None:
    told = {"code": "INVALID_MESSAGE", "message": "A namespace is no DNS label", "details": "namespaces: 'A'"}
    server.refusal = (status, {}, json.dumps({"error": told}))
    with pytest.raises(error, match=rf"HTTP {status}: A namespace is no DNS label \(namespaces: 'A'\)"):
        await first_message(str(server.url))


@pytest.mark.parametrize("body", ["", "<html>", "[]", "{}", '{"error": "no"}', '{"error": {"code": 1}}'])
async def test_a_refusal_without_a_reason_is_still_a_clear_error(server: FakeStreamServer, body: str) -> None:
    server.refusal = (403, {}, body)
    with pytest.raises(ForbiddenError, match="HTTP 403"):
        await first_message(str(server.url))


async def test_a_refusal_after_it_worked_is_waited_out_and_not_resumed_again(
    server: FakeStreamServer,
) -> None:
    async with reading(str(server.url)) as reader:
        peer = await loaded(server, reader)
        server.refusal = (400, {}, "")
        peer.abort()
        await reader.until(Link.WAITING)
        await reader.clock.advance(1)
        status = await reader.until(Link.WAITING)
        assert (status.wait, status.failed) == (2, 1)
        server.refusal = None
        await reader.clock.advance(2)
        assert (await server.accept()).query == {}


async def test_a_server_that_is_full_for_a_moment_is_resumed_from(server: FakeStreamServer) -> None:
    async with reading(str(server.url)) as reader:
        peer = await loaded(server, reader)
        server.refusal = (503, {}, "")
        peer.abort()
        await reader.until(Link.WAITING)
        await reader.clock.advance(1)
        await reader.until(Link.WAITING)
        server.refusal = None
        await reader.clock.advance(2)
        assert (await server.accept()).query["epoch"] == "e1"


async def test_without_reconnection_the_messages_end_with_the_connection(server: FakeStreamServer) -> None:
    async with reading(str(server.url), reconnect=False) as reader:
        peer = await loaded(server, reader)
        await peer.close()
        status = await reader.until(Link.CLOSED)
        assert "1001" in status.reason
        assert server.attempts == 1


async def test_a_ping_goes_every_thirty_seconds_and_pongs_keep_the_connection(
    server: FakeStreamServer,
) -> None:
    async with reading(str(server.url)) as reader:
        peer = await loaded(server, reader)
        for beat in range(1, 5):
            await reader.clock.advance(29.875)
            assert peer.has_got_nothing()
            await reader.clock.advance(0.125)
            ping = await peer.receive()
            assert ping == {
                "type": "ping",
                "timestamp": f"1970-01-01T00:0{beat // 2}:{30 * (beat % 2):02d}.000Z",
            }
            await peer.send({"type": "pong", "timestamp": ping["timestamp"]})
            await reader.until_got(2 + beat)
        assert reader.client.status.link is Link.CONNECTED


async def test_a_missing_pong_ends_the_connection_after_ten_seconds_though_other_messages_come(
    server: FakeStreamServer,
) -> None:
    async with reading(str(server.url)) as reader:
        peer = await loaded(server, reader)
        await reader.clock.advance(30)
        await peer.receive()
        await reader.clock.advance(9.9)
        await peer.send(pod_event("p", 11))
        await reader.until_got(3)
        assert reader.client.status.link is Link.CONNECTED
        await reader.clock.advance(0.1)
        status = await reader.until(Link.WAITING)
        assert "No pong" in status.reason
        await peer.over.wait()
        await reader.clock.advance(1)
        assert (await server.accept()).query == {"epoch": "e1", "term": "t1", "seq": "11"}


async def test_a_caller_that_does_not_read_does_not_lose_its_connection(server: FakeStreamServer) -> None:
    clock = VirtualClock()
    async with Client(str(server.url), clock=clock) as client:
        messages = client.messages()
        first = asyncio.create_task(following(messages))
        peer = await server.accept()
        await peer.send(HELLO)
        await first
        await clock.advance(30)
        ping = await peer.receive()
        await peer.send({"type": "pong", "timestamp": ping["timestamp"]})
        await clock.advance(300)
        assert client.status.link is Link.CONNECTED
        assert (await following(messages))["type"] == "pong"
        await peer.send(initial_state(3))
        assert (await following(messages))["type"] == "initial_state"


async def test_another_filter_is_asked_for_and_kept_for_the_next_connection(server: FakeStreamServer) -> None:
    async with reading(str(server.url), namespaces=["a"]) as reader:
        peer = await loaded(server, reader)
        await reader.client.subscribe(["b", "c"])
        assert await peer.receive() == {"type": "subscribe", "namespaces": ["b", "c"]}
        assert reader.client.state.stale
        peer.abort()
        await reader.until(Link.WAITING)
        await reader.client.subscribe(["d"])
        await reader.clock.advance(1)
        assert (await server.accept()).query == {"namespaces": "d"}


async def test_playback_commands_are_sent_and_need_a_connection(server: FakeStreamServer) -> None:
    async with reading(str(server.url)) as reader:
        peer = await loaded(server, reader)
        await reader.client.playback("seek", at="-5m")
        await reader.client.playback("play", speed="max")
        assert await peer.receive() == {"type": "playback", "action": "seek", "at": "-5m"}
        assert await peer.receive() == {"type": "playback", "action": "play", "speed": "max"}
        peer.abort()
        await reader.until(Link.WAITING)
        with pytest.raises(UnreachableError, match="not connected"):
            await reader.client.playback("pause")


@pytest.mark.parametrize("text", ["hello", "[]", "{}", '{"type": "pod_event"}'])
async def test_what_is_no_message_of_the_protocol_is_an_error(server: FakeStreamServer, text: str) -> None:
    async with Client(str(server.url), clock=VirtualClock()) as client:
        message = asyncio.create_task(following(client.messages()))
        peer = await server.accept()
        await peer.socket.send_str(text)
        with pytest.raises(InvalidMessageError):
            await message


async def test_binary_data_is_an_error(server: FakeStreamServer) -> None:
    async with Client(str(server.url), clock=VirtualClock()) as client:
        message = asyncio.create_task(following(client.messages()))
        peer = await server.accept()
        await peer.socket.send_bytes(b"x")
        with pytest.raises(InvalidMessageError, match="binary"):
            await message


async def test_compression_is_offered(server: FakeStreamServer) -> None:
    async with reading(str(server.url)):
        peer = await server.accept()
        assert "permessage-deflate" in peer.request.headers["Sec-WebSocket-Extensions"]


@pytest.mark.parametrize("filter", [{"namespaces": "shop"}, {"kinds": "pods"}, {"namespaces": None}])
def test_a_filter_that_is_no_list_of_names_is_refused_before_anything_is_asked(
    filter: dict[str, Any],
) -> None:
    with pytest.raises(TypeError, match="give a list of names"):
        Client("ws://127.0.0.1:1/ws", **filter)
