"""When a condition was true of which object of a log (`core/conditions`), by a look at as few bodies as possible.

First the events of which it may be true: by the index, or by what SQLite can tell. Then, of the objects of which it was
true, all their events, which the index has too. Both are judged by the CEL library. Bounded: an answer that would cost
more is cut, and `cursor` goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from itertools import compress, count
from typing import Any, Final

from kstream.core.conditions.condition import Condition
from kstream.core.conditions.intervals import Interval, Intervals, Moment
from kstream.core.conditions.judging import Judge, too_much
from kstream.core.timeline.blocks import Block, seqs_of
from kstream.core.timeline.codes import BAD, MEANINGS
from kstream.core.timeline.events import Event, Verb
from kstream.core.timeline.narrow import Narrow
from kstream.core.timeline.state import Entry
from kstream.logs.places import time_of
from kstream.ports import EventLog

_AT_ONCE: Final = 2000  # events in memory
_STEPS: Final = 50_000_000  # of the library, for one answer: some seconds
_READ: Final = 300_000  # events that are read for one answer
_OWN: Final = 300_000  # events of the objects that an answer is of
_SEEK: Final = 4  # a row that is looked up costs as much as so many of those that are gone through


@dataclass(frozen=True, slots=True)
class Found:
    """Intervals by their beginning; `cursor`: those that begin after that event are not looked for yet.

    `more`: of so many others it was true at the beginning already. `undecided`: of so many that were looked at it could
    not be told, `why` of the first.
    """

    intervals: Sequence[Interval]
    cursor: int | None
    more: int
    undecided: int
    why: str

    def after(self, before: Found) -> Found:
        """With what was found before it."""
        return Found(
            [*before.intervals, *self.intervals],
            self.cursor,
            before.more,
            before.undecided + self.undecided,
            before.why or self.why,
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "intervals": [each.as_json() for each in self.intervals],
            "more": self.more,
            "undecided": {"count": self.undecided, "why": self.why},
            "cursor": f"seq:{self.cursor}" if self.cursor is not None else None,
        }


async def when(
    log: EventLog, condition: Condition, *, start: Moment, upto: int, limit: int, goes_on: bool = False
) -> Found:
    """The first `limit` intervals after `start`, and what was true there; not the latter where it `goes_on`.

    Raises LogError, and InvalidMessageError for what is neither true nor false, or too much.
    """
    judge, after = Judge(condition), start.seq
    known: list[Entry] = []  # those of which it is true, or all where these are not wanted
    if after > 0:
        state = await log.state_at(after)
        known = await asyncio.to_thread(
            lambda: [each for each in state.entries(condition.about) if goes_on or judge(each.body)]
        )
        known.sort(key=lambda each: each.key.uid)
    earlier = {} if goes_on else {each.key.uid: None for each in known[:limit]}
    index = await log.blocks(after, upto)
    uids, reached = await _true(log, condition, index, judge, span=(after, upto), most=limit - len(earlier))
    uids |= earlier
    told = [each for each in known if each.key.uid in uids]
    # One more than is told, which shows that there are more.
    found = await asyncio.to_thread(Intervals, told, start, judge, most=limit - len(earlier) + 1)
    async with aclosing(_all_of(log, condition, index, uids, after, upto)) as parts:
        async for events in parts:
            await asyncio.to_thread(found.take, events)
            if found.complete:
                break
    made = await asyncio.to_thread(found.found)
    made = [each for each in made if (each.key.uid in earlier if each.earlier else each.since.seq <= reached)]
    if len(made) > limit:
        made = made[:limit]
        reached = made[-1].since.seq
    return Found(
        made,
        reached if reached < upto else None,
        0 if goes_on else len(known) - len(earlier),
        judge.undecided,
        judge.why,
    )


async def when_all(log: EventLog, condition: Condition, *, start: Moment, upto: int, limit: int) -> Found:
    """As `when`, again and again until `limit` are found or all: what bounds one answer bounds each of them.

    Raises LogError and InvalidMessageError.
    """
    found = await when(log, condition, start=start, upto=upto, limit=limit)
    while found.cursor is not None and (room := limit - len(found.intervals)) > 0:
        start = Moment(found.cursor, await time_of(log, found.cursor))
        more = await when(log, condition, start=start, upto=upto, limit=room, goes_on=True)
        found = more.after(found)
    return found


async def _true(
    log: EventLog,
    condition: Condition,
    index: Sequence[Block],
    judge: Judge,
    *,
    span: tuple[int, int],
    most: int,
) -> tuple[dict[str, None], int]:
    """The objects of which it was true after some event, a few more than `most` at most, and how far was looked."""
    after, upto = span
    seqs = await asyncio.to_thread(_perhaps, condition, index, after, upto)
    if _by_sqlite(condition.narrow):
        # To look rows up one by one is dearer than to go through all of them.
        among = seqs if len(seqs) * _SEEK < upto - after else None
        wanted = await log.find(condition.narrow, after, upto, among=among)
        seqs = await asyncio.to_thread(_both, seqs, wanted)
    uids: dict[str, None] = {}
    for start in range(0, len(seqs), _AT_ONCE):
        part = seqs[start : start + _AT_ONCE]
        events = await _read(log, part)
        found, reached = await asyncio.to_thread(_judged, events, condition, judge)
        uids |= found
        if reached < part[-1] or len(uids) > most or judge.steps > _STEPS or start > _READ:
            return uids, reached
    return uids, upto


def _perhaps(condition: Condition, index: Iterable[Block], after: int, upto: int) -> list[int]:
    """The events of its kind after which an object was there, and in a bad state where it must be."""
    wanted = bytes(
        code
        for code, (kind, verb, _) in MEANINGS.items()
        if kind is condition.about and verb is not Verb.DELETED and (code & BAD or not condition.only_bad)
    )
    found: list[int] = []
    for block in index:
        found += compress(count(block.first), map(wanted.__contains__, block.codes))
    return [seq for seq in found if after < seq <= upto]


def _both(seqs: Sequence[int], others: Sequence[int]) -> list[int]:
    wanted = frozenset(others)
    return [seq for seq in seqs if seq in wanted]


def _by_sqlite(narrow: Narrow) -> bool:
    """Whether there is something that it can tell, and the index cannot."""
    return any(each is not None for each in (narrow.namespaces, narrow.names, narrow.uids, narrow.texts))


async def _read(log: EventLog, seqs: Sequence[int]) -> Sequence[Event]:
    """Those in a row are quicker to read than to pick."""
    if seqs[-1] - seqs[0] < 2 * len(seqs):
        return await log.read(seqs[0] - 1, seqs[-1])
    return await log.pick(seqs)


def _judged(events: Sequence[Event], condition: Condition, judge: Judge) -> tuple[dict[str, None], int]:
    """The objects of which it is true, and the event up to which was looked: one answer may take some milliseconds."""
    uids: dict[str, None] = {}
    for event in events:
        change = event.change
        if change.key.kind is condition.about and change.verb is not Verb.DELETED and judge(change.body):
            uids[change.key.uid] = None
        if judge.steps > _STEPS:
            return uids, event.seq
    return uids, events[-1].seq


async def _all_of(
    log: EventLog, condition: Condition, index: Sequence[Block], uids: dict[str, None], after: int, upto: int
) -> AsyncGenerator[list[Event], None]:
    """All events of these objects in the span, some at a time."""
    if not uids:
        return
    seqs = await asyncio.to_thread(seqs_of, index, uids, after, upto)
    if len(seqs) > _OWN:
        raise too_much(f"the objects of which it is true have {len(seqs)} events")
    for start in range(0, len(seqs), _AT_ONCE):
        yield [
            event
            for event in await log.pick(seqs[start : start + _AT_ONCE])
            if event.change.key.kind is condition.about and event.change.key.uid in uids
        ]
