"""What a server says of one object's past, and what is no answer of one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from kstream.client import Client, Link
from kstream.core.errors import KstreamError, UnreachableError
from kstream.top.feed import ServerFeed
from kstream.top.steering import Command
from tests.fake_stream_server import HELLO, fake_stream_server, initial_state

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def asking(answer: Answer) -> AsyncIterator[ServerFeed]:
    app = web.Application()
    app.router.add_get("/api/objects/{uid}/history", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        page = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with aiohttp.ClientSession() as http:
            yield ServerFeed(Client(page), http, page)
    finally:
        await runner.cleanup()


async def test_a_history_is_all_of_its_pages_up_to_what_is_shown() -> None:
    asked: list[tuple[str, dict[str, str]]] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append((request.match_info["uid"], dict(request.query)))
        cursor = None if "cursor" in request.query else "seq:5"
        return web.json_response({"versions": [{"seq": len(asked)}], "cursor": cursor})

    async with asking(answer) as feed:
        assert await feed.history("a/b", 9) == [{"seq": 1}, {"seq": 2}]
    page = {"limit": "1000", "until": "seq:9"}
    assert asked == [("a/b", page), ("a/b", page | {"cursor": "seq:5"})]


async def test_of_a_history_that_never_ends_there_are_ten_pages() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.json_response({"versions": [{}], "cursor": "seq:1"})

    async with asking(answer) as feed:
        assert len(await feed.history("u", None)) == 10


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (404, '{"error": {"message": "Nothing is recorded", "details": "u"}}', "Nothing is recorded: u"),
        (200, "<html>", "is no answer of kstream"),
        (502, "<html>", "is no answer of kstream"),
    ],
)
async def test_what_is_no_history_is_told(status: int, body: str, said: str) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text=body)

    async with asking(answer) as feed:
        with pytest.raises(KstreamError, match=said):
            await feed.history("u", None)


async def test_a_server_that_is_gone_and_an_answer_without_end_are_told() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(40):
            await response.write(b" " * (1 << 20))
        return response

    async with asking(answer) as feed:
        with pytest.raises(KstreamError, match="larger than 32 MB"):
            await feed.history("u", None)
    async with aiohttp.ClientSession() as http:
        feed = ServerFeed(Client("ws://127.0.0.1:1"), http, "http://127.0.0.1:1")
        with pytest.raises(UnreachableError, match="is a server running there"):
            await feed.history("u", None)


async def test_what_was_said_first_is_not_lost_and_commands_are_sent() -> None:
    async with (
        fake_stream_server() as server,
        Client(str(server.url)) as client,
        aiohttp.ClientSession() as http,
    ):
        feed = ServerFeed(client, http, "http://127.0.0.1:1")
        begun = asyncio.ensure_future(feed.begin())
        peer = await server.accept()
        await peer.send(HELLO, initial_state(1))
        await begun
        messages = feed.messages()
        assert [(await anext(messages))["type"] for _ in range(2)] == ["connection", "initial_state"]
        assert (feed.status.link, feed.state.seq) == (Link.CONNECTED, 1)
        await feed.command(Command("seek", at="-10s"))
        assert await peer.receive() == {"type": "playback", "action": "seek", "at": "-10s"}


async def test_a_server_that_is_not_there_is_told_at_once() -> None:
    async with Client("ws://127.0.0.1:1", wait_for_server=False) as client, aiohttp.ClientSession() as http:
        with pytest.raises(UnreachableError):
            await ServerFeed(client, http, "http://127.0.0.1:1").begin()
