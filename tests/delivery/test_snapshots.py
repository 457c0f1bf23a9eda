"""Who gets which snapshot when: one for all who want the same, and no more than may wait for those who do not read."""

from __future__ import annotations

import asyncio
from typing import Any

from kstream.core.delivery.filters import EVERYTHING, Filter
from kstream.core.delivery.session import Close
from kstream.core.timeline.events import Verb, WatchEvent
from kstream.core.timeline.state import ClusterState
from kstream.delivery.hub import Hub
from kstream.delivery.member import Member
from tests.frames_reader import FrameReader
from tests.hubs import running
from tests.making import START, change, numbered, pod_key


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

    def close(self, close: Close) -> None:
        self.closed = close

    def types(self) -> list[Any]:
        return [message["type"] for message in FrameReader().messages(bytes(self.taken))]


def state_of(pods: int, note: str) -> ClusterState:
    """The same bytes for all pods: large ones are there once."""
    state = ClusterState()
    body = change(Verb.ADDED, pod_key("p"), note=note).body
    keys = [pod_key(f"p{n}", f"ns{n % 4}") for n in range(pods)]
    for event in numbered([WatchEvent(Verb.ADDED, key, "1", START, body) for key in keys]):
        state.apply(event)
    return state


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
    # 75 MB in each of four namespaces.
    async with running(state=state_of(600, "x" * 500_000)) as (hub, clock):
        stalled = []
        for names in ({"ns0", "ns1"}, {"ns2", "ns3"}):
            sink = Sink(reads=False)
            stalled.append(join(hub, sink, Filter(frozenset(names))))
            await until(lambda sink=sink: sink.waiting)
        large, small = Sink(), Sink()
        join(hub, large, Filter(frozenset({"ns0", "ns2"})))
        join(hub, small, Filter(frozenset({"nothing"})))
        await until(lambda: "initial_state" in small.types())
        assert large.types() == ["connection"], "300 MB wait already"
        for member in stalled:
            hub.leave(member)
        await clock.advance(0.2)
        await until(lambda: len(large.taken) > 1000)
        assert b'"initial_state"' in large.taken[:2000]
