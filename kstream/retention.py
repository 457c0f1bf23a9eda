"""Retention: what is too old or too much is dropped from a log, beside whoever writes it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from kstream.core.errors import LogBusyError, LogFullError
from kstream.core.timeline.retention import Keep, first_kept, overdue, trimmed_size, worthwhile
from kstream.logs.places import seq_at, time_of
from kstream.ports import Clock, TrimmableLog

_EVERY: Final = 1.0  # seconds between two looks, each of which costs next to nothing
_RETRY: Final = 30.0  # seconds after a trim for which there was no room, or no turn
_SPARE: Final = (
    1000  # newest events that the size does not drop: whoever reads the file a moment later has them
)


async def trim_to(log: TrimmableLog, keep: Keep, *, now: float) -> bool:
    """Bring a log that nobody writes to what is to be kept; False when its state alone exceeds the size.

    `now` is what the age of events counts from, in seconds since the Unix epoch.
    """
    if keep.seconds is not None:
        await log.trim(await seq_at(log, now - keep.seconds) + 1)
    return keep.size is None or await _shrink(log, keep.size, spare=0)


async def _shrink(log: TrimmableLog, goal: int, *, spare: int) -> bool:
    """Drop the oldest events until at most `goal` bytes are in use; whether that could be."""
    while True:
        holding = await log.holding()
        before = first_kept(holding, goal, spare=spare)
        if before <= holding.oldest:
            return holding.size <= goal
        await log.trim(before)


class Retention:
    """Of the one log that this process writes."""

    def __init__(
        self,
        log: TrimmableLog,
        keep: Keep,
        *,
        clock: Clock,
        time: Callable[[], float],
        warn: Callable[[str], None],
    ) -> None:
        """`time` is that of the timeline, in seconds since the Unix epoch; `warn` hears what a person should know."""
        self._log = log
        self._keep = keep
        self._clock = clock
        self._time = time
        self._warn = warn
        self._warned = False
        self._trimming = asyncio.Lock()
        self._looked_at = -1  # the head of the log when its size was looked at
        self._first: tuple[int, float] | None = (
            None  # the oldest event whose time was looked up, and that time
        )

    async def run(self) -> None:
        """Look again and again, until cancelled. Raises LogError for a log that is broken.

        A disk that is too full even for that, or another program that holds the file, is waited for.
        """
        while not self._keep.everything:
            pause = _EVERY
            try:
                await self.look()
            except (LogFullError, LogBusyError):
                pause = _RETRY  # the recorder has the same trouble, and says so
            await self._clock.sleep(pause)

    async def look(self) -> None:
        """Drop what is due to be dropped. Raises LogError."""
        async with self._trimming:
            if self._keep.seconds is not None:
                await self._look_at_age(self._keep.seconds)
            if self._keep.size is not None and self._log.head != self._looked_at:
                head = self._log.head
                await self._look_at_size(self._keep.size)
                self._looked_at = head

    async def make_room(self) -> bool:
        """The log cannot grow: drop its oldest tenth if its size may be limited; whether anything was dropped."""
        if self._keep.size is None:
            return False
        async with self._trimming:
            before = self._log.oldest
            try:
                holding = await self._log.holding()
                await self._log.trim(first_kept(holding, trimmed_size(holding.size), spare=_SPARE))
            except (LogFullError, LogBusyError):
                pass  # it takes room to make room
            return self._log.oldest > before

    async def _look_at_age(self, seconds: float) -> None:
        log = self._log
        oldest = log.oldest
        if oldest > log.head:
            return
        if self._first is None or self._first[0] != oldest:
            self._first = oldest, await time_of(log, oldest)
        now = self._time()
        if overdue(self._first[1], seconds=seconds, now=now):
            await log.trim(await seq_at(log, now - seconds) + 1)

    async def _look_at_size(self, size: int) -> None:
        holding = await self._log.holding()
        if holding.size <= size or not worthwhile(holding, _SPARE):
            return
        await _shrink(self._log, trimmed_size(size), spare=_SPARE)
        left = (await self._log.holding()).size
        if left > size and not self._warned:
            self._warned = True
            self._warn(
                f"The event log cannot be kept at {size} bytes: the state and the {_SPARE} newest events take"
                f" {left}; raise --keep-size"
            )
