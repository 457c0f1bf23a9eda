"""One client and its socket: what it takes, and what becomes of it when it takes nothing."""

from __future__ import annotations

import asyncio

import pytest

from kstream.core.delivery.backlog import Backlog
from kstream.core.delivery.filters import EVERYTHING
from kstream.core.delivery.session import Close
from kstream.core.timeline.events import Event, Verb
from kstream.delivery.member import Member, Reached, broadcast
from tests.delivery.riders import newcomer
from tests.delivery.sockets import FakeSocket, RealSocket, join, publish
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


async def test_one_that_a_ping_has_yet_to_reach_stays_as_long_as_something_gets_there() -> None:
    async with running() as (hub, clock):
        socket, member = await join(hub, clock)
        socket.network = Reached(confirmed=1000, written=9000)
        await clock.advance(30)  # a ping is sent, behind 8000 bytes of a slow link
        for confirmed in (3000, 8999):
            socket.network = Reached(confirmed=confirmed, written=20_000)
            await clock.advance(10)
            assert socket.closed is None
        hub.pong(member)
        await clock.advance(29)
        assert socket.closed is None


@pytest.mark.parametrize(
    "then",
    [Reached(1000, 9000), Reached(9000, 9000), Reached(9500, 20_000), Reached()],
    ids=["nothing gets there", "it is there", "it is long there", "nobody tells"],
)
async def test_one_that_a_ping_has_reached_or_never_will_is_closed(then: Reached) -> None:
    async with running() as (hub, clock):
        socket, _ = await join(hub, clock)
        socket.network = Reached(confirmed=1000, written=9000)
        await clock.advance(30)
        socket.network = then
        await clock.advance(10)
        assert socket.closed == Close(1011, "no answer to a ping", abort=True)


async def test_one_on_a_slow_link_that_breaks_is_closed_when_nothing_more_gets_there() -> None:
    async with running() as (hub, clock):
        socket, _ = await join(hub, clock)
        socket.network = Reached(confirmed=0, written=9000)
        await clock.advance(30)
        socket.network = Reached(confirmed=10, written=9000)
        await clock.advance(10)
        before = socket.closed
        await clock.advance(10)
        assert before is None
        assert socket.closed == Close(1011, "no answer to a ping", abort=True)


async def test_one_whose_socket_an_answer_has_filled_does_not_ride_before_it_reads() -> None:
    async with running() as (hub, clock):
        socket, member = await join(hub, clock)
        socket.messages()
        socket.room = 0
        hub.receive(member, b'{"type":"ping","timestamp":"t"}')
        assert (len(hub.slow), member.session.riding) == (1, False)
        for seq in (1, 2, 3):
            await publish(hub, Event(seq, change(Verb.ADDED, pod_key(f"p{seq}"))))
        socket.room = None
        socket.read(0)
        await clock.advance(0.1)
        pong, *events = socket.messages()
    assert (pong["type"], [event["seq"] for event in events]) == ("pong", [1, 2, 3])


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


def with_socket(room: int | None = None) -> tuple[Member, FakeSocket]:
    outlet = FakeSocket()
    outlet.room = room
    return newcomer(Backlog(head=0), outlet=outlet), outlet


SLICE = 256 * 1024


def test_a_member_that_came_just_now_is_there_and_nobody_waits_for_it() -> None:
    member, _ = with_socket()
    assert (member.closed, member.gone, member.sending, member.scheduled) == (
        False,
        False,
        False,
        float("inf"),
    )
    assert (member.drained(5.0), member.stalled_for(9.0)) == (True, 0.0)


@pytest.mark.parametrize(("size", "writes"), [(SLICE, 1), (SLICE + 1, 2), (3 * SLICE, 3)])
def test_more_than_a_slice_is_written_slice_by_slice(size: int, writes: int) -> None:
    member, outlet = with_socket()
    data = bytes(range(256)) * (size // 256) + b"!" * (size % 256)
    member.send(data)
    assert (outlet.writes, bytes(outlet.taken)) == (writes, data)
    assert not member.sending


def test_a_slice_is_written_when_the_socket_has_taken_the_one_before() -> None:
    member, outlet = with_socket(0)
    member.send(b"x" * (2 * SLICE + 5))
    for left in (SLICE, SLICE, 5):
        assert (member.drained(0.0), outlet.pending()) == (False, left)
        assert member.sending is (left != 5)
        outlet.read(left)
    assert (member.drained(0.0), len(outlet.taken)) == (True, 2 * SLICE + 5)


def test_what_the_socket_took_of_a_write_is_not_written_again() -> None:
    member, outlet = with_socket()
    member.hold(b"taken, left", 7)
    assert bytes(outlet.taken) == b"left"


def test_one_is_stalled_since_its_socket_last_took_something() -> None:
    member, outlet = with_socket(0)
    member.send(b"x" * (2 * SLICE))
    assert not member.drained(10.0)
    assert (member.stalled_for(10.0), member.stalled_for(15.0)) == (0.0, 5.0)
    assert not member.drained(15.0)
    assert member.stalled_for(15.0) == 5.0
    outlet.read(SLICE)  # as much is pending as before, and less is held
    assert not member.drained(20.0)
    assert member.stalled_for(21.0) == 1.0
    outlet.read(1)
    assert not member.drained(30.0)
    assert member.stalled_for(31.0) == 1.0
    outlet.read(SLICE)
    assert member.drained(40.0)
    assert member.stalled_for(50.0) == 0.0
    outlet.room = 0
    member.send(b"x")
    assert not member.drained(60.0)
    assert member.stalled_for(61.0) == 1.0


def test_one_byte_that_a_socket_took_is_a_sign_of_life_when_it_was_the_last_of_a_slice_too() -> None:
    member, outlet = with_socket(0)
    member.send(b"x" * (SLICE + 5))
    outlet.read(SLICE - 1)
    assert not member.drained(10.0)
    outlet.read(1)
    assert (member.drained(20.0), outlet.pending()) == (False, 5)
    assert member.stalled_for(21.0) == 1.0


def test_of_many_who_are_sent_the_same_those_are_told_who_did_not_take_it_all() -> None:
    data = b"x" * 100_000
    outlets = [RealSocket(), RealSocket(), FakeSocket()]
    members = [newcomer(Backlog(head=0), outlet=outlet) for outlet in outlets]
    assert broadcast({members[0]: outlets[0].descriptor}, b"small") == []
    assert outlets[0].writes == 0, "nothing went through the transport"
    behind = broadcast(
        {member: outlet.descriptor for member, outlet in zip(members, outlets, strict=True)}, data
    )
    assert behind == members
    through = [len(outlet.taken) for outlet in outlets]
    assert 0 < through[0] < len(data), "the rest of what the descriptor took"
    assert 0 < through[1] < len(data)
    assert through[2] == len(data)
    assert [len(outlet.all_taken()) for outlet in outlets[:2] if isinstance(outlet, RealSocket)] == [
        len(b"small") + len(data),
        len(data),
    ]


def test_only_the_last_ping_is_answered_and_never_within_another_frame() -> None:
    member, socket = with_socket(room=0)
    member.send(b"x" * 600_000)
    for number in range(1000):
        member.answer(b"pong-%d" % number)
    assert socket.pending() == 262_144, "nothing is added while the socket is full"
    socket.room = None
    socket.read(0)
    member.drained(1.0)
    member.drained(1.0)
    assert bytes(socket.taken) == b"x" * 600_000 + b"pong-999"
    member.answer(b"at once")
    assert bytes(socket.taken).endswith(b"pong-999at once")


def test_only_what_is_read_is_a_sign_of_life() -> None:
    member, socket = with_socket(room=0)
    member.send(b"x" * 100)
    assert not member.drained(0.0)
    socket.write(b"more")
    assert not member.drained(30.0)
    assert member.stalled_for(30.0) == 30.0
    socket.read(10)
    assert not member.drained(40.0)
    assert member.stalled_for(40.0) == 0.0
