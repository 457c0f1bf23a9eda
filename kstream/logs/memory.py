"""A log in memory, with the same contract as a file: for tests and for what shall not touch the disk."""

from __future__ import annotations

import uuid
from bisect import bisect_right
from collections.abc import AsyncGenerator, Mapping, Sequence

from kstream.core.errors import LogError
from kstream.core.timeline.blocks import Block
from kstream.core.timeline.events import Event, WatchEvent
from kstream.core.timeline.health import ClusterInfo
from kstream.core.timeline.narrow import Narrow
from kstream.core.timeline.retention import Holding
from kstream.core.timeline.state import ClusterState
from kstream.core.timeline.terms import Term
from kstream.core.timeline.wellness import is_unwell
from kstream.logs.blocks import Indexer
from kstream.logs.feed import Feed, Follower, followed
from kstream.logs.refusals import check_range, identified
from kstream.logs.rows import rows
from kstream.ports import Jump


class MemoryLog:
    """An EventLog that is gone when the process is."""

    def __init__(self, *, epoch: str = "memory", meta: Mapping[str, str] | None = None) -> None:
        self._terms = (Term(uuid.uuid4().hex, 1),)
        self.meta: Mapping[str, str] = dict(meta or {})
        self._epoch = epoch
        self._events: list[Event] = []
        self._oldest = 1
        self._base: list[Event] = []  # the events that made what was alive before `oldest`
        self._base_time = 0.0
        self._cluster: ClusterInfo | None = None
        self._versions: dict[str, str] = {}
        self._feed = Feed()

    @property
    def epoch(self) -> str:
        return self._epoch

    @property
    def terms(self) -> Sequence[Term]:
        return self._terms

    @property
    def head(self) -> int:
        return self._oldest - 1 + len(self._events)

    @property
    def oldest(self) -> int:
        return self._oldest

    @property
    def cluster(self) -> ClusterInfo | None:
        return self._cluster

    @property
    def versions(self) -> Mapping[str, str]:
        return dict(self._versions)

    async def refresh(self) -> None:
        """Nobody else writes it."""

    async def append(
        self, changes: Sequence[WatchEvent], *, versions: Mapping[str, str] | None = None
    ) -> int:
        self._check_open()
        events = [Event(seq, change) for seq, change in enumerate(changes, self.head + 1)]
        self._events += events
        self._versions.update(versions or {})
        self._feed.publish(events)
        return self.head

    async def identify(self, cluster: ClusterInfo) -> None:
        self._check_open()
        self._cluster = identified(self._cluster, cluster, "the event log in memory")

    def follow(self, after: int) -> AsyncGenerator[Sequence[Event] | Jump, None]:
        return followed(self, self._feed, after, Follower.news)

    async def read(self, after: int, upto: int) -> Sequence[Event]:
        check_range(after, upto, oldest=self._oldest, head=self.head)
        if upto <= after:
            return ()
        return self._events[after + 1 - self._oldest : upto + 1 - self._oldest]

    async def state_at(self, seq: int) -> ClusterState:
        check_range(seq, seq, oldest=self._oldest, head=self.head)
        state = ClusterState()
        state.load((event.change for event in self._base), seq=self._oldest - 1, time=self._base_time)
        for event in self._events[: seq + 1 - self._oldest]:
            state.apply(event)
        return state

    async def blocks(self, after: int, upto: int, *, whole: bool = True) -> Sequence[Block]:
        check_range(after, upto, oldest=self._oldest, head=self.head)
        bad = [
            (event.seq, (event.change.key.kind.value, event.change.key.uid))
            for event in self._base
            if is_unwell(event.change.body.decode())
        ]
        index = Indexer(self._oldest - 1, self._base_time, bad)
        made = index.apply(rows(self._events))
        if whole and index.start < self.head:
            made.append(index.cut())
        return [block for block in made if block.seq > after and block.first <= upto]

    async def reached(self, times: Sequence[float], after: int, upto: int) -> Sequence[int]:
        found = [event.change.time for event in await self.read(after, upto)]
        reached, low = [], 0
        for time in times:
            low = bisect_right(found, time, low)
            reached.append(after + low)
        return reached

    async def pick(self, seqs: Sequence[int]) -> Sequence[Event]:
        wanted = set(seqs)
        return [event for event in self._held() if event.seq in wanted]

    async def find(
        self, narrow: Narrow, after: int, upto: int, *, among: Sequence[int] | None = None
    ) -> Sequence[int]:
        wanted = None if among is None else set(among)
        return [
            event.seq
            for event in self._held()
            if after < event.seq <= upto
            and (wanted is None or event.seq in wanted)
            and narrow.fits(event.change)
        ]

    def _held(self) -> list[Event]:
        return sorted((*self._base, *self._events), key=lambda event: event.seq)

    async def holding(self) -> Holding:
        """The size is that of the bodies."""
        size = sum(len(event.change.body) for event in (*self._base, *self._events))
        objects = len(await self.state_at(self.head))
        return Holding(self._oldest, self.head, objects, len(self._base), size)

    async def trim(self, before: int) -> None:
        """Forget the events with seq < before; every state from before - 1 on stays what it was."""
        before = min(before, self.head + 1)
        if before <= self._oldest:
            return
        dropped = self._events[: before - self._oldest]
        alive = {(event.change.key.kind, event.change.key.uid): event for event in self._base}
        for event in dropped:
            where = event.change.key.kind, event.change.key.uid
            if event.change.verb == "DELETED":
                alive.pop(where, None)
            else:
                alive[where] = event
        self._base = list(alive.values())
        self._base_time = dropped[-1].change.time
        self._events = self._events[before - self._oldest :]
        self._oldest = before

    async def close(self) -> None:
        self._feed.close()

    def _check_open(self) -> None:
        if self._feed.closed:
            raise LogError("the event log in memory is closed")
