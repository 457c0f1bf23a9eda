"""Taking clients in, and what may happen meanwhile. test_ws.py has the usual case, test_resuming.py what is resumed."""

from __future__ import annotations

import asyncio
import gc
import json
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

import pytest
from aiohttp import web

from kstream.clock import VirtualClock
from kstream.core.delivery.limits import MAX_TAKEN
from kstream.core.delivery.socketfaults import SocketFault, parse_faults
from kstream.core.timeline.events import Verb
from kstream.core.timeline.state import ClusterState
from kstream.delivery.hub import Hub
from kstream.delivery.timelines import Timelines
from kstream.logs.memory import MemoryLog
from kstream.tracebacks import forget_frames
from kstream.web.metrics import Visits
from kstream.web.neighbours import Alone
from kstream.web.seats import OwnSeats, Seats
from kstream.web.ws import WebSockets
from tests.conformance.client import CLOSE, PING, PONG, TEXT, RawClient, closing, frame, json_of
from tests.hubs import running
from tests.making import START, change, pod_key
from tests.workshop import Workshop

_MISSED = 1001  # events: more than are encoded on the spot


class Door(NamedTuple):
    """A server that is a socket and nothing else."""

    url: str
    hub: Hub
    clock: VirtualClock
    log: MemoryLog
    visits: Visits
    sockets: WebSockets

    @property
    def token(self) -> str:
        """Of one who missed everything."""
        return f"?epoch=epoch-1&term={self.log.terms[-1].id}&seq=0"


@asynccontextmanager
async def door(seats: Seats | None = None, faults: Sequence[SocketFault] = ()) -> AsyncIterator[Door]:
    log = MemoryLog(epoch="epoch-1")
    await log.append([change(Verb.ADDED, pod_key(f"p{n}")) for n in range(_MISSED)])
    state = ClusterState()
    state.load((), seq=log.head, time=START)
    async with running(state=state) as (hub, clock):
        visits = Visits()
        sockets = WebSockets(
            hub,
            log,
            visits,
            seats=seats or OwnSeats(9),
            timelines=Timelines(hub, log, time=clock.time, most=3, metrics_interval=10.0),
            neighbours=Alone(),
            faults=faults,
        )
        app = web.Application()
        app.router.add_get("/ws", sockets.handle)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield Door(f"ws://127.0.0.1:{runner.addresses[0][1]}/ws", hub, clock, log, visits, sockets)
        finally:
            await runner.cleanup()


async def until(done: Callable[[], object]) -> None:
    """The other end of a connection tells nobody what it has seen."""
    while not done():  # noqa: ASYNC110
        await asyncio.sleep(0)


async def test_what_one_has_missed_is_encoded_and_given_and_that_is_counted() -> None:
    async with door() as at:
        workshop = Workshop()
        client = await RawClient.connect(at.url + at.token)
        await until(lambda: workshop.jobs)
        assert (len(at.hub), at.visits.resumes) == (0, {})
        await workshop.work(at.clock)
        first, batch = map(json_of, await client.state())
        client.close()
    assert (first["resumed"], batch["type"], len(batch["data"])) == (True, "batch", _MISSED)
    assert at.visits.resumes == {"resumed": 1}


async def test_a_timeline_that_jumps_while_what_was_missed_is_encoded_is_another_one() -> None:
    async with door() as at:
        workshop = Workshop()
        client = await RawClient.connect(at.url + at.token)
        await until(lambda: workshop.jobs)
        at.hub.jump(ClusterState())
        await workshop.work(at.clock)
        first, state = map(json_of, [await client.message(), await client.message()])
        client.close()
    assert (first["resumed"], first["reason"]) == (False, "the timeline went elsewhere meanwhile")
    assert (state["type"], state["seq"]) == ("initial_state", 0)
    assert at.visits.resumes == {"the timeline went elsewhere meanwhile": 1}


async def test_one_who_leaves_while_what_it_missed_is_encoded_is_no_client_and_no_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    seats = OwnSeats(9)
    async with door(seats) as at:
        workshop = Workshop()
        client = await RawClient.connect(at.url + at.token)
        await until(lambda: workshop.jobs)
        client.close()
        other = await RawClient.connect(at.url)  # the server knows by now
        await other.state()
        assert (seats.taken, len(at.hub)) == (2, 1)
        await workshop.work(at.clock)
        await until(lambda: seats.taken == 1)
        assert len(at.hub) == 1
        other.close()
    assert caplog.records == []


async def test_one_who_asks_for_no_resume_is_counted_for_none() -> None:
    async with door() as at:
        client = await RawClient.connect(at.url)
        first = json_of(await client.message())
        client.close()
    assert (first["resumed"], "reason" in first, at.visits.resumes) == (False, False, {})


async def test_a_server_that_stops_says_so_to_all_and_takes_no_one_in() -> None:
    async with door() as at:
        client = await RawClient.connect(at.url)
        await client.state()
        await at.sockets.shutdown()
        assert not at.sockets._closers, "it has waited for all of them"
        late = await RawClient.connect(at.url)
        assert (late.answer.status, late.answer.headers["retry-after"]) == (503, "5")
        found = await client.frame()
        assert found is not None
        assert (found.opcode, found.close_code, found.payload[2:]) == (CLOSE, 1001, b"the server is stopping")
        late.close()
        client.close()


async def test_a_server_without_clients_stops_at_once() -> None:
    async with door() as at:
        await at.sockets.shutdown()


class Contended:
    """Seats of which another process takes the last while one is looked for."""

    def __init__(self, taken: int) -> None:
        self.most = 1
        self.taken = taken
        self.left = 0

    def take(self) -> bool:
        return False

    def leave(self) -> None:
        self.left += 1


@pytest.mark.parametrize(("taken", "upgrade"), [(0, "websocket"), (1, "websocket"), (1, "h2c")])
async def test_who_finds_no_seat_is_told_so_and_leaves_none(taken: int, upgrade: str) -> None:
    seats = Contended(taken)
    async with door(seats) as at:
        client = await RawClient.connect(at.url, Upgrade=upgrade)
        client.close()
    assert (client.answer.status, client.answer.headers["retry-after"]) == (503, "5")
    assert seats.left == 0


@pytest.mark.parametrize(
    ("text", "code"),
    [(b"\xff" * MAX_TAKEN, 1007), (b"\xff" * (MAX_TAKEN + 1), 0), (b"", 0), (b"{}", 0)],
    ids=["the longest that is looked at", "one that is not", "nothing", "no message"],
)
async def test_what_is_no_text_ends_the_connection_unless_it_is_too_long_to_be_looked_at(
    text: bytes, code: int
) -> None:
    async with door() as at:
        client = await RawClient.connect(at.url)
        await client.state()
        await client.send([frame(TEXT, text)])
        found = await client.frame()
        client.close()
    assert found is not None
    if code:
        assert (found.opcode, found.close_code, found.payload[2:]) == (CLOSE, code, b"invalid UTF-8")
    else:
        assert json.loads(found.payload)["error"]["code"] == "INVALID_MESSAGE"


@pytest.mark.parametrize(
    ("code", "answer"), [(None, 1000), (1000, 1000), (1006, 1002), (4999, 4999), (5000, 1002), (5001, 1002)]
)
async def test_the_code_of_a_close_comes_back_if_it_is_one(code: int | None, answer: int) -> None:
    async with door() as at:
        client = await RawClient.connect(at.url)
        await client.state()
        await client.send([frame(CLOSE) if code is None else closing(code)])
        (found,) = await client.rest()
    assert (found.opcode, found.close_code) == (CLOSE, answer)
    assert at.visits.closes == {}, "the client ended it"


async def test_who_is_lost_is_forgotten_while_its_descriptor_is_still_its_own() -> None:
    async with door() as at:
        client = await RawClient.connect(at.url)
        await client.state()
        (member,) = at.hub
        descriptor = member.outlet.descriptor
        own = os.fstat(descriptor).st_ino
        client.close()
        while not member.gone:
            assert os.fstat(descriptor).st_ino == own
            await asyncio.sleep(0)


async def test_a_fault_of_another_kind_keeps_nobody_from_being_heard() -> None:
    async with door(faults=parse_faults(["drop:after=10000"])) as at:
        client = await RawClient.connect(at.url)
        await client.state()
        await client.send([frame(TEXT, b'{"type":"ping","timestamp":"t"}'), frame(PING, b"beat")])
        pong, beat = json_of(await client.message()), await client.frame()
        await client.send([closing(4000)])
        (end,) = await client.rest()
    assert (pong["type"], pong["timestamp"]) == ("pong", "t")
    assert beat is not None
    assert (beat.opcode, beat.payload, end.opcode, end.close_code) == (PONG, b"beat", CLOSE, 4000)


async def test_of_a_deaf_server_pings_have_no_answer_and_all_else_has() -> None:
    async with door(faults=parse_faults(["deaf"])) as at:
        client = await RawClient.connect(at.url)
        await client.state()
        await client.send([frame(PING), frame(TEXT, b'{"type":"ping"}'), frame(TEXT, b"{}"), closing(4000)])
        error, end = await client.rest()
    assert (json_of(error)["type"], end.opcode, end.close_code) == ("error", CLOSE, 4000)


async def test_no_fault_is_yet_to_come_for_who_has_gone() -> None:
    def ahead() -> int:
        """What is to happen hours from now."""
        gc.collect()
        late = asyncio.get_running_loop().time() + 5_000
        timers = [each for each in gc.get_objects() if type(each) is asyncio.TimerHandle]
        return sum(not timer.cancelled() and timer.when() > late for timer in timers)

    seats, before = OwnSeats(9), ahead()
    async with door(seats, parse_faults(["drop:after=10000"])) as at:
        client = await RawClient.connect(at.url)
        await client.state()
        assert ahead() == before + 1
        client.close()
        await until(lambda: not seats.taken)
        assert ahead() == before


def test_what_ended_a_connection_forgets_where_that_was() -> None:
    errors: list[BaseException] = []
    try:
        try:
            raise ConnectionResetError
        except ConnectionResetError as first:
            errors.append(first)
            raise ValueError from None
    except ValueError as second:
        errors.append(second)
    assert all(error.__traceback__ is not None for error in errors)
    assert errors[1].__context__ is errors[0]
    forget_frames(errors[1])
    assert [(error.__context__, error.__traceback__) for error in errors] == [(None, None)] * 2
    forget_frames(None)
