"""A recording that is played to a follower, in virtual time: for the tests of replays."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import Any

from kstream.clock import VirtualClock
from kstream.core.timeline.events import Event
from kstream.core.timeline.state import ClusterState
from kstream.logs.memory import MemoryLog
from kstream.logs.replay import ReplayLog
from kstream.ports import Jump
from tests.logs.facts import history

STEP = 0.5  # seconds from one recorded event to the next; event n is at START + n * STEP


class Watcher:
    """A follower as the hub is one: folds what it gets."""

    def __init__(self, log: ReplayLog) -> None:
        self.log = log
        self.state = ClusterState()
        self.batches: list[int] = []  # how many events each had
        self.jumps: list[int] = []

    async def run(self) -> None:
        self.state = await self.log.state_at(self.log.head)
        async with aclosing(self.log.follow(self.state.seq)) as batches:
            async for batch in batches:
                if isinstance(batch, Jump):
                    self.state = batch.state
                    self.jumps.append(self.state.seq)
                else:
                    self.batches.append(len(batch))
                    for event in batch:
                        assert event.seq == self.state.seq + 1
                        self.state.apply(event)
                assert self.log.head == self.state.seq


class Stage:
    """A recording of `count` events, played to a watcher, in virtual time."""

    def __init__(self, clock: VirtualClock, recording: MemoryLog, log: ReplayLog) -> None:
        self.clock = clock
        self.recording = recording
        self.log = log
        self.watcher = Watcher(log)
        self.told: list[Mapping[str, Any]] = []
        log.listen(self.told.append)

    @property
    def seq(self) -> int:
        return self.watcher.state.seq


@asynccontextmanager
async def staged(count: int = 100, step: float = STEP, **settings: Any) -> AsyncIterator[Stage]:
    clock = VirtualClock(50_000.0)
    recording = MemoryLog()
    await recording.append(list(history(count, step=step)))
    log = await ReplayLog.open(recording, clock, **settings)
    stage = Stage(clock, recording, log)
    async with AsyncExitStack() as stack:
        running = asyncio.create_task(stage.watcher.run())
        stack.callback(running.cancel)
        await clock.advance(0)
        yield stage
        if running.done():
            running.result()
        await log.close()
        await clock.advance(0)
        assert running.done()
        running.result()


def folded(count: int, **settings: Any) -> ClusterState:
    state = ClusterState()
    for seq, fact in enumerate(history(count, **settings), 1):
        state.apply(Event(seq, fact))
    return state
