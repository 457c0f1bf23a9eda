"""Handing committed events to followers: straight from memory while they keep up, from the log when they lag."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from kstream.core.errors import LogTrimmedError
from kstream.core.timeline.events import Event
from kstream.ports import EventLog, Jump

_HELD_EVENTS: Final = 20_000  # what one follower may have waiting in memory before it must read the log
_READ_EVENTS: Final = 1000  # the largest batch that is read from the log for a follower that lags


class Follower:
    """The batches that were committed and not yet taken, as far as they fit."""

    def __init__(self) -> None:
        self._batches: deque[Sequence[Event]] = deque()
        self._held = 0
        self._news = asyncio.Event()

    def offer(self, events: Sequence[Event]) -> None:
        """Keep a committed batch, or forget all that is held when it gets too much."""
        if self._held + len(events) > _HELD_EVENTS:
            self._batches.clear()
            self._held = 0
        else:
            self._batches.append(events)
            self._held += len(events)
        self._news.set()

    def take(self, after: int) -> Sequence[Event]:
        """The next batch with the event after + 1 first; empty if memory does not have that one."""
        while self._batches:
            batch = self._batches[0]
            if batch[0].seq > after + 1:
                return ()
            self._batches.popleft()
            self._held -= len(batch)
            if batch[-1].seq > after:
                return batch if batch[0].seq > after else batch[after + 1 - batch[0].seq :]
        return ()

    def wake(self) -> None:
        self._news.set()

    async def news(self) -> None:
        """Until something was offered or the feed was closed since the last call."""
        await self._news.wait()
        self._news.clear()


class Feed:
    """All followers of one log."""

    def __init__(self) -> None:
        self._followers: set[Follower] = set()
        self.closed = False

    @contextmanager
    def follower(self) -> Iterator[Follower]:
        follower = Follower()
        self._followers.add(follower)
        try:
            yield follower
        finally:
            self._followers.discard(follower)

    def publish(self, events: Sequence[Event]) -> None:
        if events:
            for follower in self._followers:
                follower.offer(events)

    def wake(self) -> None:
        """Let every follower look whether there is news."""
        for follower in self._followers:
            follower.wake()

    def close(self) -> None:
        """Every follower ends once it has what is held for it; the log itself can no longer be read."""
        self.closed = True
        self.wake()


async def followed(
    log: EventLog, feed: Feed, after: int, news: Callable[[Follower], Awaitable[None]]
) -> AsyncGenerator[Sequence[Event] | Jump, None]:
    """What `EventLog.follow` yields, until the feed is closed.

    `news` waits until there may be more. A follower that lags behind what retention keeps, and for which memory
    does not hold it either, gets a Jump to the oldest state that there is: it never misses a change unknowingly.
    """
    with feed.follower() as follower:
        while True:
            # Memory first: what was dropped from the log a moment ago may still be there.
            found: Sequence[Event] | Jump = follower.take(after)
            if not found and after < log.head and not feed.closed:
                try:
                    found = await _read(log, after)
                except LogTrimmedError:
                    continue  # it was dropped while we were about to read it
            if isinstance(found, Jump):
                after = found.state.seq
                yield found
            elif found:
                after = found[-1].seq
                yield found
            elif feed.closed:
                return
            else:
                await news(follower)


async def _read(log: EventLog, after: int) -> Sequence[Event] | Jump:
    if after + 1 < log.oldest:
        return Jump(await log.state_at(log.oldest - 1))
    return await log.read(after, min(log.head, after + _READ_EVENTS))
