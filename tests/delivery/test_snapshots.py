"""Who gets which snapshot when: one for all who want the same, and no more than may wait for those who do not read."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from kstream.core.delivery import snapshot
from kstream.core.delivery.backlog import Backlog
from kstream.core.delivery.filters import EVERYTHING, Filter
from kstream.core.delivery.limits import Limits
from kstream.core.delivery.session import Close
from kstream.core.timeline.events import Event, Verb
from kstream.delivery.hub import Hub
from kstream.delivery.member import Member, Reached
from kstream.delivery.snapshots import Snapshots, _Made
from tests.delivery.counters import Counter, named, seqs
from tests.delivery.riders import newcomer
from tests.delivery.sockets import SlowClock
from tests.frames_reader import FrameReader
from tests.hubs import running
from tests.making import START, change, node_key, pod_key, state_of
from tests.workshop import Workshop


class Sink:
    """An outlet that takes everything, or what is written first and then nothing."""

    descriptor = -1

    def __init__(self, *, reads: bool = True) -> None:
        self.reads = reads
        self.taken = bytearray()
        self.waiting = bytearray()
        self.closed: Close | None = None

    def write(self, data: bytes | memoryview) -> None:
        (self.taken if self.reads or not self.taken else self.waiting).extend(data)

    def pending(self) -> int:
        return len(self.waiting)

    def reached(self) -> Reached:
        return Reached()

    def close(self, close: Close) -> None:
        self.closed = close

    def types(self) -> list[Any]:
        return [message["type"] for message in FrameReader().messages(bytes(self.taken))]


def join(hub: Hub, sink: Sink, watched: Filter = EVERYTHING) -> Member:
    member = hub.join(sink, watched, window_bits=0)
    hub.serve(member)
    return member


async def until(done: Any) -> None:
    """A large snapshot is made in a thread, which the virtual clock knows nothing of."""
    while not done():  # noqa: ASYNC110 - a sink tells nobody
        await asyncio.sleep(0.001)


async def test_all_who_come_for_the_same_share_one_snapshot() -> None:
    async with running(state=state_of(2000, "x" * 500)) as (hub, _):
        sinks = [Sink() for _ in range(20)]
        members = [join(hub, sink) for sink in sinks]
        await until(lambda: all("initial_state" in sink.types() for sink in sinks))
        assert len({bytes(sink.taken) for sink in sinks}) == 1
        assert hub.tally.snapshots == 20
        late = Sink()
        join(hub, late)
        assert late.types() == ["connection", "initial_state"], (
            "there is one that is fresh: it need not be made"
        )
        for member in members:
            hub.leave(member)


async def test_those_who_do_not_read_stop_no_more_than_large_states_of_other_filters() -> None:
    # 64.1 MB in each of four namespaces: four of them are more than 256 MB, by less than one.
    async with running(state=state_of(600, "x" * 448_200)) as (hub, clock):
        stalled = []
        for names in ({"ns0", "ns1"}, {"ns2", "ns3"}):
            sink = Sink(reads=False)
            stalled.append(join(hub, sink, Filter(frozenset(names))))
            await until(lambda sink=sink: sink.waiting)
        large, small = Sink(), Sink()
        join(hub, large, Filter(frozenset({"ns0", "ns2"})))
        join(hub, small, Filter(frozenset({"nothing"})))
        await until(lambda: "initial_state" in small.types())
        assert large.types() == ["connection"], "256 MB wait already"
        for member in stalled:
            hub.leave(member)
        await clock.advance(0.2)
        await until(lambda: len(large.taken) > 1000)
        assert b'"initial_state"' in large.taken[:2000]


BODY = len(change(Verb.ADDED, pod_key("p")).body) - len("null") + len('""')
LARGE = 256 * 1024  # bytes of bodies: more are made in a thread


@pytest.mark.parametrize(
    ("pods", "size", "thread"),
    [
        (512, 512, False),
        (512, 513, True),
        (1024, 256, False),
        (1024, 257, True),
        (999, 262, False),
        (1, 300_000, True),
    ],
)
async def test_a_state_is_made_on_the_spot_up_to_a_size(pods: int, size: int, thread: bool) -> None:
    counter = Counter(state_of(pods, "x" * (size - BODY)))
    async with counter.open() as workshop:
        member = counter.come()
        await counter.clock.advance(0)
        assert len(workshop.jobs) == thread
        assert seqs(member) == [None if thread else pods]
        if thread:
            await workshop.work(counter.clock)
        assert seqs(member) == [pods]


async def test_nodes_count_for_the_size_too() -> None:
    state = state_of(512, "x" * (512 - BODY))
    state.apply(Event(513, change(Verb.ADDED, node_key("n"))))
    counter = Counter(state)
    async with counter.open() as workshop:
        counter.come()
        await counter.clock.advance(0)
        assert len(workshop.jobs) == 1


async def test_one_who_waits_for_a_large_state_gets_no_metrics_before_it() -> None:
    async with running(state=state_of(1, "x" * 300_000)) as (hub, clock):
        workshop, sink = Workshop(), Sink()
        join(hub, sink)
        await clock.advance(10)
        await workshop.work(clock)
        assert sink.types() == ["connection", "initial_state"]
        await clock.advance(10)
        assert sink.types() == ["connection", "initial_state", "metrics"]


async def test_one_who_waits_while_the_timeline_jumps_gets_the_state_of_there_at_once() -> None:
    async with running(state=state_of(1, "x" * 300_000)) as (hub, clock):
        workshop, sink = Workshop(), Sink()
        join(hub, sink)
        await clock.advance(0)
        hub.jump(state_of(3, "there"))
        await clock.advance(0)
        await workshop.work(clock)
        assert sink.types() == ["connection", "initial_state"]
        assert [member.session.lane.cursor for member in hub] == [3]
        late = Sink()
        join(hub, late)
        assert late.types() == ["connection", "initial_state"]
        assert b"there" in late.taken, "what was made of the old state is kept for nobody"


async def test_what_is_made_while_the_timeline_jumps_to_the_same_number_is_given_to_nobody() -> None:
    async with running(state=state_of(1, "x" * 300_000)) as (hub, clock):
        workshop, sink = Workshop(), Sink()
        join(hub, sink)
        await clock.advance(0)
        hub.jump(state_of(1, "there"))
        await clock.advance(0)
        await workshop.work(clock)
        assert sink.types() == ["connection", "initial_state"]
        assert b"there" in sink.taken


async def test_who_waits_until_others_have_read_gets_its_state_a_moment_after_they_have() -> None:
    counter = Counter(state_of(1, "x" * 300_000))
    async with counter.open() as workshop:
        reads = counter.come()
        await counter.clock.advance(0)
        await workshop.work(counter.clock)
        (made,) = counter.snapshots._held
        made.size = 256 * 2**20 + 1  # as if it were as large as that
        waits = counter.come(named("ns0"))
        await counter.clock.advance(1.0)
        assert workshop.jobs == []
        reads.send(reads.session.flush(0.0))
        await counter.clock.advance(0.1)
        assert len(workshop.jobs) == 1
        await workshop.work(counter.clock)
        assert seqs(waits) == [1]


async def test_what_was_made_before_a_jump_is_given_to_nobody_after_it() -> None:
    here, there = state_of(2, "here"), state_of(2, "there")
    async with running(state=here) as (hub, clock):
        first, second = Sink(), Sink()
        join(hub, first)
        await clock.advance(0.1)
        hub.jump(there)
        join(hub, second)
        await clock.advance(0.1)
        assert second.types() == ["connection", "initial_state"]
        assert b"there" in second.taken


async def test_one_whose_filter_changes_while_a_state_is_made_gets_that_of_the_new_one() -> None:
    async with running(state=state_of(8, "x" * 60_000)) as (hub, clock):
        workshop, sink, other = Workshop(), Sink(), Sink()
        member = join(hub, sink)
        join(hub, other)
        await clock.advance(0)
        hub.receive(member, b'{"type":"subscribe","namespaces":["ns1"]}')
        await clock.advance(0)
        await workshop.work(clock)
        assert sink.types() == ["connection", "initial_state"]
        assert len(sink.taken) < len(other.taken) / 3
        assert other.types() == ["connection", "initial_state"]


async def test_those_who_left_keep_nobody_from_a_state_of_another_filter() -> None:
    counter = Counter(state_of(8, "x" * 60_000))
    async with counter.open() as workshop:
        first, gone, last = counter.come(), counter.come(named("ns1")), counter.come(named("ns2"))
        stays = counter.come()
        await counter.clock.advance(0)
        for member in (first, gone):
            member.gone = True
            counter.snapshots.forget(member)
        await workshop.work(counter.clock)
        assert (seqs(first, gone), seqs(stays, last)) == ([None, None], [8, 8])
        assert first not in counter.served
        assert counter.served == [stays, last]
        counter.snapshots.want(newcomer(counter.backlog, named("ns1")))
        await counter.clock.advance(0)
        assert len(counter.served) == 3


async def test_where_all_have_left_before_it_is_made_no_state_is_made() -> None:
    counter = Counter(state_of(1, "x" * 300_000))
    async with counter.open() as workshop:
        member = counter.come()
        member.gone = True
        counter.snapshots.forget(member)
        await counter.clock.advance(0)
        assert workshop.jobs == []


async def test_one_who_leaves_while_others_are_given_the_state_is_given_nothing() -> None:
    counter = Counter(state_of(8, "small"))

    async with counter.open():
        first, second = counter.come(), counter.come()
        second.gone = True
        await counter.clock.advance(0)
        assert seqs(first, second) == [8, None]


async def test_one_who_got_a_state_otherwise_is_not_given_another() -> None:
    counter = Counter(state_of(8, "small"))
    async with counter.open():
        member = counter.come()
        member.session.resume(3)
        await counter.clock.advance(0)
        assert (seqs(member), counter.served) == ([3], []), "nobody wants it any more"


async def test_between_two_states_others_have_their_turn() -> None:
    counter = Counter(state_of(8, "small"))
    order: list[str] = []

    def serve(member: Member) -> None:
        order.append(str(*(member.session.view.filter.namespaces or ())))
        asyncio.get_running_loop().call_soon(order.append, "others")

    counter.snapshots = Snapshots(
        counter.state, counter.backlog, clock=counter.clock, time=counter.clock.time, serve=serve
    )
    async with counter.open():
        for name in ("a", "b", "c"):
            counter.come(named(name))
        await counter.clock.advance(0)
    assert order == ["a", "others", "b", "others", "c", "others"]


async def test_while_many_are_given_a_state_others_have_their_turn() -> None:
    counter, clock = Counter(state_of(8, "small")), SlowClock(START)
    order: list[str] = []

    def serve(_: Member) -> None:
        order.append("given")
        clock.spend(0.006)
        asyncio.get_running_loop().call_soon(order.append, "others")

    counter.snapshots = Snapshots(counter.state, counter.backlog, clock=clock, time=clock.time, serve=serve)
    async with counter.open():
        for _ in range(3):
            counter.come()
        await clock.advance(0)
    assert order == ["given", "others"] * 3


@pytest.mark.parametrize(("size", "allowance"), [(5_500, 5), (200_000, 200), (700_000, 500)])
async def test_a_state_is_handed_out_again_while_what_follows_is_small_beside_it(
    size: int, allowance: int
) -> None:
    counter = Counter(state_of(1, "x" * size))
    async with counter.open() as workshop:
        first = counter.come()
        await counter.clock.advance(0)
        if workshop.jobs:
            await workshop.work(counter.clock)
        counter.publish(allowance)
        again = counter.come()
        assert seqs(first, again) == [1, 1], "on the spot"
        counter.publish(1)
        late = counter.come()
        assert seqs(late) == [None]
        await counter.clock.advance(0)
        if workshop.jobs:
            await workshop.work(counter.clock)
        assert seqs(late, counter.come()) == [allowance + 2] * 2, "the newer one is kept from now on"


async def test_a_state_that_the_window_no_longer_continues_is_given_to_nobody() -> None:
    state = state_of(1, "x" * 700_000)
    counter = Counter(state, Backlog(head=1, limits=Limits(window_events=10)))
    async with counter.open() as workshop:
        early = counter.come()
        await counter.clock.advance(0)
        await workshop.work(counter.clock)
        counter.publish(10)
        assert (seqs(counter.come()), counter.backlog.floor) == ([1], 1)
        counter.publish(1)
        assert counter.backlog.floor == 2
        waits = counter.come()
        assert seqs(early, waits) == [1, None]
        await counter.clock.advance(0)
        counter.publish(20)  # while it is made
        await workshop.work(counter.clock)
        assert (seqs(waits), len(workshop.jobs)) == ([None], 1), "it is made again"
        await workshop.work(counter.clock)
        assert seqs(waits) == [32]


async def test_states_of_four_filters_are_kept() -> None:
    counter = Counter(state_of(8, "x" * 2_000))
    async with counter.open():
        counter.come()
        for name in ("ns0", "ns1", "ns2", "ns3"):
            counter.come(named(name))
        await counter.clock.advance(0)
        counter.publish(1)
        kept = [seqs(counter.come(named(name)))[0] for name in ("ns0", "ns1", "ns2", "ns3")]
        assert kept == [8] * 4
        assert seqs(counter.come()) == [None]
        assert counter.snapshots._held == [], "small ones are not counted, and not kept for that"


async def test_states_for_different_windows_of_compression_are_different_ones() -> None:
    counter = Counter(state_of(8, "x" * 2_000))
    async with counter.open():
        plain, packed = counter.come(), counter.come(bits=15)
        await counter.clock.advance(0)
    first, second = plain.session.flush(0.0), packed.session.flush(0.0)
    assert (first[0], second[0], len(second) < len(first) / 4) == (0x81, 0xC1, True)


def test_a_state_is_held_for_those_who_have_yet_to_read_it() -> None:
    backlog = Backlog(head=1)
    taken = snapshot.capture(state_of(1, "small"), EVERYTHING)
    made = _Made(snapshot.encode(taken, time=START, window_bits=0))
    reads, waits = newcomer(backlog), newcomer(backlog)
    for member in (reads, waits):
        member.session.give(made.snapshot)
        made.members[member] = None
    reads.send(reads.session.flush(0.0))
    assert (made.held(), list(made.members)) == (True, [waits])
    waits.send(waits.session.flush(0.0))
    assert (made.held(), made.members) == (False, {})
