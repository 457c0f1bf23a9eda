"""One object of a log, found by its index: what it was at a moment, and what happened to it after.

A name may have been that of several, one after the other: their lives are told as one.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final, NamedTuple

from kstream.core.timeline.blocks import Block, added_as, seqs_of
from kstream.core.timeline.events import Event, ObjectKey, Verb
from kstream.core.timeline.narrow import Narrow
from kstream.core.timeline.reference import Named
from kstream.core.timeline.state import Entry
from kstream.ports import EventLog

_AT_ONCE: Final = 500  # events that are picked at once


class Lives(NamedTuple):
    """Objects as they were at a moment, and what happened to them after, in order."""

    known: Sequence[Entry]
    events: Sequence[Event]


async def lives(log: EventLog, meant: Named | str, *, after: int, upto: int) -> Lives:
    """Of the object with that uid, or of all that had that name, from event `after` to `upto`. Raises LogError."""
    uids = [meant] if isinstance(meant, str) else [key.uid for key in await named(log, *meant)]
    found = [await life(log, uid, after=after, upto=upto, most=sys.maxsize) for uid in uids]
    events = sorted((event for _, events in found for event in events), key=lambda event: event.seq)
    return Lives([before for before, _ in found if before is not None], events)


async def life(
    log: EventLog, uid: str, *, after: int, upto: int, most: int
) -> tuple[Entry | None, Sequence[Event]]:
    """The object as it was after event `after`, and the first `most` of its events from there to `upto`.

    Raises LogError.
    """
    index = await log.blocks(log.oldest - 1, upto, whole=False)
    found = seqs_of(index, [uid], log.oldest - 1, upto)
    found = await _beside(log, index, Narrow(uids=frozenset((uid,))), upto, found)
    events: list[Event] = []
    later = [seq for seq in found if seq > after]
    for start in range(0, len(later), _AT_ONCE):
        events += _of(uid, await log.pick(later[start : start + _AT_ONCE]))
        if len(events) >= most:
            break
    return await _before(log, uid, [seq for seq in found if seq <= after]), events[:most]


async def _beside(
    log: EventLog, index: Sequence[Block], narrow: Narrow, upto: int, found: Sequence[int]
) -> list[int]:
    """With what is in no block: what retention has left of what was before, and the newest events."""
    oldest, reached = log.oldest, index[-1].seq if index else 0
    before = await log.find(narrow, 0, oldest - 1) if index and oldest > 1 else ()
    return [*before, *found, *await log.find(narrow, reached, upto)]


async def _before(log: EventLog, uid: str, seqs: Sequence[int]) -> Entry | None:
    for seq in reversed(seqs):
        for event in _of(uid, await log.pick([seq])):  # none, where another object has the same hash
            change = event.change
            if change.verb is Verb.DELETED:
                return None
            return Entry(change.key, change.version, change.body, "")
    return None


def _of(uid: str, events: Sequence[Event]) -> list[Event]:
    return [event for event in events if event.change.key.uid == uid]


async def named(log: EventLog, kind: str, namespace: str, name: str) -> list[ObjectKey]:
    """The objects that had that name, one after the other. Raises LogError."""
    upto = log.head
    index = await log.blocks(log.oldest - 1, upto, whole=False)
    found = [seq for seq in added_as(index, name, upto) if seq >= log.oldest]
    found = await _beside(log, index, Narrow(names=frozenset((name,))), upto, found)
    keys = dict.fromkeys(event.change.key for event in await log.pick(found))
    return [key for key in keys if (key.kind.value, key.namespace, key.name) == (kind, namespace, name)]
