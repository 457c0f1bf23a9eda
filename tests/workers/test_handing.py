"""Connections that are handed from worker to worker; here both are servers of this process."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request
from websockets.asyncio.client import ClientConnection

from kstream.clock import SystemClock, VirtualClock
from kstream.ports import Clock
from kstream.workers.handing import Doors, Handing
from tests.making import START
from tests.web.serving import Running, connect, serving


def handing(doors: Doors, number: int, clock: Clock) -> Handing:
    """As a worker has it, to which each descriptor is a copy of its own."""
    return Handing([os.dup(each) for each in doors.of(number)], number=number, clock=clock)


@asynccontextmanager
async def two() -> AsyncIterator[tuple[Running, Running]]:
    doors = Doors(2)
    one, other = (handing(doors, number, SystemClock()) for number in range(2))
    try:
        async with serving(neighbours=one) as first, serving(neighbours=other) as second:
            yield first, second
    finally:
        for each in (one, other, doors):
            each.close()


async def heard(ws: ClientConnection, kind: str) -> dict[str, Any]:
    while True:
        message: dict[str, Any] = json.loads(await ws.recv())
        if message["type"] == kind:
            return message


async def test_who_follows_a_timeline_reaches_it_through_any_of_them(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with two() as servers:
        for server in servers:
            await server.add_pods(*"abcde")
        for number, (its, through) in enumerate((servers, servers[::-1])):
            async with connect(f"{its.ws}?at=seq:4&paused") as owner:
                name = (await heard(owner, "playback"))["data"]["id"]
                assert name.startswith(f"{number}.")
                guests = [f"{each.ws}?follow={name}" for each in (its, through)]
                async with connect(guests[0]) as near, connect(guests[1]) as far:
                    for guest in (near, far):
                        assert (await heard(guest, "initial_state"))["seq"] == 4
                    await owner.send('{"type":"playback","action":"step"}')
                    for guest in (near, far):
                        assert (await heard(guest, "pod_event"))["seq"] == 5
                    await far.send('{"type":"playback","action":"live"}')
                    assert (await heard(far, "batch"))["seq"] == 7
    assert "refused" not in caplog.text


class Wire:
    """The transport of a connection that is asked for here."""

    def __init__(self) -> None:
        self.there, self.here = socket.socketpair()
        self.aborted = False

    def get_extra_info(self, name: str) -> socket.socket | None:
        return self.here if name == "socket" else None

    def is_closing(self) -> bool:
        return self.aborted

    def abort(self) -> None:
        self.aborted = True
        self.here.close()

    def close(self) -> None:
        self.there.close()
        self.here.close()


async def test_a_request_is_handed_on_as_it_was_read_and_its_connection_stays_open() -> None:
    doors, wire = Doors(2), Wire()
    own = handing(doors, 0, VirtualClock(START))
    headers = {"Host": "h:1", "Cookie": "a=\u00e4"}
    path = "/ws?follow=1.x&namespaces=a%2Cb"
    request = make_mocked_request("GET", path, headers=headers, transport=wire)
    assert await own.hand_over(request, "1.x")
    assert not await own.hand_over(request, "1.x"), "it is gone"
    inside = socket.socket(fileno=os.dup(doors.of(1)[0]))
    head, descriptors, _, _ = socket.recv_fds(inside, 2**16, 1)
    assert head.decode() == f"GET {path} HTTP/1.1\r\nHost: h:1\r\nCookie: a=\u00e4\r\n\r\n"
    with socket.socket(fileno=descriptors[0]) as connection:
        connection.send(b"hello")
        assert wire.there.recv(5) == b"hello"
    for each in (inside, own, doors, wire):
        each.close()


async def test_of_a_timeline_that_has_ended_there_its_process_says_so() -> None:
    async with two() as (one, _), connect(f"{one.ws}?follow=1.gone") as ws:
        assert (await heard(ws, "error"))["error"]["message"] == "There is no such timeline"
        assert (await heard(ws, "initial_state"))["seq"] == 2


@pytest.mark.parametrize(
    "name", ["gone", "", ".", "7.x", "0.x", "-1.x", "1e0.x", "\u0661.x", "9" * 30 + ".x"]
)
async def test_what_is_the_own_one_or_that_of_nobody_stays(name: str) -> None:
    doors = Doors(2)
    own = handing(doors, 0, VirtualClock(START))
    assert not await own.hand_over(make_mocked_request("GET", "/ws"), name)
    own.close()
    doors.close()


async def test_one_that_takes_nothing_in_is_not_waited_for_for_ever() -> None:
    doors, clock, wires = Doors(2), VirtualClock(START), [Wire() for _ in range(3)]
    own = handing(doors, 0, clock)
    way = socket.socket(fileno=os.dup(doors.of(0)[2]))
    way.setblocking(False)
    with suppress(BlockingIOError):
        while True:
            way.send(b"x")
    left, long, late = (
        asyncio.ensure_future(own.hand_over(make_mocked_request("GET", path, transport=wire), "1.x"))
        for path, wire in zip(("/ws", "/ws?" + "x" * 2**16, "/ws"), wires, strict=True)
    )
    await clock.advance(1)
    wires[0].abort()
    await clock.advance(1.5)
    assert [await each for each in (left, long, late)] == [False] * 3
    assert [wire.aborted for wire in wires] == [True, False, False], "who was not handed over is still there"
    for wire in wires:
        wire.close()
    for each in (way, own, doors):
        each.close()
