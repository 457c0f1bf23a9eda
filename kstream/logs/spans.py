"""Events of a log that were read a moment ago: readers that are near each other have them read and decoded once."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from kstream.core.timeline.events import Event
from kstream.logs.places import time_of
from kstream.ports import EventLog

_SPAN: Final = 500  # events
_BYTES: Final = 32 * 2**20  # of bodies that are kept


class Spans:
    """Of one log. What retention drops is not kept for long, but may be read for a moment more."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._reading: dict[int, asyncio.Task[Sequence[Event]]] = {}
        self._read: OrderedDict[int, Sequence[Event]] = OrderedDict()
        self._bytes = 0
        self._begins = -1, 0.0  # the first event that is kept, and its time

    async def begins(self) -> float:
        """The time of the first event that is kept, seconds since the Unix epoch: all who begin a timeline ask. Raises
        as `EventLog.read` does."""
        oldest = self._log.oldest
        if self._begins[0] != oldest:
            time = await time_of(self._log, oldest - 1)
            if oldest > self._log.head:
                return time  # none is kept: that is no event's
            self._begins = oldest, time
        return self._begins[1]

    async def read(self, after: int, upto: int) -> Sequence[Event]:
        """The events with after < seq <= upto, or the first of them; raises as `EventLog.read` does."""
        number = after // _SPAN
        first, last = number * _SPAN, (number + 1) * _SPAN
        if first + 1 < self._log.oldest or last > self._log.head:
            return await self._log.read(after, min(upto, last))
        events = self._read.get(number)
        if events is None:
            events = await self._fetch(number, first, last)
        if number in self._read:  # unless so much else was read meanwhile
            self._read.move_to_end(number)
        return events[after - first : min(upto, last) - first]

    async def _fetch(self, number: int, first: int, last: int) -> Sequence[Event]:
        """Once, however many ask; one who goes meanwhile stops nobody."""
        task = self._reading.get(number)
        if task is None:
            task = self._reading[number] = asyncio.ensure_future(self._keep(number, first, last))
            task.add_done_callback(lambda _: self._reading.pop(number))
        return await asyncio.shield(task)

    async def _keep(self, number: int, first: int, last: int) -> Sequence[Event]:
        events = await self._log.read(first, last)
        self._read[number] = events
        self._bytes += _size(events)
        while self._bytes > _BYTES and len(self._read) > 1:
            self._bytes -= _size(self._read.popitem(last=False)[1])
        return events


def _size(events: Sequence[Event]) -> int:
    return sum([len(event.change.body) for event in events])
