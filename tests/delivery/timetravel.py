"""A server with private timelines on a virtual clock, and clients that fold what they hear."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from kstream.clock import VirtualClock
from kstream.core.delivery import wire
from kstream.core.delivery.filters import EVERYTHING
from kstream.core.timeline.events import Verb, WatchEvent
from kstream.delivery.hub import Hub
from kstream.delivery.timelines import Timelines
from kstream.delivery.viewers import Viewer
from kstream.logs.memory import MemoryLog
from kstream.ports import EventLog
from tests.clientfold import ClientFold
from tests.delivery.sockets import FakeSocket
from tests.hubs import running
from tests.making import body_of, pod_key


class Someone:
    """A client: what it hears, and what it makes of that."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.socket = FakeSocket()
        self.viewer = Viewer(stage.hub, stage.hub.join(self.socket, EVERYTHING, window_bits=0))
        self.viewer.hub.serve(self.viewer.member)
        self.fold = ClientFold()
        self.errors: list[Any] = []
        self.playback: dict[str, Any] | None = None
        self.played: list[str] = []
        self.stamps: dict[str, str] = {}  # type → the timestamp of the last one

    def hear(self) -> list[str]:
        """The types of what came since; `fold` is what it holds now."""
        told = self.socket.messages()
        for message in told:
            self.stamps[message["type"]] = message["timestamp"]
            match message["type"]:
                case "playback":
                    self.playback = message["data"]
                    self.played.append(message["data"]["state"])
                case "error":
                    self.errors.append(message["error"])
                case _:
                    self.fold.take(message)
        return [message["type"] for message in told]

    async def do(self, action: str, **fields: Any) -> None:
        command = wire.parse(b'{"type":"playback","action":"%s"}' % action.encode())
        assert isinstance(command, wire.PlaybackCommand)
        await self.stage.timelines.obey(self.viewer, command.model_copy(update=fields))
        await self.stage.clock.advance(0)

    def leave(self) -> None:
        self.stage.timelines.leave(self.viewer)


class Stage:
    """A live server, whose log is written by `write`; or one that plays a recording."""

    def __init__(self, hub: Hub, clock: VirtualClock, log: MemoryLog, shared: EventLog, *, most: int) -> None:
        self.hub = hub
        self.clock = clock
        self.log = log
        self.timelines = Timelines(hub, shared, time=clock.time, most=most, metrics_interval=10.0)

    async def write(self, *changes: WatchEvent) -> None:
        head = self.log.head
        await self.log.append(changes)
        self.hub.publish(await self.log.read(head, self.log.head))
        await self.hub.flush()

    async def someone(self) -> Someone:
        """A client, with its first state."""
        come = Someone(self)
        await self.clock.advance(0)
        return come

    async def pods(self, count: int, every: float = 1.0) -> None:
        """So many pods come, one after the other."""
        for _ in range(count):
            key = pod_key(f"p{self.log.head}")
            await self.write(WatchEvent(Verb.ADDED, key, "1", self.clock.time(), body_of(key)))
            await self.clock.advance(every)

    async def check(self, someone: Someone) -> None:
        """What it holds is what the log says."""
        someone.hear()
        seq = someone.fold.seq
        assert seq is not None
        state = await self.log.state_at(seq)
        held = {uid: item["name"] for uid, item in someone.fold.objects.items()}
        assert held == {entry.key.uid: entry.key.name for entry in state}


@asynccontextmanager
async def live(*, most: int = 9, log: MemoryLog | None = None) -> AsyncIterator[Stage]:
    log = log or MemoryLog(epoch="epoch-1")
    async with running() as (hub, clock):
        stage = Stage(hub, clock, log, log, most=most)
        await stage.pods(10)
        try:
            yield stage
        finally:
            await stage.timelines.close()
