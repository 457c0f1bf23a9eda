"""A log on a disk that is played: full, slow, restored from a copy, without its last moments."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import NamedTuple

from kstream.core.errors import LogFullError
from kstream.core.timeline.events import Event, WatchEvent
from kstream.core.timeline.health import ClusterInfo
from kstream.core.timeline.terms import Term
from kstream.logs.feed import Follower, followed
from kstream.logs.memory import MemoryLog
from kstream.ports import Clock, Jump, TrimmableLog


class Commit(NamedTuple):
    changes: Sequence[WatchEvent]
    versions: Mapping[str, str]


class Disk:
    """What is there when the process is not."""

    def __init__(self) -> None:
        self.epoch = "world"
        self.cluster: ClusterInfo | None = None
        self.commits: list[Commit] = []
        self.terms: list[Term] = []
        self.begun = 0  # terms, ever: an id is never used twice, whatever is put back
        self.oldest = 1  # the seq before which nothing is kept
        self.copies: list[tuple[list[Commit], list[Term], int]] = []
        self.full = False
        self.slow = 0.0  # seconds for a commit
        self.told_after = 0.0  # seconds from a commit until followers hear of it
        self.refused = 0  # commits, since it is full

    async def open(self, clock: Clock) -> TrimmableLog:
        """The log on it, with a term of its own, for one life of the process."""
        return await DiskLog.open(self)

    async def died(self, log: TrimmableLog) -> None:
        """The process that had it open is gone."""

    def copy(self) -> None:
        self.copies.append((list(self.commits), list(self.terms), self.oldest))

    def put_back(self) -> None:
        """An older copy in place of what is there: its numbers will be handed out again."""
        if self.copies:
            self.commits, self.terms, self.oldest = self.copies.pop(0)

    def lose_tail(self, count: int) -> None:
        """A loss of power: the last commits were not synced."""
        del self.commits[max(0, len(self.commits) - count) :]


class DiskLog(MemoryLog):
    """What MemoryLog is, kept on a Disk. A commit is there when `append` returns, perhaps earlier."""

    def __init__(self, disk: Disk) -> None:
        super().__init__(epoch=disk.epoch)
        self._disk = disk

    @property
    def terms(self) -> Sequence[Term]:
        return self._disk.terms

    @classmethod
    async def open(cls, disk: Disk) -> DiskLog:
        log = cls(disk)
        if disk.cluster is not None:
            await MemoryLog.identify(log, disk.cluster)
        for commit in disk.commits:
            await MemoryLog.append(log, commit.changes, versions=commit.versions)
        disk.oldest = min(disk.oldest, log.head + 1)
        await MemoryLog.trim(log, disk.oldest)
        disk.begun += 1
        disk.terms.append(Term(f"term-{disk.begun}", log.head + 1))
        return log

    async def append(
        self, changes: Sequence[WatchEvent], *, versions: Mapping[str, str] | None = None
    ) -> int:
        if self._disk.slow:
            await asyncio.sleep(self._disk.slow)
        if self._disk.full:
            self._disk.refused += 1
            raise LogFullError("the disk is full")
        self._disk.refused = 0
        self._disk.commits.append(Commit(list(changes), dict(versions or {})))
        return await super().append(changes, versions=versions)

    async def _late(self, follower: Follower) -> None:
        """A thread wrote, and this process is told a moment later."""
        await follower.news()
        await asyncio.sleep(self._disk.told_after)

    def follow(self, after: int) -> AsyncGenerator[Sequence[Event] | Jump, None]:
        return followed(self, self._feed, after, self._late)

    async def trim(self, before: int) -> None:
        if self._disk.full:
            raise LogFullError("the disk is full")
        await super().trim(before)
        self._disk.oldest = self.oldest

    async def identify(self, cluster: ClusterInfo) -> None:
        self._disk.cluster = cluster
        await super().identify(cluster)
