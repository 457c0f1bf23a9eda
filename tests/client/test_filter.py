"""Another filter: when it is asked for, and what of what is held outlives it. And how a client is left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from kstream.client import Client, Link, Status
from kstream.clock import VirtualClock
from kstream.core.errors import ConfigError
from tests.client.reading import RESUMED, Reader, loaded, reading, server
from tests.fake_stream_server import HELLO, FakeStreamServer, initial_state

__all__ = ["server"]  # a fixture


def subscription(*namespaces: str) -> dict[str, Any]:
    return {"type": "subscribe", "namespaces": list(namespaces)}


async def following(messages: AsyncIterator[dict[str, Any]]) -> dict[str, Any]:
    return await anext(messages)


async def leave(task: asyncio.Task[None]) -> None:
    """Nobody reads any more."""
    task.cancel()
    await asyncio.wait((task,))


async def waiting(reader: Reader) -> asyncio.Task[None]:
    """Somebody who reads, once the client waits for its next attempt."""
    task = asyncio.create_task(reader.read())
    await reader.until(Link.WAITING)
    return task


def stale(reader: Reader) -> bool:
    return reader.client.state.stale


async def test_a_filter_that_is_wanted_while_the_client_connects_is_asked_for_after_the_first_state(
    server: FakeStreamServer,
) -> None:
    async with reading(str(server.url), namespaces=["a"]) as reader:
        peer = await server.accept()
        await reader.client.subscribe(["b"])
        await peer.send(HELLO)
        await reader.until_got(1)
        assert peer.has_got_nothing()
        await peer.send(initial_state(10))
        assert await peer.receive() == subscription("b")
        assert stale(reader)
        await peer.send(initial_state(11))
        await reader.until_got(3)
        assert not stale(reader)
        peer.abort()
        await reader.until(Link.WAITING)
        await reader.clock.advance(1)
        assert (await server.accept()).query == {"namespaces": "b", "epoch": "e1", "term": "t1", "seq": "11"}


async def test_a_filter_that_is_wanted_while_a_resumed_client_connects_is_asked_for_at_the_greeting(
    server: FakeStreamServer,
) -> None:
    async with reading(str(server.url)) as reader:
        (await loaded(server, reader)).abort()
        await reader.until(Link.WAITING)
        await reader.clock.advance(1)
        peer = await server.accept()
        await reader.client.subscribe(["b"])
        await peer.send(RESUMED)
        assert await peer.receive() == subscription("b")
        assert stale(reader)


async def test_what_is_held_is_resumed_once_its_own_filter_is_wanted_again(server: FakeStreamServer) -> None:
    async with reading(str(server.url), namespaces=["a", "b"]) as reader:
        (await loaded(server, reader)).abort()
        await reader.until(Link.WAITING)
        await reader.client.subscribe(["b"])
        await reader.clock.advance(1)
        peer = await server.accept()
        assert peer.query == {"namespaces": "b"}
        await reader.client.subscribe(["b", "a"])
        peer.abort()
        wait = (await reader.until(Link.WAITING)).wait
        await reader.clock.advance(wait)
        assert (await server.accept()).query == {
            "namespaces": "b,a",
            "epoch": "e1",
            "term": "t1",
            "seq": "10",
        }


async def test_a_filter_that_the_url_asked_for_is_asked_for_once(server: FakeStreamServer) -> None:
    async with reading(str(server.url)) as reader:
        (await loaded(server, reader)).abort()
        await reader.until(Link.WAITING)
        await reader.client.subscribe(["b"])
        await reader.clock.advance(1)
        peer = await loaded(server, reader, 11)
        assert not stale(reader)
        await reader.clock.advance(30)
        assert (await peer.receive())["type"] == "ping"


async def test_of_filters_that_are_wanted_while_one_is_due_only_the_last_is_asked_for(
    server: FakeStreamServer,
) -> None:
    async with reading(str(server.url)) as reader:
        peer = await loaded(server, reader)
        for name in "abc":
            await reader.client.subscribe([name])
        await peer.send(initial_state(11))
        assert [await peer.receive(), await peer.receive()] == [subscription("a"), subscription("c")]
        assert stale(reader)
        await reader.client.subscribe(["c", "c"])
        await peer.send(initial_state(12))
        await reader.until_got(4)
        assert not stale(reader)
        assert peer.has_got_nothing()


async def test_a_subscription_that_the_rate_limit_dropped_is_said_again(server: FakeStreamServer) -> None:
    async with reading(str(server.url)) as reader:
        peer = await loaded(server, reader)
        await reader.client.subscribe(["a"])
        assert await peer.receive() == subscription("a")
        error = {"code": "RATE_LIMITED", "message": "", "details": ""}
        await peer.send({"type": "error", "error": error, "timestamp": HELLO["timestamp"]})
        assert await peer.receive() == subscription("a")


async def test_what_the_url_says_of_the_filter_and_of_a_resume_is_the_clients_to_write(
    server: FakeStreamServer,
) -> None:
    url = server.url.with_query(at="-5m", namespaces="a,b", epoch="e", term="t", seq="7")
    async with reading(str(url)) as reader:
        peer = await server.accept()
        assert peer.query == {"at": "-5m", "namespaces": "a,b"}
        await reader.client.subscribe([])
        peer.abort()
        wait = (await reader.until(Link.WAITING)).wait
        await reader.clock.advance(wait)
        assert (await server.accept()).query == {"at": "-5m"}


async def test_a_client_whose_first_connection_is_refused_no_longer_connects(
    server: FakeStreamServer,
) -> None:
    server.refusal = (404, {}, "")
    async with Client(str(server.url), clock=VirtualClock()) as client:
        with pytest.raises(ConfigError):
            await following(client.messages())
        assert client.status.link is Link.CLOSED
        assert "404" in client.status.reason


async def test_a_client_that_nobody_reads_any_more_waits_for_nothing(server: FakeStreamServer) -> None:
    reader = Reader("ws://127.0.0.1:1/ws")
    async with reader.client:
        task = await waiting(reader)
        await leave(task)
        assert reader.client.status.link is Link.CLOSED


@pytest.mark.parametrize("greeted", [True, False])
async def test_whoever_still_reads_when_the_client_is_left_comes_to_the_end(
    server: FakeStreamServer, greeted: bool
) -> None:
    reader = Reader(str(server.url))
    async with reader.client:
        task = asyncio.create_task(reader.read())
        if greeted:
            await loaded(server, reader)
        else:
            (await server.accept()).abort()
            await reader.until(Link.WAITING)
    if not greeted:
        await reader.clock.advance(60)
    await task
    assert reader.statuses[-1] == Status(Link.CLOSED)
    assert server.attempts == 1


async def test_a_client_that_is_entered_again_begins_to_count_its_attempts_again() -> None:
    reader = Reader("ws://127.0.0.1:1/ws")
    for _ in range(2):
        async with reader.client:
            task = asyncio.create_task(reader.read())
            waits = []
            for wait in (0, 1, 2):
                await reader.clock.advance(wait)
                status = await reader.until(Link.WAITING)
                waits.append((status.wait, status.failed))
            await leave(task)
        assert waits == [(1, 1), (2, 2), (4, 3)]


async def test_messages_end_with_their_block_though_the_client_is_entered_again(
    server: FakeStreamServer,
) -> None:
    client = Client(str(server.url), clock=VirtualClock())

    async def begun() -> AsyncIterator[dict[str, Any]]:
        messages = client.messages()
        first = asyncio.create_task(following(messages))
        await (await server.accept()).send(HELLO)
        assert (await first)["type"] == "connection"
        return messages

    async with client:
        messages = await begun()
    async with client:
        await begun()
        with pytest.raises(StopAsyncIteration):
            await following(messages)


async def test_a_reader_of_a_block_that_was_left_says_nothing_of_the_next_one() -> None:
    reader = Reader("ws://127.0.0.1:1/ws")
    async with reader.client:
        left = await waiting(reader)
    async with reader.client:
        task = await waiting(reader)
        await leave(left)
        assert reader.client.status.link is Link.WAITING
        await leave(task)


def test_a_client_outside_of_its_block_says_how_it_is_used() -> None:
    with pytest.raises(RuntimeError, match="async with"):
        Client("ws://h").messages()
