"""Private timelines (PROTOCOL 27, 28): one for each client that has gone to another moment, with those who follow it.

Each is a log that is played and a hub beside that of the timeline which all share. They have half of the loop at most,
all together, so that however many there are the shared timeline is not slowed; past that they are late.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from dataclasses import replace
from functools import partial
from typing import Any, Final
from weakref import ref

from kstream.core.delivery import wire
from kstream.core.delivery.urgent import Word
from kstream.core.delivery.wire import PlaybackCommand
from kstream.core.errors import InvalidMessageError, LogError, NoRoomError
from kstream.core.timeline.health import ErrorCode, Fault, Health
from kstream.core.timeline.state import ClusterState
from kstream.core.timeline.timepoint import timestamp
from kstream.delivery.driving import bounded_speed, check, clamped, drive
from kstream.delivery.hub import Hub
from kstream.delivery.turn import Half
from kstream.delivery.viewers import PLAYBACK, Opened, PrivateTimeline, Viewer
from kstream.logs.places import settled, time_of
from kstream.logs.privatelog import Beginning, PrivateLog
from kstream.logs.replay import ReplayLog
from kstream.logs.spans import Spans
from kstream.ports import Clock, EventLog, Jump
from kstream.processlog.lines import say
from kstream.tracebacks import forget_frames

_AT_ONCE: Final = 200  # events that are folded before others have their turn
_WINDOW: Final = 500  # events that each keeps for those who are behind: a state is not far
_WINDOW_BYTES: Final = 2**20

_BEGINNING: Final = "+0s"  # a point

_log = logging.getLogger(__name__)


class Timelines:
    """Those of one server, at most `most`."""

    def __init__(
        self,
        hub: Hub,
        log: EventLog,
        *,
        time: Callable[[], float],
        most: int,
        metrics_interval: float,
        prefix: str = "",
    ) -> None:
        """`log`: that of the shared timeline; a ReplayLog where a recording is played. `time` is that of the shared
        timeline, seconds since the Unix epoch; `metrics_interval`: seconds. Ids begin with `prefix`."""
        self.most = most
        self._prefix = prefix
        self._hub = hub
        self._log = log
        self._played = log if isinstance(log, ReplayLog) else None
        self._time = time
        self._metrics_interval = metrics_interval
        self._timelines: dict[str, PrivateTimeline] = {}
        self._reading = Half(hub.clock)
        self._work = Half(hub.clock)
        self._copied: Callable[[], ClusterState | None] = lambda: (
            None
        )  # the last copy, while somebody needs it
        self._opening = 0
        self._spans = Spans(log if self._played is None else self._played.recording)
        self._limits = replace(
            hub.limits,
            window_events=min(_WINDOW, hub.limits.window_events),
            window_bytes=min(_WINDOW_BYTES, hub.limits.window_bytes),
        )

    def __len__(self) -> int:
        return len(self._timelines)

    @property
    def _clock(self) -> Clock:
        return self._hub.clock

    async def shared(self) -> Mapping[str, Any]:
        """The data of a `playback` message about the timeline that all share."""
        if self._played is not None:
            return self._played.playback
        start = await settled(lambda: time_of(self._log, self._log.oldest - 1))
        return self._shared(timestamp(start or self._time()))

    def _shared(self, start: str) -> Mapping[str, Any]:
        """The same, where it is known since when there is a history."""
        if self._played is not None:
            return self._played.playback
        now = timestamp(self._time())
        return {"state": "live", "speed": 1, "at": now, "start": start, "end": now}

    async def open(
        self,
        *,
        at: str | None,
        held: int | None = None,
        speed: float | str = 1.0,
        paused: bool = False,
        wanted: Callable[[], bool],
    ) -> Opened:
        """A timeline for one who comes; `held`: the event that it saw last there. Raises InvalidMessageError: a point
        or speed that is none, or too many timelines."""
        begin = Beginning(at, bounded_speed(speed), paused, held)
        async with self._turn(at):
            return await self._opened(begin, None, wanted)

    def _turn(self, at: str | None) -> AbstractAsyncContextManager[None]:
        """To be held by whoever begins a timeline: of what is read at a moment each state has a turn of its own."""
        return self._work.turn() if at is None else nullcontext()

    async def _opened(
        self, begin: Beginning, beside: PrivateTimeline | None, wanted: Callable[[], bool]
    ) -> Opened:
        self._check_room()
        self._opening += 1
        try:
            return await self._open(begin, beside, wanted)
        finally:
            self._opening -= 1

    async def _open(
        self, begin: Beginning, beside: PrivateTimeline | None, wanted: Callable[[], bool]
    ) -> Opened:
        hub, time = (self._hub, self._time) if beside is None else (beside.hub, beside.log.time)
        here = hub.state.seq, time()
        state = self._branch(hub) if begin.at is None else None
        log = await settled(
            lambda: PrivateLog.begin(
                self._log,
                self._clock,
                begin=begin,
                here=here,
                present=self._time if self._played is None else None,
                turn=self._reading.turn,
                beside=lambda: self._hub.state,
                spans=self._spans,
            )
        )
        if state is None or state.seq != log.head:
            state = await log.begin_state(wanted)
        return Opened(log, state)

    def _branch(self, hub: Hub) -> ClusterState:
        """The state of a timeline, for one beside it: copied once for all who stop in the same moment, and no further
        while they stand still."""
        known = self._copied()
        if known is None or known.seq != hub.state.seq:
            known = hub.state.copy()
            self._copied = ref(known)
        return known.branch()

    def _watermark(self, log: PrivateLog) -> tuple[float, int] | None:
        """Of a log that is written still nobody knows more than is known of the present (PROTOCOL 29)."""
        mark = log.watermark()
        if mark is None or self._played is not None:
            return mark
        known = self._hub.as_of
        return None if known is None else (min(mark[0], self._hub.moment(known)), mark[1])

    def enter(self, viewer: Viewer, opened: Opened) -> PrivateTimeline:
        """`viewer` moves this timeline from now on. Raises InvalidMessageError: too many timelines."""
        self._check_room()
        log, shared = opened.log, self._hub
        hub = Hub(
            epoch=shared.epoch,
            term=lambda: log.terms[-1].id,
            source=shared.source,
            state=opened.state,
            health=Health.at_start(log.cluster, recorded=True, fed=False),
            clock=shared.clock,
            time=log.time,
            watermark=partial(self._watermark, log),
            limits=self._limits,
            metrics_interval=self._metrics_interval,
            beside=shared,
        )
        timeline = PrivateTimeline(log, hub, viewer, prefix=self._prefix)
        self._timelines[timeline.id] = timeline
        shared.branches[hub] = None
        timeline.unheard = log.listen(lambda _: hub.announce(timeline.word()))
        timeline.task = asyncio.create_task(self._run(timeline), name=f"timeline {timeline.id}")
        timeline.task.add_done_callback(lambda task: self._ended(timeline, task))
        self._move(viewer, timeline)
        return timeline

    def following(self, name: str) -> PrivateTimeline:
        """The timeline of that id. Raises InvalidMessageError."""
        if (timeline := self._timelines.get(name)) is None:
            raise InvalidMessageError(
                "There is no such timeline",
                f"follow: {name[:40]!r} has ended with its owner, or the process that has it does not answer",
            )
        return timeline

    def follow(self, viewer: Viewer, timeline: PrivateTimeline) -> None:
        """`viewer` sees what its owner sees, for as long as there is one."""
        if timeline.id in self._timelines:
            self._move(viewer, timeline)

    async def obey(self, viewer: Viewer, command: PlaybackCommand) -> None:
        """What a client asks of its timeline; that of others it leaves for its own. What cannot be read is told to it,
        and it stays where it is. Raises InvalidMessageError."""
        try:
            await self._obey(viewer, command)
        except LogError as error:
            if not viewer.member.closed:
                self._tell_unreadable(viewer, "That cannot be read: this timeline stays where it is", error)
                viewer.hub.serve(viewer.member)
            say(_log, logging.ERROR, "log not read", action=command.action, message=str(error))

    async def _obey(self, viewer: Viewer, command: PlaybackCommand) -> None:
        check(command)
        if command.speed is not None:
            bounded_speed(command.speed)
        timeline = viewer.timeline
        if timeline is not None and command.action == "live":
            async with self._work.turn():
                if viewer.timeline is not None:  # it may have ended meanwhile
                    self._go_home(viewer)
        elif timeline is not None and timeline.owner is viewer:
            await drive(timeline.log, command)
        elif timeline is None and (command.action == "live" or self._plays_already(command)):
            self._tell(viewer, await self.shared())
        else:
            if not self.most:
                raise InvalidMessageError(
                    "This server offers no private timelines", f"action: {command.action!r} (--max-timelines)"
                )
            await self._leave_for_own(viewer, command)

    async def _leave_for_own(self, viewer: Viewer, command: PlaybackCommand) -> None:
        now: Mapping[str, Any] = (
            await self.shared() if viewer.timeline is None else viewer.timeline.log.playback
        )
        paused = command.action in ("pause", "step") or (
            command.action == "seek" and now["state"] == "paused"
        )
        at = command.at if command.action == "seek" else None
        if command.action == "play" and now["state"] == "ended":
            at = _BEGINNING  # as the one that it leaves would
        speed = bounded_speed(clamped(now["speed"]) if command.speed is None else command.speed)
        async with self._turn(at):
            opened = await self._opened(
                Beginning(at, speed, paused), viewer.timeline, lambda: not viewer.member.closed
            )
            if not viewer.member.closed:
                own = self.enter(viewer, opened)
                if command.action == "step":
                    own.log.step()

    def leave(self, viewer: Viewer) -> None:
        """A client went; saying so again does no harm."""
        viewer.hub.leave(viewer.member)
        if (timeline := viewer.timeline) is not None:
            viewer.timeline = None
            timeline.viewers.pop(viewer, None)
            if timeline.owner is viewer:
                self._end(timeline)

    def _plays_already(self, command: PlaybackCommand) -> bool:
        """In the present nothing can be played."""
        return command.action == "play" and self._played is None

    def _go_home(self, viewer: Viewer) -> None:
        """To the timeline that all share."""
        assert viewer.timeline is not None, "whoever goes home is elsewhere"
        start = viewer.timeline.log.playback["start"]
        self._move(viewer, None)
        self._tell(viewer, self._shared(start))

    def _tell(self, viewer: Viewer, data: Mapping[str, Any]) -> None:
        if not viewer.member.closed:
            viewer.member.session.tell(Word(PLAYBACK, wire.playback(data, time=self._time())))
            viewer.hub.serve(viewer.member)

    @staticmethod
    def _tell_unreadable(viewer: Viewer, message: str, error: BaseException) -> None:
        fault = Fault(ErrorCode.WATCH_ERROR, message, str(error))
        viewer.member.session.tell(Word("", wire.error(fault, time=viewer.hub.time())))

    async def close(self) -> None:
        """All of them end; nobody goes home."""
        tasks = []
        for timeline in self._timelines.values():
            timeline.viewers.clear()
            if timeline.task is not None:
                timeline.task.cancel()
                tasks.append(timeline.task)
        await asyncio.gather(*tasks, return_exceptions=True)

    def _check_room(self) -> None:
        if len(self._timelines) + self._opening >= self.most:
            raise NoRoomError(
                "The server has as many private timelines as it may",
                f"At most {self.most} at once (--max-timelines)",
            )

    def _move(self, viewer: Viewer, timeline: PrivateTimeline | None) -> None:
        before, viewer.timeline = viewer.timeline, timeline
        viewer.hub.release(viewer.member)
        viewer.hub = timeline.hub if timeline is not None else self._hub
        viewer.member = viewer.hub.adopt(viewer.member)
        if timeline is not None:
            timeline.viewers[viewer] = None
            viewer.member.session.tell(timeline.word())
        if before is not None:
            before.viewers.pop(viewer, None)
            if before.owner is viewer:
                self._end(before)

    def _end(self, timeline: PrivateTimeline) -> None:
        self._timelines.pop(timeline.id, None)
        if timeline.task is not None:
            timeline.task.cancel()

    def _ended(self, timeline: PrivateTimeline, task: asyncio.Task[None]) -> None:
        """It has come to the present, its owner went, or it cannot be read: who is there still goes home."""
        self._timelines.pop(timeline.id, None)
        error = None if task.cancelled() else task.exception()
        for viewer in list(timeline.viewers):
            if viewer.member.closed:
                continue
            if error is not None:
                message = "What comes next on this timeline cannot be read: back to the one that all share"
                self._tell_unreadable(viewer, message, error)
            self._go_home(viewer)
        del self._hub.branches[timeline.hub]
        # Nothing of it refers to the rest in a circle: the garbage collector comes by very seldom here.
        timeline.unheard()
        timeline.unheard, timeline.task = lambda: None, None
        forget_frames(error)
        if error is not None:
            say(_log, logging.ERROR, "timeline failed", message=repr(error))

    async def _run(self, timeline: PrivateTimeline) -> None:
        # Not `Hub.run`: what a TaskGroup is cancelled by would hold the hub in a circle.
        works = [asyncio.create_task(work) for work in (*timeline.hub.works(), self._play(timeline))]
        try:
            await asyncio.wait(works, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for work in works:
                work.cancel()
            ends = await asyncio.gather(*works, return_exceptions=True)
        if found := [end for end in ends if isinstance(end, Exception)]:
            raise found[0]

    async def _play(self, timeline: PrivateTimeline) -> None:
        hub = timeline.hub
        async with aclosing(timeline.log.follow(hub.state.seq)) as batches:
            async for batch in batches:
                if isinstance(batch, Jump):
                    hub.jump(batch.state)
                    continue
                for first in range(0, len(batch), _AT_ONCE):
                    # The shared timeline waits for one of these at most, and goes on without a break.
                    async with self._work.turn(), self._hub.floor:
                        hub.publish(batch[first : first + _AT_ONCE])
                        await hub.flush()
