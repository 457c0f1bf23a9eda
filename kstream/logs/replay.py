"""A log that is played: an EventLog whose head moves along another log, at the pace of a Playback."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Self, TypeVar

from kstream.core.errors import InvalidMessageError, LogError, LogTrimmedError
from kstream.core.timeline.blocks import Block
from kstream.core.timeline.events import Event, WatchEvent
from kstream.core.timeline.health import ClusterInfo
from kstream.core.timeline.narrow import Narrow
from kstream.core.timeline.playback import MAX, Playback, PlaybackState, speed_of
from kstream.core.timeline.state import ClusterState
from kstream.core.timeline.terms import Term
from kstream.logs.ends import ends_of, holds
from kstream.logs.places import check_there, place, settled, time_of
from kstream.ports import Clock, EventLog, Jump

_AHEAD: Final = 1000  # events that are read at a time, and the largest batch

_T = TypeVar("_T")

Listener = Callable[[Mapping[str, Any]], None]


class ReplayLog:
    """A timeline on a recording. Its head is where the timeline is; nothing after it is visible.

    It has one follower, which drives it. The recording is not closed with it: whoever opened that closes it.
    """

    def __init__(
        self, recording: EventLog, clock: Clock, playback: Playback, *, bounds: tuple[int, int], bounded: bool
    ) -> None:
        """For `open`."""
        self._recording = recording
        self._clock = clock
        self._playback = playback
        self._first, self._last = bounds  # the seqs that belong to the start and the end
        self._bounded = bounded  # by --to: it does not grow with the recording
        self._head = self._first
        self._goal: int | None = None  # the seq to jump to, until the follower has
        self._steps = 0
        self._ahead: deque[Event] = deque()
        self._commanded = asyncio.Event()
        self._obeyed = asyncio.Event()
        self._listeners: list[Listener] = []
        self._followed = False
        self._closed = False

    @classmethod
    async def open(
        cls,
        recording: EventLog,
        clock: Clock,
        *,
        speed: float | str = 1.0,
        start: str | None = None,
        end: str | None = None,
        at: str | None = None,
        now: float | None = None,
        loop: bool = False,
        max_gap: float | None = None,
        paused: bool = False,
    ) -> Self:
        """A timeline from `start` to `end` (default: the whole recording) that begins at `at` (default: its start).

        Points are RFC 3339, `seq:N`, or relative: `+90s` to the beginning of the recording, `-5m` to its end; an
        `at` of a log that is still written is relative to `now`.
        Raises InvalidMessageError whose details begin with `from`, `to`, `at` or `speed`.
        """
        span, (first, starts), (last, ends) = await settled(lambda: ends_of(recording, start, end))
        if last < first or (last == first and ends < starts):
            where = f"from {start!r}" if start is not None else "the beginning"
            raise InvalidMessageError(
                "The span to replay ends before it begins",
                f"to: {end!r} is before {where}: {holds(recording, span)}",
            )
        ends = max(starts, ends)  # the clock of whoever recorded it may have gone back
        playback = Playback(
            start=starts,
            end=ends,
            now=clock.monotonic(),
            speed=speed_of(speed),
            paused=paused,
            loop=loop,
            max_gap=max_gap,
        )
        log = cls(recording, clock, playback, bounds=(first, last), bounded=end is not None)
        if at is not None:
            log._head, time = await log._resolve(at, span if now is None else (now, now))
            playback.seek(clock.monotonic(), time)
        return log

    @property
    def recording(self) -> EventLog:
        return self._recording

    @property
    def epoch(self) -> str:
        return self._recording.epoch

    @property
    def terms(self) -> Sequence[Term]:
        return self._recording.terms

    @property
    def head(self) -> int:
        """The seq of the last event that the timeline has shown."""
        return self._head

    @property
    def oldest(self) -> int:
        return self._recording.oldest

    @property
    def cluster(self) -> ClusterInfo | None:
        return self._recording.cluster

    @property
    def versions(self) -> Mapping[str, str]:
        return self._recording.versions

    @property
    def playback(self) -> Mapping[str, Any]:
        """The data of a `playback` message, as of now (PROTOCOL 27)."""
        return self._playback.describe(self._clock.monotonic())

    def time(self) -> float:
        """The timeline's now, in seconds since the Unix epoch."""
        return self._playback.position(self._clock.monotonic())

    def watermark(self) -> tuple[float, int] | None:
        """Up to when all is shown, and the seq of the last event then (PROTOCOL 29); None while it reads ahead."""
        if not self._ahead and self._head < self._last:
            return None
        now = self.time()
        return (min(now, self._ahead[0].change.time) if self._ahead else now), self._head

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with the data of a `playback` message at every change; the result ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def play(self) -> None:
        """Go on; after the end, from the start."""
        if self._playback.state is PlaybackState.ENDED:
            self._goal = self._first
        self._steps = 0
        self._playback.play(self._clock.monotonic())
        self._changed()

    def pause(self) -> None:
        self._playback.pause(self._clock.monotonic())
        self._changed()

    def set_speed(self, speed: float | str) -> None:
        """A number above 0, or "max". Raises InvalidMessageError."""
        self._playback.set_speed(self._clock.monotonic(), speed_of(speed))
        self._changed()

    def step(self) -> None:
        """Pause, and show one event more."""
        self._playback.pause(self._clock.monotonic())
        if self._playback.state is PlaybackState.PAUSED:
            self._steps = min(self._steps + 1, _AHEAD)
        self._changed()

    async def seek(self, point: str) -> None:
        """Go to a point (RFC 3339, `seq:N`, or `-5m` and `+90s` from where it is), or to the nearest bound.

        The follower gets a Jump. Raises InvalidMessageError, also for an event that is not there.
        """
        await check_there(self._recording, point, field="at")
        now = self.time()
        goal, time = await self._resolve(point, (now, now))
        self._goal = goal
        self._steps = 0
        self._playback.seek(self._clock.monotonic(), time)
        self._changed()

    async def obeyed(self) -> None:
        """Until the follower has been handed what came of all commands, and has asked for more."""
        if self._followed:
            self._obeyed.clear()
            self._commanded.set()
            await self._obeyed.wait()

    async def refresh(self) -> None:
        """See EventLog.refresh; what was not shown stays unseen."""
        await self._recording.refresh()

    async def append(
        self, changes: Sequence[WatchEvent], *, versions: Mapping[str, str] | None = None
    ) -> int:
        """Raises LogError: a recording is not written while it is replayed."""
        del changes, versions
        raise LogError("A replay takes no new events; record into another log")

    async def identify(self, cluster: ClusterInfo) -> None:
        """Raises LogError: a recording is not written while it is replayed."""
        raise LogError(f"A replay cannot become that of {cluster.name}; record that one into another log")

    async def read(self, after: int, upto: int) -> Sequence[Event]:
        """Raises LogTrimmedError when the recording no longer has it, LogError when it was not shown yet."""
        if upto > self._head:
            raise LogError(f"event {upto} is not there yet: the timeline is at {self._head}")
        return await self._kept(self._recording.read(after, upto))

    async def state_at(self, seq: int) -> ClusterState:
        """Raises LogTrimmedError when the recording no longer has it, LogError when it was not shown yet."""
        if seq > self._head:
            raise LogError(f"event {seq} is not there yet: the timeline is at {self._head}")
        return await self._kept(self._recording.state_at(seq))

    async def blocks(self, after: int, upto: int, *, whole: bool = True) -> Sequence[Block]:
        """As `read` does; the last block may be of more than was shown."""
        if upto > self._head:
            raise LogError(f"event {upto} is not there yet: the timeline is at {self._head}")
        return await self._kept(self._recording.blocks(after, upto, whole=whole))

    async def reached(self, times: Sequence[float], after: int, upto: int) -> Sequence[int]:
        return await self._kept(self._recording.reached(times, after, upto))

    async def pick(self, seqs: Sequence[int]) -> Sequence[Event]:
        return await self._kept(self._recording.pick(seqs))

    async def find(
        self, narrow: Narrow, after: int, upto: int, *, among: Sequence[int] | None = None
    ) -> Sequence[int]:
        return await self._kept(self._recording.find(narrow, after, upto, among=among))

    async def close(self) -> None:
        """End the follower."""
        self._closed = True
        self._commanded.set()

    async def follow(self, after: int) -> AsyncGenerator[Sequence[Event] | Jump, None]:
        """Drive the timeline: what is due, when it is due, until `close`. Raises LogError if it has a follower."""
        if self._followed:
            raise LogError("This timeline has a follower already, and goes at that one's pace")
        self._followed = True
        try:
            if after > self._head:
                self._goal = self._head
            while not self._closed:
                self._commanded.clear()
                if self._goal is None and not self._steps:
                    self._obeyed.set()
                try:
                    found = await (self._missed(after) if after < self._head else self._next())
                except LogTrimmedError:
                    # Retention was faster than the timeline, or than this follower.
                    await self._begin_later()
                    goal = self._head if self._goal is None else self._goal
                    self._goal = max(goal, self._first)
                    after = self._head
                    continue
                if isinstance(found, Jump):
                    after = found.state.seq
                    yield found
                elif found:
                    after = found[-1].seq
                    yield found
                    if self._playback.speed == MAX:
                        await self._clock.sleep(0)  # others have their turn, however fast it goes
        finally:
            self._followed = False
            self._obeyed.set()

    async def _missed(self, after: int) -> Sequence[Event]:
        """What the timeline showed before it had this follower."""
        return await self._recording.read(after, min(self._head, after + _AHEAD))

    async def _next(self) -> Sequence[Event] | Jump:
        """One step: somewhere else, what is due, or nothing, after having waited or read ahead."""
        if self._goal is not None:
            return await self._jump(self._goal)
        if not self._ahead and self._head < self._last:
            await self._read_ahead()
        elif batch := self._due():
            return batch
        elif not self._ahead and self._at_end():
            await self._finish()
        else:
            self._obeyed.set()  # also where there is no event left to step to
            await self._clock.wait(self._commanded, self._seconds())
        return ()

    async def _kept(self, reading: Awaitable[_T]) -> _T:
        try:
            return await reading
        except LogTrimmedError:
            if not self._followed:  # a follower finds out for itself, and jumps
                await self._begin_later()
            raise

    async def _begin_later(self) -> None:
        """The recording was trimmed: what is left of it is the timeline."""
        time = await settled(lambda: time_of(self._recording, self._recording.oldest - 1))
        self._first = max(self._first, self._recording.oldest - 1)
        self._last = max(self._first, self._last)
        if not self._followed:
            self._head = max(self._first, self._head)
        self._playback.cut(self._clock.monotonic(), time)
        self._changed()

    async def _jump(self, goal: int) -> Jump:
        state = await self._recording.state_at(goal)
        self._ahead.clear()
        self._head = goal
        if self._goal == goal:  # it may have been set anew meanwhile
            self._goal = None
        return Jump(state)

    async def _read_ahead(self) -> None:
        head = self._head
        self._ahead.extend(await self._recording.read(head, min(self._last, head + _AHEAD)))

    def _due(self) -> list[Event]:
        """Takes what is due now: the head moves."""
        now = self._clock.monotonic()
        due: list[Event] = []
        while self._ahead:
            time = self._upcoming()
            if self._steps:
                self._steps -= 1
            elif self._playback.wait(now, time) != 0:
                break
            due.append(self._ahead.popleft())
            self._playback.reached(now, time)
        if due:
            self._head = due[-1].seq
        return due

    def _upcoming(self) -> float:
        """When something is due next. At the end all of it is, whatever a clock that went back says of it."""
        end = self._playback.end
        return min(self._ahead[0].change.time, end) if self._ahead else end

    def _at_end(self) -> bool:
        return self._playback.wait(self._clock.monotonic(), self._playback.end) == 0

    def _seconds(self) -> float:
        seconds = self._playback.wait(self._clock.monotonic(), self._upcoming())
        return math.inf if seconds is None else seconds

    async def _finish(self) -> None:
        if not self._bounded and self._recording.head > self._last:
            last = self._recording.head
            end = await time_of(self._recording, last)
            self._last = last
            self._playback.extend(self._clock.monotonic(), end)
        elif self._playback.finish(self._clock.monotonic()):
            self._goal = self._first
        self._changed()

    def _changed(self) -> None:
        self._commanded.set()
        for listener in list(self._listeners):
            listener(self.playback)

    async def _resolve(self, point: str, span: tuple[float, float]) -> tuple[int, float]:
        here = self._head, self.time()
        seq, time = await settled(lambda: place(self._recording, point, span, field="at", otherwise=here))
        if self._recording.oldest - 1 > self._first:
            await self._begin_later()
        seq = min(max(seq, self._first), self._last)
        return seq, min(max(time, self._playback.start), self._playback.end)
