"""Snapshots without a hub: those they were given to, and what they were given."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from kstream.clock import VirtualClock
from kstream.core.delivery.backlog import Backlog
from kstream.core.delivery.filters import EVERYTHING, Filter
from kstream.core.timeline.events import Verb
from kstream.core.timeline.state import ClusterState
from kstream.delivery.member import Member
from kstream.delivery.snapshots import Snapshots
from tests.delivery.riders import newcomer
from tests.making import START, change, numbered, pod_key, take
from tests.workshop import Workshop


class Counter:
    """Clients come to it as a test says; it notes whom it has served."""

    def __init__(self, state: ClusterState, backlog: Backlog | None = None) -> None:
        self.clock = VirtualClock(START)
        self.state = state
        self.backlog = backlog or Backlog(head=state.seq)
        self.served: list[Member] = []
        self.snapshots = Snapshots(
            state, self.backlog, clock=self.clock, time=self.clock.time, serve=self.serve
        )

    def serve(self, member: Member) -> None:
        self.served.append(member)
        if member.session.wants_snapshot and not member.gone:
            self.snapshots.want(member)

    def come(self, watched: Filter = EVERYTHING, *, bits: int = 0) -> Member:
        member = newcomer(self.backlog, watched, bits=bits)
        self.snapshots.want(member)
        return member

    def publish(self, count: int) -> None:
        seq = self.state.seq
        events = numbered([change(Verb.ADDED, pod_key(f"new-{seq}-{n}")) for n in range(count)], seq)
        for event in events:
            self.state.apply(event)
        take(self.backlog, events)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Workshop]:
        task = asyncio.create_task(self.snapshots.run())
        workshop = Workshop()
        yield workshop
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def seqs(*members: Member) -> list[int | None]:
    """Where they were put; None for one that still waits."""
    return [None if member.session.wants_snapshot else member.session.lane.cursor for member in members]


def named(name: str) -> Filter:
    return Filter(frozenset({name}))
