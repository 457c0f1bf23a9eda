"""Whoever says nothing takes no place from those who do."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest

from kstream.processlog.lines import FIELDS
from kstream.web.callers import Callers
from tests.web.serving import connect, serving


@dataclass(eq=False)
class Wire:
    aborted: bool = False

    def abort(self) -> None:
        self.aborted = True


@dataclass(eq=False)
class Caller:
    transport: Wire | None = field(default_factory=Wire)

    @property
    def gone(self) -> bool:
        return self.transport is not None and self.transport.aborted


def come(callers: Callers, count: int) -> list[Caller]:
    """Connections, one after the other."""
    came = []
    for _ in range(count):
        came.append(Caller())
        callers.came(came[-1])
    return came


def test_past_the_most_the_one_that_has_been_silent_for_longest_goes() -> None:
    callers = Callers(100)
    came = come(callers, 150)
    assert [caller.gone for caller in came] == [True] * 50 + [False] * 100
    assert len(callers) == 100


def test_one_that_asked_is_silent_since_its_answer() -> None:
    callers = Callers(3)
    first, *others = come(callers, 3)
    callers.asks(first, client=False)
    callers.answered(first)
    come(callers, 2)
    assert [first.gone, *(other.gone for other in others)] == [False, True, True]


def test_who_asks_goes_after_all_who_are_silent_and_a_client_never() -> None:
    callers = Callers(2)
    asking, client, silent = come(callers, 2)[0], Caller(), Caller()
    callers.asks(asking, client=False)
    callers.asks(client, client=True)
    callers.came(silent)
    assert not asking.gone
    slow = come(callers, 2)
    assert (asking.gone, client.gone, silent.gone) == (False, False, True)
    for caller in slow:
        callers.asks(caller, client=False)
    (newcomer,) = come(callers, 1)
    assert [asking.gone, slow[0].gone, slow[1].gone, client.gone] == [True, True, False, False]
    assert not newcomer.gone, "whoever has only just come is heard"


def test_those_who_ask_leave_half_of_the_places_to_those_who_come() -> None:
    callers = Callers(100)
    asking = come(callers, 80)
    for caller in asking:
        callers.asks(caller, client=False)
    assert [caller.gone for caller in asking] == [True] * 30 + [False] * 50
    for _ in range(300):
        (newcomer,) = come(callers, 1)
        assert not newcomer.gone
        callers.asks(newcomer, client=True)


def test_who_is_shown_out_is_told_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    come(Callers(100), 101)
    assert [getattr(record, FIELDS) for record in caplog.records] == [
        {"connections": 1, "asked": False, "most": 100}
    ]


def test_nothing_is_kept_of_those_who_have_gone() -> None:
    callers = Callers(1000)
    for caller in (caller for _ in range(1000) for caller in come(callers, 1)):
        callers.asks(caller, client=False)
        caller.transport = None
        callers.answered(caller)
    assert len(callers) == 0
    for _ in range(1000):
        (caller,) = come(callers, 1)
        caller.transport = None
    assert len(callers) < 140, "who left without a word is found as others come"


@contextmanager
def open_files(most: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def silent(port: int, life: AsyncExitStack) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    life.callback(writer.close)
    return reader, writer


async def test_probes_and_clients_come_through_a_crowd_that_says_nothing() -> None:
    with open_files(400):
        limited = serving(max_clients=100)
        server = await limited.__aenter__()
    try:
        async with AsyncExitStack() as life, aiohttp.ClientSession() as http:
            crowd = [await silent(server.address.port, life) for _ in range(300)]
            for _ in range(3):
                async with http.get(server.http("/livez")) as response:
                    assert response.status == 200
            async with connect(server.ws) as ws:
                assert b"connection" in await ws.recv(decode=False)
                assert await crowd[0][0].read() == b"", "the first of them was shown out"
                crowd += [await silent(server.address.port, life) for _ in range(200)]
                await (await ws.ping())
    finally:
        await limited.__aexit__(None, None, None)


@pytest.mark.parametrize("path", ["/livez", "/ws"])
async def test_one_connection_may_ask_again_and_again(path: str) -> None:
    async with serving() as server, aiohttp.ClientSession() as http:
        for _ in range(5):
            async with http.get(server.http(path)) as response:
                assert response.status == (200 if path == "/livez" else 426)


def test_one_that_is_over_before_it_was_looked_at_is_not_kept() -> None:
    callers = Callers(2)
    callers.came(Caller(None))
    assert len(callers) == 0
