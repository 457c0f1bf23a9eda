"""Where a client wants to be from the start: `/ws?at=&speed=&paused=` and `/ws?follow=`."""

from __future__ import annotations

import json
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from kstream.core.errors import InvalidMessageError
from kstream.web.wishes import Wish, wished
from tests.web.serving import serving


@pytest.mark.parametrize(
    ("query", "wish"),
    [
        ({}, Wish()),
        ({"namespaces": "a"}, Wish()),
        ({"at": "-5m"}, Wish(own=True, at="-5m")),
        ({"at": "seq:7", "speed": "2.5"}, Wish(own=True, at="seq:7", speed=2.5)),
        ({"speed": "max"}, Wish(own=True, speed="max")),
        ({"at": "+1m", "paused": ""}, Wish(own=True, at="+1m", paused=True)),
        ({"paused": "true"}, Wish(own=True, paused=True)),
        ({"at": "-5m", "paused": "false"}, Wish(own=True, at="-5m")),
        ({"follow": "abc"}, Wish(follow="abc")),
    ],
)
def test_it_is_said_in_the_address(query: dict[str, str], wish: Wish) -> None:
    assert wished(query) == wish
    assert wish.elsewhere == bool(query.keys() & {"at", "speed", "paused", "follow"})


@pytest.mark.parametrize("beside", [{"at": "-5m"}, {"speed": "1"}, {"paused": ""}])
def test_who_follows_moves_nothing(beside: dict[str, str]) -> None:
    with pytest.raises(InvalidMessageError, match="its owner's"):
        wished({"follow": "abc"} | beside)


async def heard(ws: ClientConnection, kind: str) -> dict[str, Any]:
    while True:
        message: dict[str, Any] = json.loads(await ws.recv())
        if message["type"] == kind:
            return message


async def names(ws: ClientConnection) -> list[str]:
    state = await heard(ws, "initial_state")
    return [pod["name"] for pod in state["data"]["pods"]]


async def test_a_client_begins_as_fast_as_it_goes() -> None:
    async with serving() as server:
        await server.add_pods(*"abcde")
        async with connect(f"{server.ws}?at=seq:1&speed=max") as ws:
            assert (await heard(ws, "playback"))["data"]["speed"] == "max"
            while (await heard(ws, "playback"))["data"]["state"] != "live":
                pass


async def test_a_client_begins_at_a_moment_and_comes_to_the_present() -> None:
    async with serving() as server:
        await server.add_pods(*"abcde")
        async with connect(f"{server.ws}?at=seq:4&paused") as ws:
            first = json.loads(await ws.recv())
            assert (first["type"], first["resumed"]) == ("connection", False)
            told = await heard(ws, "playback")
            assert told["data"]["state"] == "paused"
            assert sorted(await names(ws)) == ["a", "b", "p1"]
            async with connect(f"{server.ws}?follow={told['data']['id']}") as guest:
                assert (await heard(guest, "playback"))["data"]["id"] == told["data"]["id"]
                assert sorted(await names(guest)) == ["a", "b", "p1"]
                await ws.send('{"type":"playback","action":"step"}')
                for each in (ws, guest):
                    assert (await heard(each, "pod_event"))["data"]["name"] == "c"
                await ws.send('{"type":"playback","action":"live"}')
                for each in (ws, guest):
                    while (await heard(each, "playback"))["data"]["state"] != "live":
                        pass
                    assert [event["data"]["name"] for event in (await heard(each, "batch"))["data"]] == [
                        "d",
                        "e",
                    ]


async def test_who_stepped_through_a_millisecond_comes_back_to_the_event_that_it_saw_last() -> None:
    async with serving() as server:
        await server.add_pods(*"abcde")  # all of them at once
        async with connect(f"{server.ws}?at=seq:3&paused") as ws:
            term = (await heard(ws, "connection"))["term"]
            await names(ws)
            await ws.send('{"type":"playback","action":"step"}')
            seen = await heard(ws, "pod_event")
        assert seen["seq"] == 4
        place = f"{server.ws}?at={seen['timestamp']}&paused&seq=4&epoch=epoch-1&term="
        async with connect(place + term) as ws:
            assert (await heard(ws, "initial_state"))["seq"] == 4
        for other in (
            place + "another",
            place.replace("epoch-1", "e") + term,
            place.replace("seq=4", "seq=99"),
        ):
            async with connect(other) as ws:
                assert (await heard(ws, "initial_state"))["seq"] == 7, (
                    "of what it is told only the time is known"
                )
        with pytest.raises(InvalidStatus):
            await connect(place.replace("seq=4", "seq=x"))


async def test_what_a_command_asks_in_vain_is_answered() -> None:
    async with serving() as server:
        await server.add_pods(*"abcde")
        async with connect(server.ws) as ws:
            await names(ws)
            await ws.send('{"type":"playback","action":"seek","at":"seq:99"}')
            error = (await heard(ws, "error"))["error"]
            assert (error["code"], error["message"]) == ("INVALID_MESSAGE", "That event is not there yet")
            await ws.send('{"type":"playback","action":"live"}')
            assert (await heard(ws, "playback"))["data"]["state"] == "live"
            await ws.send('{"type":"playback","action":"seek","at":"seq:4"}')
            there = (await heard(ws, "playback"))["timestamp"]
            await ws.send('{"type":"playback","action":"pause"}')
            await heard(ws, "playback")
            await ws.send('{"type":"playback","action":"seek","at":"seq:99"}')
            assert there <= (await heard(ws, "error"))["timestamp"] < there[:4] + "~", (
                "of the timeline that it is on"
            )


@pytest.mark.parametrize("query", ["at=seq:1", "speed=2", "follow=abc", "paused"])
async def test_a_server_may_offer_none(query: str) -> None:
    async with serving(max_timelines=0) as server:
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"{server.ws}?{query}")
    error = json.loads(refused.value.response.body or b"")["error"]
    assert error["message"] == "This server offers no private timelines"
    assert refused.value.response.status_code == 400


async def test_who_follows_what_has_ended_is_told_so_and_sees_the_present() -> None:
    async with serving() as server, connect(f"{server.ws}?follow=gone") as ws:
        assert (await heard(ws, "error"))["error"]["message"] == "There is no such timeline"
        assert await names(ws) == ["p1"]


async def test_one_too_many_is_asked_to_come_again() -> None:
    async with serving(max_timelines=1) as server:
        async with connect(f"{server.ws}?at=seq:1&paused") as ws:
            await heard(ws, "playback")
            with pytest.raises(InvalidStatus) as refused:
                await connect(f"{server.ws}?at=seq:1")
        answer = refused.value.response
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert json.loads(answer.body or b"")["error"]["code"] == "TOO_MANY_TIMELINES"
