"""Resumes that have to be read from the log: bounded, and never in the way of others. test_ws.py has the rest."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, cast

import pytest

from kstream.clock import VirtualClock
from kstream.core.delivery.filters import EVERYTHING, Filter
from kstream.core.errors import LogTrimmedError
from kstream.core.timeline.events import Event, Verb
from kstream.core.timeline.state import ClusterState
from kstream.core.timeline.terms import Term
from kstream.delivery.hub import Hub
from kstream.delivery.member import Member
from kstream.logs.memory import MemoryLog
from kstream.ports import EventLog
from kstream.web.resuming import Missed, Resumes, Token
from tests.delivery.sockets import FakeSocket
from tests.frames_reader import FrameReader
from tests.hubs import running
from tests.making import START, change, numbered, pod_key
from tests.web.serving import Running, connect, serving
from tests.workshop import Workshop

# More than the window of recent events holds, so that only the log can tell it.
_EVENTS = 24_000


async def _behind(server: Running, *, note: str) -> None:
    for start in range(0, _EVENTS, 2000):
        await server.add_pods(*(f"new-{number}" for number in range(start, start + 2000)), note=note)
        await asyncio.sleep(0)
    await server.taken_in()


async def _resume(server: Running, seq: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """`connection`, and what follows up to the last event."""
    async with connect(f"{server.ws}?{server.token(seq)}", max_size=None) as ws:
        first = json.loads(await ws.recv())
        rest = [json.loads(await ws.recv())]
        while rest[-1].get("seq") != _EVENTS + 2:
            rest.append(json.loads(await ws.recv()))
        return first, rest


async def _asking(server: Running, seq: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A client that asks for a resume, and has not read the answer."""
    reader, writer = await asyncio.open_connection(server.address.host, server.address.port, limit=1024)
    host = f"{server.address.host}:{server.address.port}"
    writer.write(
        f"GET /ws?{server.token(seq)} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    return reader, writer


async def _stalled(server: Running) -> asyncio.StreamWriter:
    """A client that resumes from long ago and reads no more than the answer."""
    reader, writer = await _asking(server, 2)
    await reader.readuntil(b"\r\n\r\n")
    assert b'"resumed":true' in await reader.readuntil(b'"resumed":true')
    return writer


async def test_many_who_were_long_away_all_get_what_they_missed() -> None:
    async with serving() as server:
        await _behind(server, note="")
        for first, rest in await asyncio.gather(*(_resume(server, 2 + number) for number in range(6))):
            assert first["resumed"] is True
            assert {message["type"] for message in rest} == {"batch"}
            assert rest[-1]["data"][-1]["data"]["name"] == f"new-{_EVENTS - 1}"


async def test_what_waits_for_clients_that_do_not_read_is_bounded() -> None:
    async with serving() as server:
        await _behind(server, note="x" * 1000)
        stalled = [await _stalled(server) for _ in range(3)]
        first, rest = await _resume(server, 2)
        assert first["resumed"] is False
        assert first["reason"].startswith("too many clients are catching up at once")
        assert rest[0]["type"] == "initial_state"
        for writer in stalled:
            writer.transport.abort()
        while True:  # until the server has noticed
            first, rest = await _resume(server, 2)
            if first["resumed"]:
                break
        assert {message["type"] for message in rest} == {"batch"}


class Kept:
    """A log of which only its bounds are there, and what is asked of it; events are made when they are read."""

    epoch = "epoch-1"
    terms = (Term("first", 1), Term("second", 110_001))

    def __init__(self, *, head: int = 120_000, oldest: int = 1) -> None:
        self.head = head
        self.oldest = oldest
        self.reads: list[tuple[int, int]] = []
        self.meanwhile: Callable[[], None] = lambda: None
        self.committed = head  # by another process

    async def refresh(self) -> None:
        self.head = self.committed

    async def read(self, after: int, upto: int) -> list[Event]:
        self.reads.append((after, upto))
        self.meanwhile()
        return [Event(upto, change(Verb.ADDED, pod_key("last"), time=START + 5.0))]


async def test_what_another_process_told_a_moment_ago_is_waited_for_and_not_for_long() -> None:
    async with resumes() as (at, log, hub):
        clock = cast(VirtualClock, hub.clock)
        log.committed = 120_002
        told, never = (asyncio.ensure_future(at.look(token(120_000 + n), EVERYTHING)) for n in (1, 2))
        await clock.advance(0.1)
        assert not told.done()
        hub.publish([Event(120_001, change(Verb.ADDED, pod_key("new"), time=START))])
        await clock.advance(0.1)
        assert await told == ((), None)
        assert not never.done()
        await clock.advance(2)
        assert (await never)[1] == "seq 120002 is ahead of this timeline, which is at 120001"


@asynccontextmanager
async def resumes(**bounds: int) -> AsyncIterator[tuple[Resumes, Kept, Hub]]:
    log = Kept(**bounds)
    state = ClusterState()
    state.load((), seq=log.head, time=START)
    async with running(state=state) as (hub, _):
        yield Resumes(hub, cast(EventLog, log)), log, hub


def token(seq: int, *, term: str = "second", epoch: str = "epoch-1") -> Token:
    return Token(epoch, term, seq)


@pytest.mark.parametrize(
    ("behind", "read"), [(0, False), (1, True), (10_000, True), (100_000, True), (100_001, False)]
)
async def test_a_resume_reads_a_hundred_thousand_events_and_no_more(behind: int, read: bool) -> None:
    async with resumes() as (at, log, _):
        events, reason = await at.look(token(120_000 - behind), EVERYTHING)
    assert (len(events), log.reads) == ((1, [(120_000 - behind, 120_000)]) if read else (0, []))
    assert reason == (
        "seq 19999 is 100001 events behind: the state is shorter" if behind == 100_001 else None
    )


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (token(1, epoch="other"), "another epoch: the history that the token belongs to is not this one"),
        (token(120_001), "seq 120001 is ahead of this timeline, which is at 120000"),
        (token(120_000), None),
        (token(119_999, term="third"), "another term: the log does not know who told the token"),
        (token(110_000, term="first"), None),
        (
            token(110_001, term="first"),
            "the log has lost the end of that term: it reaches to 110000 here, the token is at 110001",
        ),
        (token(100_998), "seq 100998 is no longer kept: the log begins at 101000"),
        (token(100_999), None),
    ],
)
async def test_a_token_that_leads_nowhere_is_told_why(asked: Token, reason: str | None) -> None:
    async with resumes(oldest=101_000) as (at, log, _):
        assert (await at.look(asked, EVERYTHING))[1] == reason
        assert len(log.reads) == (reason is None and asked.seq < 120_000)


async def test_one_that_watches_by_labels_is_resumed_from_memory_and_from_nothing_else() -> None:
    watched = Filter.parse(labels="app=web")
    async with resumes() as (at, log, _):
        assert (await at.look(token(120_000), watched)) == ((), None)
        assert await at.look(token(119_999), watched) == (
            (),
            "seq 119999 is no longer in memory: for a label selector the state is shorter than the log",
        )
        assert log.reads == []


async def test_what_retention_drops_while_it_is_read_is_no_longer_kept() -> None:
    async with resumes() as (at, log, _):

        def drop() -> None:
            log.oldest = 119_000
            raise LogTrimmedError("gone")

        log.meanwhile = drop
        assert await at.look(token(110_500), EVERYTHING) == (
            (),
            "seq 110500 is no longer kept: the log begins at 119000",
        )


async def test_a_timeline_that_jumps_while_its_log_is_read_is_another_one() -> None:
    async with resumes() as (at, log, hub):
        log.meanwhile = lambda: hub.jump(ClusterState())
        assert await at.look(token(110_500), EVERYTHING) == ((), "the timeline went elsewhere meanwhile")


async def test_four_at_a_time_read_the_log_and_whoever_need_not_does_not_wait() -> None:
    async with resumes() as (at, _, __), AsyncExitStack() as held:
        for _ in range(4):
            await held.enter_async_context(at.turn(token(1), EVERYTHING))
        for free in (None, token(1, epoch="other"), token(120_000)):
            async with at.turn(free, EVERYTHING):
                pass
        inside: list[str] = []

        async def fifth() -> None:
            async with at.turn(token(119_999), EVERYTHING):
                inside.append("fifth")

        task = asyncio.create_task(fifth())
        for _ in range(5):
            await asyncio.sleep(0)
        assert inside == []
        await held.aclose()
        await task
        assert inside == ["fifth"]


@pytest.mark.parametrize(("waiting", "enough"), [(64 * 2**20, True), (64 * 2**20 + 1, False)])
async def test_what_waits_for_sockets_is_bounded_and_what_is_sent_or_gone_does_not_count(
    waiting: int, enough: bool
) -> None:
    async with resumes() as (at, _, hub):

        def give(*frames: bytes) -> Member:
            member = hub.join(FakeSocket(), EVERYTHING, window_bits=0, resumed=True)
            at.give(member, Missed(120_000, frames))
            return member

        half = waiting // 2
        members = [give(b"x" * half), give(b"x" * 1000, b"x" * (waiting - half - 1000))]
        sent, gone = give(b"x" * 1000), give(b"x" * 1000)
        hub.serve(sent)
        hub.leave(gone)
        _, reason = await at.look(token(119_999), EVERYTHING)
        assert reason == (
            None if enough else "too many clients are catching up at once: the state is shared by all of them"
        )
        hub.leave(members[0])
        assert (await at.look(token(119_999), EVERYTHING))[1] is None


@pytest.mark.parametrize(("count", "thread"), [(1000, False), (1001, True)])
async def test_up_to_a_thousand_events_are_encoded_on_the_spot(count: int, thread: bool) -> None:
    async with resumes() as (at, _, __):
        workshop = Workshop()
        events = numbered([change(Verb.ADDED, pod_key(f"p{n}"), time=START + n) for n in range(count)], 7)
        task = asyncio.create_task(at.encode(token(7), events, EVERYTHING, 0, []))
        await asyncio.sleep(0)
        assert len(workshop.jobs) == thread
        if thread:
            await workshop.work(VirtualClock())
        missed = await task
    (batch,) = FrameReader().messages(b"".join(missed.frames))
    assert (missed.seq, batch["seq"], len(batch["data"])) == (7 + count, 7 + count, count)
    assert batch["timestamp"].startswith("2025-01-24T10:16:39" if count == 1000 else "2025-01-24T10:16:40")


async def test_one_who_missed_nothing_in_the_log_goes_on_in_the_window() -> None:
    async with resumes() as (at, _, hub):
        assert await at.encode(token(120_000), (), EVERYTHING, 0, []) == Missed(120_000)
        hub.publish([Event(120_001, change(Verb.ADDED, pod_key("new")))])
        socket = FakeSocket()
        member = hub.join(socket, EVERYTHING, window_bits=0, resumed=True)
        at.give(member, Missed(120_000))
        hub.serve(member)
        first, batch = socket.messages()
    assert (first["resumed"], batch["type"], batch["seq"]) == (True, "batch", 120_001)


async def test_what_is_published_while_the_missed_is_encoded_comes_after_it() -> None:
    async with resumes() as (at, _, hub):
        events, reason = await at.look(token(119_999), EVERYTHING)
        missed = await at.encode(token(119_999), events, EVERYTHING, 0, [])
        hub.publish([Event(120_001, change(Verb.ADDED, pod_key("meanwhile")))])
        socket = FakeSocket()
        member = hub.join(socket, EVERYTHING, window_bits=0, resumed=True)
        at.give(member, missed)
        hub.serve(member)
        _, batch, later = socket.messages()
    assert (reason, batch["seq"], later["seq"]) == (None, 120_000, 120_001)


class Held(MemoryLog):
    """A log that takes as long to read as a test says."""

    def __init__(self) -> None:
        super().__init__(epoch="epoch-1")
        self.asked = asyncio.Event()
        self.goes_on = asyncio.Event()

    async def read(self, after: int, upto: int) -> Sequence[Event]:
        self.asked.set()
        await self.goes_on.wait()
        return await super().read(after, upto)


async def test_one_who_leaves_while_the_log_is_read_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    log = Held()
    async with serving(log=log) as server:
        _, writer = await _asking(server, 1)
        await log.asked.wait()
        writer.transport.abort()
        async with connect(server.ws) as ws:  # whoever comes after it: the server knows by now
            assert json.loads(await ws.recv())["type"] == "connection"
        log.goes_on.set()
        async with connect(f"{server.ws}?{server.token(1)}") as ws:
            assert json.loads(await ws.recv())["resumed"] is True
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
