"""The operator of a replay, over HTTP (PROTOCOL 28, 32)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from kstream.clock import VirtualClock
from kstream.core.timeline.events import Verb, WatchEvent
from kstream.core.timeline.timepoint import timestamp
from kstream.logs.memory import MemoryLog
from kstream.logs.replay import ReplayLog
from tests.making import START, body_of, pod_key
from tests.web.serving import playing, serving


@asynccontextmanager
async def replaying() -> AsyncIterator[tuple[Any, aiohttp.ClientSession, ReplayLog]]:
    """Ten pods, a second between them; nothing moves by itself."""
    log, clock = MemoryLog(epoch="e"), VirtualClock()
    keys = [pod_key(f"p{number}") for number in range(10)]
    await log.append(
        [WatchEvent(Verb.ADDED, key, "1", START + second, body_of(key)) for second, key in enumerate(keys)]
    )
    timeline = await ReplayLog.open(log, clock, paused=True, speed="1")
    async with (
        playing(timeline, clock, allow_origin=["http://friend.test"]) as server,
        aiohttp.ClientSession() as http,
    ):
        yield server, http, timeline


async def post(
    server: Any, http: aiohttp.ClientSession, body: Any, **headers: str
) -> tuple[int, dict[str, Any]]:
    data = body if isinstance(body, str) else json.dumps(body)
    async with http.post(server.http("/api/playback"), data=data, headers=headers) as answer:
        return answer.status, await answer.json()


async def test_an_answer_comes_when_what_was_asked_for_can_be_read() -> None:
    async with replaying() as (server, http, _):
        for command, shown in (
            ({"action": "seek", "at": timestamp(START + 5)}, 6),
            ({"action": "step"}, 7),
            ({"action": "pause"}, 7),
            ({"action": "seek", "at": "seq:0"}, 0),
            ({"action": "seek", "at": "seq:10"}, 10),
            ({"action": "step"}, 10),  # there is none left
        ):
            await post(server, http, command)
            async with http.get(server.http("/api/state")) as answer:
                state = await answer.json()
            assert (state["seq"], len(state["data"]["pods"])) == (shown, shown)


async def test_the_operator_drives_the_timeline_of_all() -> None:
    async with replaying() as (server, http, timeline):
        async with http.get(server.http("/api/playback")) as answer:
            told = await answer.json()
        assert (told["type"], told["data"]["state"], told["data"]["speed"]) == ("playback", "paused", 1.0)
        assert (told["data"]["start"], told["data"]["end"]) == (timestamp(START), timestamp(START + 9))
        status, told = await post(server, http, {"action": "play", "speed": 20})
        assert (status, told["data"]["state"], told["data"]["speed"]) == (200, "playing", 20.0)
        status, told = await post(server, http, {"action": "pause", "type": "playback"})
        assert (status, told["data"]["state"], timeline.playback["state"]) == (200, "paused", "paused")
        status, told = await post(server, http, {"action": "seek", "at": timestamp(START + 5)})
        assert (status, told["data"]["at"]) == (200, timestamp(START + 5))
        status, told = await post(server, http, {"action": "step", "speed": "max"})
        assert (status, told["data"]["state"], told["data"]["speed"]) == (200, "paused", "max")


@pytest.mark.parametrize(
    ("body", "details"),
    [
        ("nonsense", "Send a JSON object, with `action`"),
        ("[1]", "Send a JSON object, with `action`"),
        ("[" * 60_000, "Send a JSON object, with `action`"),
        (" " * 70_000, "65536 bytes is the most"),
        ({}, "action: "),
        ({"action": "explode"}, "action: "),
        ({"action": "seek"}, "at: give"),
        ({"action": "seek", "at": "yesterday"}, "at: 'yesterday'"),
        ({"action": "play", "speed": 0}, "speed: 0.0"),
        ({"action": "seek", "at": "yesterday", "speed": 9}, "at: 'yesterday'"),
        ({"action": "seek", "at": "seq:3", "speed": -1}, "speed: -1.0"),
        ({"action": "live"}, "action: 'live'"),
        ({"type": "ping"}, "type: 'ping' must be 'playback'"),
    ],
)
async def test_what_is_no_command_is_refused_and_moves_nothing(body: Any, details: str) -> None:
    async with replaying() as (server, http, timeline):
        before = timeline.playback
        status, told = await post(server, http, body)
        assert (status, told["error"]["code"]) == (400, "INVALID_MESSAGE")
        assert told["error"]["details"].startswith(details)
        assert timeline.playback == before


@pytest.mark.parametrize(
    ("origin", "status"), [("http://friend.test", 403), ("null", 403), ("http://evil.test", 403), ("", 200)]
)
async def test_only_pages_of_the_server_itself_may_move_it(origin: str, status: int) -> None:
    async with replaying() as (server, http, timeline):
        own = server.http("").rstrip("/")
        found, _ = await post(server, http, {"action": "play"}, Origin=origin or own)
        assert found == status
        assert timeline.playback["state"] == ("playing" if status == 200 else "paused")


async def test_a_timeline_that_is_live_says_so_and_is_not_moved() -> None:
    async with serving() as server, aiohttp.ClientSession() as http:
        async with http.get(server.http("/api/playback")) as answer:
            told = await answer.json()
        assert (told["data"]["state"], told["data"]["speed"], told["data"]["start"]) == (
            "live",
            1,
            timestamp(START),
        )
        status, told = await post(server, http, {"action": "pause"})
    assert (status, told["error"]["message"]) == (400, "This timeline is live: it cannot be moved")
    assert told["error"]["details"].endswith("a client goes to another moment by itself, with /ws?at=-5m")
