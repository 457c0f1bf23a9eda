"""Where an agent's answers come from: what is read of a history, and how the file of a log tells it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final, NamedTuple, Protocol

from kstream.core.conditions.condition import Condition
from kstream.core.conditions.intervals import Moment
from kstream.core.errors import UsageError
from kstream.core.timeline.comparison import Biography
from kstream.core.timeline.events import Event
from kstream.core.timeline.reference import Named
from kstream.core.timeline.state import ClusterState
from kstream.logs.lives import lives
from kstream.logs.places import known_place, moment_of, past, time_of
from kstream.logs.searching import Found, when_all
from kstream.logs.sqlite import SqliteLog

INTERVALS: Final = 1000
"""Of one answer; more are told as a number."""

_AT_ONCE: Final = 2000  # events in memory


class Lived(NamedTuple):
    """What one object went through, or all that had a name."""

    there_before: bool  # at the beginning of the span
    versions: Sequence[dict[str, Any]]  # as Biography tells them, in order


class Reads(Protocol):
    """History, read. Raises KstreamError for what cannot be read, UsageError for a point that is none."""

    @property
    def page(self) -> str:
        """Where people look at it; "" where nobody knows."""
        ...

    async def cluster(self) -> str:
        """What it is of."""
        ...

    async def moment(self, point: str | None, *, end: bool) -> Moment:
        """Where a point is; without one the beginning, or the end."""
        ...

    async def state(self, seq: int) -> ClusterState:
        """The state right after an event."""
        ...

    def events(self, after: int, upto: int) -> AsyncIterator[Sequence[Event]]:
        """Those with after < seq <= upto, some at a time."""
        ...

    async def history(self, meant: Named | str, after: int, upto: int) -> Lived:
        """Of the object with that uid, or of all that had that name."""
        ...

    async def when(self, condition: Condition, start: Moment, upto: int) -> Found:
        """From when to when it was true of which object: the first INTERVALS."""
        ...


class LogReads:
    """A log file, which may be written meanwhile."""

    def __init__(self, log: SqliteLog, *, page: str = "") -> None:
        self.page = page
        self._log = log

    async def cluster(self) -> str:
        known = self._log.cluster
        return known.name if known is not None else self._log.path.name

    async def moment(self, point: str | None, *, end: bool) -> Moment:
        log = self._log
        await log.refresh()
        lower, upper = log.oldest - 1, log.head
        seq = upper if end else lower
        if point is None:
            return Moment(seq, await time_of(log, seq))
        if past(log, point):
            raise UsageError(f"{point}: the log ends with seq:{upper}")
        seq, time = await known_place(log, point, field="at")
        return Moment(seq, await moment_of(log, seq, time))

    async def state(self, seq: int) -> ClusterState:
        return await self._log.state_at(seq)

    async def events(self, after: int, upto: int) -> AsyncIterator[Sequence[Event]]:
        for start in range(after, upto, _AT_ONCE):
            yield await self._log.read(start, min(start + _AT_ONCE, upto))

    async def history(self, meant: Named | str, after: int, upto: int) -> Lived:
        known, events = await lives(self._log, meant, after=after, upto=upto)
        biography = Biography(known)
        return Lived(bool(known), await asyncio.to_thread(lambda: [biography.tell(each) for each in events]))

    async def when(self, condition: Condition, start: Moment, upto: int) -> Found:
        return await when_all(self._log, condition, start=start, upto=upto, limit=INTERVALS)
