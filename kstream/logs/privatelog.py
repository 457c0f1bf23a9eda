"""The timeline of one client: it begins anywhere in a log, and goes on into the present where that is still written."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Final, NamedTuple, Self

from kstream.core.errors import InvalidMessageError
from kstream.core.timeline.events import Event
from kstream.core.timeline.playback import MAX, Playback
from kstream.core.timeline.state import ClusterState
from kstream.core.timeline.timepoint import timestamp
from kstream.logs.places import check_there, settled, time_of
from kstream.logs.replay import ReplayLog
from kstream.logs.spans import Spans
from kstream.ports import Clock, EventLog, Jump

_EVERY: Final = 0.1  # seconds between two looks at what is due, at least: a client gets 16 messages a second
Reading = Callable[[], AbstractAsyncContextManager[None]]
_ARRIVED: Final = 0.5  # seconds behind the present that are none


class Beginning(NamedTuple):
    """Where one begins, and how it goes on from there."""

    at: str | None  # a point; None: where whoever asks is
    speed: float  # as speed_of gives it
    paused: bool
    held: int | None = (
        None  # the event that was seen last there: of those of its millisecond the ones after it were not
    )


class PrivateLog(ReplayLog):
    """See the module. `follow` ends where it has `arrived` in the present; that of a recording never does."""

    _present: Callable[[], float] | None = None
    _next_look = 0.0
    _shown = 0.0  # the time of the last event that is shown, or where it began
    _turn: Reading
    _shared: Callable[[], ClusterState]
    _spans: Spans
    arrived = False

    @classmethod
    async def begin(
        cls,
        log: EventLog,
        clock: Clock,
        *,
        begin: Beginning,
        here: tuple[int, float],
        present: Callable[[], float] | None,
        turn: Reading,
        beside: Callable[[], ClusterState],
        spans: Spans,
    ) -> Self:
        """A timeline of `log` that begins at a point, or `here`, (seq, time), where whoever asks is: `-5m` counts from
        there, `+90s` from the beginning. `log` is written still, and its time is `present`, in seconds since the Unix
        epoch; or it is a ReplayLog that all share, and what can be seen is what that one plays in the end. States are
        read in a `turn`, since each may be that of a large cluster, and hold once what they share with that of
        `beside`; events are read through `spans`, which are of the same log.

        Raises InvalidMessageError for a point that is none, or that is not there.
        """
        if not log.head and not isinstance(log, ReplayLog):
            raise InvalidMessageError("Nothing is recorded yet", "at: there is no past to go to")
        at, speed, paused, held = begin
        await check_there(log.recording if isinstance(log, ReplayLog) else log, at, field="at")
        if isinstance(log, ReplayLog):
            made = cls._beside(log, clock, speed=speed, paused=paused)
        else:
            assert present is not None, "a log that nobody writes is played as a ReplayLog"
            made = await cls._of_what_is_written(log, clock, spans, present, speed=speed, paused=paused)
        made._present, made._turn, made._spans, made._shared = present, turn, spans, beside
        made._grow()
        seq, time = here
        if at is not None:
            seq, time = await made._resolve(at, (made._playback.start, time))
            if held is not None and not at.startswith("seq:"):
                seq, time = await made._exactly(held, (seq, time))
        made._head = min(max(seq, made._first), made._last)
        made._playback.seek(clock.monotonic(), time)
        made._shown = made.time()
        return made

    async def _exactly(self, held: int, place: tuple[int, float]) -> tuple[int, float]:
        """Right after event `held`, where that is at this place: of what happened in one millisecond, which is how
        exactly times are told, some may have been seen."""
        if not self._recording.oldest <= held <= self._recording.head:
            return place
        time = await settled(lambda: time_of(self._recording, held))
        return (held, time) if timestamp(time) == timestamp(place[1]) else place

    @classmethod
    def _beside(cls, shared: ReplayLog, clock: Clock, *, speed: float, paused: bool) -> Self:
        """Of the same recording, within the same bounds, with silences as short."""
        there = shared._playback
        playback = Playback(
            start=there.start,
            end=there.end,
            now=clock.monotonic(),
            speed=speed,
            paused=paused,
            max_gap=there.max_gap,
        )
        bounds = shared._first, shared._last
        return cls(shared._recording, clock, playback, bounds=bounds, bounded=shared._bounded)

    @classmethod
    async def _of_what_is_written(
        cls,
        log: EventLog,
        clock: Clock,
        spans: Spans,
        present: Callable[[], float],
        *,
        speed: float,
        paused: bool,
    ) -> Self:
        """From the first event that is kept to the present."""
        starts = await spans.begins()
        playback = Playback(start=starts, end=present(), now=clock.monotonic(), speed=speed, paused=paused)
        return cls(log, clock, playback, bounds=(log.oldest - 1, log.head), bounded=False)

    def play(self) -> None:
        self._grow()
        super().play()

    def pause(self) -> None:
        self._stand_still()
        super().pause()

    def _stand_still(self) -> None:
        """What was due by now and not looked at yet is behind the position: it is shown, too. What was not even read
        is not waited for: the position is that of the last that is shown."""
        due = self._count_due()
        self._steps += due
        if self._goal is None and due == len(self._ahead) and self._head + due < self._last:
            shown = self._ahead[-1].change.time if self._ahead else self._shown
            now = self._clock.monotonic()
            if self._playback.position(now) > shown:
                self._playback.seek(now, shown)

    def step(self) -> None:
        self._grow()
        self._stand_still()
        super().step()

    async def seek(self, point: str) -> None:
        """See ReplayLog.seek."""
        self._grow()
        await super().seek(point)
        self._shown = self.time()

    def _count_due(self) -> int:
        if self._goal is not None or self._playback.speed == MAX:
            return 0  # what is read is of another place; or all of it would be due
        now = self._clock.monotonic()
        count = 0
        for event in self._ahead:
            if self._playback.wait(now, min(event.change.time, self._playback.end)) != 0:
                break
            count += 1
        return count

    def _grow(self) -> None:
        """The log is written, and the present goes on."""
        if self._present is not None:
            self._last = max(self._last, self._recording.head)
            self._playback.extend(self._clock.monotonic(), self._present())

    async def _jump(self, goal: int) -> Jump:
        async with self._turn():
            jump = await super()._jump(goal)
            await self._share(jump.state)
        return jump

    async def begin_state(self, wanted: Callable[[], bool]) -> ClusterState:
        """That at the head. Raises as `state_at`, and InvalidMessageError where nobody `wanted` it any more."""
        async with self._turn():
            if not wanted():
                raise InvalidMessageError("Nobody waits for this timeline any more")
            state = await settled(lambda: self.state_at(self.head))
            await self._share(state)
        return state

    async def _share(self, state: ClusterState) -> None:
        for _ in state.share(self._shared()):
            await asyncio.sleep(0)

    async def _read_ahead(self) -> None:
        head = self._head
        self._ahead.extend(await self._spans.read(head, self._last))

    def _due(self) -> list[Event]:
        now = self._clock.monotonic()
        if now < self._next_look and not self._steps:
            return []
        due = super()._due()
        if due:
            self._next_look = now + _EVERY
            self._shown = due[-1].change.time
        return due

    def _seconds(self) -> float:
        return max(super()._seconds(), self._next_look - self._clock.monotonic())

    async def _finish(self) -> None:
        if self._present is None:
            await super()._finish()
            return
        known = self._last
        self._grow()
        behind = self._playback.end - self.time()
        if self._last == known and (behind <= _ARRIVED or behind <= _EVERY * self._playback.speed):
            self.arrived = self._closed = True
