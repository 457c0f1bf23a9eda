"""One client and its socket: what it takes, and what becomes of it when it takes nothing."""

from __future__ import annotations

import asyncio

from kstream.core.delivery.filters import EVERYTHING
from kstream.core.delivery.session import Close
from kstream.core.timeline.events import Event, Verb
from tests.delivery.sockets import FakeSocket, join, publish
from tests.hubs import running
from tests.making import change, numbered, pod_key


async def test_a_slow_reader_gets_one_coalesced_batch_when_it_reads_again() -> None:
    async with running() as (hub, clock):
        socket, _ = await join(hub, clock)
        socket.messages()
        socket.room = 0
        await publish(hub, *numbered([change(Verb.ADDED, pod_key("p"))]))
        held = socket.pending()
        for seq in range(2, 200):
            await publish(hub, Event(seq, change(Verb.MODIFIED, pod_key("p"), note=str(seq))))
        assert socket.pending() == held, "a client that does not read costs its socket buffer"
        socket.room = None
        socket.read(0)
        await clock.advance(0.1)
        first, batch = socket.messages()
        assert first["seq"] == 1
        assert (batch["type"], batch["seq"], len(batch["data"])) == ("batch", 199, 1)
        assert batch["data"][0]["action"] == "MODIFIED"


async def test_one_who_reads_nothing_for_a_minute_is_closed_with_1013() -> None:
    async with running() as (hub, clock):
        socket, _ = await join(hub, clock)
        socket.room = 0
        await publish(hub, *numbered([change(Verb.ADDED, pod_key("p"))]))
        await clock.advance(59)
        before = socket.closed
        await clock.advance(2)
        assert before is None
        assert socket.closed == Close(1013, "read nothing for too long", abort=True)


async def test_one_whose_socket_is_full_may_answer_a_ping_late_but_not_never() -> None:
    async with running() as (hub, clock):
        socket, _ = await join(hub, clock)
        await clock.advance(30)  # a ping is sent, and not answered
        socket.room = 0
        await publish(hub, *numbered([change(Verb.ADDED, pod_key("p"))]))
        await clock.advance(20)
        socket.room = None
        socket.read(0)
        await clock.advance(9)
        before = socket.closed
        await clock.advance(2)
        assert before is None
        assert socket.closed == Close(1011, "no answer to a ping", abort=True)


async def test_a_slow_reader_does_not_hold_up_the_others() -> None:
    async with running() as (hub, clock):
        slow, _ = await join(hub, clock)
        fast, _ = await join(hub, clock)
        fast.messages()
        slow.room = 0
        for seq in range(1, 41):
            verb = Verb.ADDED if seq == 1 else Verb.MODIFIED
            await publish(hub, Event(seq, change(verb, pod_key("p"), note=str(seq))))
        assert len(fast.messages()) == 40


async def test_a_large_state_is_written_as_the_socket_takes_it() -> None:
    async with running() as (hub, clock):
        await publish(
            hub, *numbered([change(Verb.ADDED, pod_key(f"p{n}"), note="x" * 5000) for n in range(400)])
        )
        socket = FakeSocket()
        socket.room = 1000
        hub.serve(hub.join(socket, EVERYTHING, window_bits=0))
        while not socket.pending():  # a large snapshot is encoded in a thread
            await asyncio.sleep(0.001)
            await clock.advance(0.02)
        assert 0 < socket.pending() <= 256 * 1024
        for _ in range(20):
            socket.read(512 * 1024)
            await clock.advance(0.02)
        connection, state = socket.messages()
        assert (connection["type"], len(state["data"]["pods"])) == ("connection", 400)
