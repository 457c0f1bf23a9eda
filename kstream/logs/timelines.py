"""The buckets of a timeline (`core/timeline/buckets.py`), counted from the index of a log."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from itertools import compress
from typing import Final

from kstream.core.delivery.filters import Filter
from kstream.core.delivery.records import Record
from kstream.core.errors import InvalidMessageError
from kstream.core.timeline.blocks import Block
from kstream.core.timeline.buckets import Bucket, bucketed, change_of, edges, within
from kstream.core.timeline.codes import BAD, CODES, MEANINGS, WAS_BAD
from kstream.core.timeline.events import Event, Kind, Verb
from kstream.core.timeline.narrow import Narrow
from kstream.core.timeline.state import ClusterState
from kstream.core.timeline.wellness import is_unwell
from kstream.logs.blocks import refs_of
from kstream.ports import EventLog

MOST: Final = 2000  # buckets of one answer
_FOLDED: Final = 300_000  # events that are read one by one, for a label selector
_AT_ONCE: Final = 2000  # events in memory

Place = tuple[int, float]
"""A moment: the seq of the last event until then, and seconds since the Unix epoch."""


async def timeline(log: EventLog, watched: Filter, first: Place, last: Place, count: int) -> list[Bucket]:
    """`count` buckets from one moment to another, of what is watched.

    Raises LogError, and InvalidMessageError where a label selector is to be looked for among too many events.
    """
    (after, starts), (upto, ends) = first, last
    times = edges(starts, ends, count)
    index = await log.blocks(after, upto)
    reached = [after, *await log.reached(times[1:-1], after, upto), upto]
    if watched.labels is not None:
        seqs, codes, bad = await _labelled(log, watched, after, upto)
    elif not index:
        bad = len(await asyncio.to_thread(_sick, watched, await log.state_at(after)))
        seqs, codes = [], b""
    else:
        seqs, codes, bad = await _indexed(log, watched, index, after, upto)
    return await asyncio.to_thread(bucketed, seqs, codes, times=times, reached=reached, bad=bad)


async def _indexed(
    log: EventLog, watched: Filter, index: Sequence[Block], after: int, upto: int
) -> tuple[Sequence[int], bytes, int]:
    """Without a body being read, but those of the objects that are bad at the end where only some are watched."""
    end = index[-1].seq
    seqs: Sequence[int] | None = None
    if watched.namespaces is not None:
        seqs = await log.find(Narrow(namespaces=watched.namespaces), after, end)
    bad = index[-1].bad
    if watched.namespaces is not None or watched.kinds is not None:
        sick = await log.pick(await asyncio.to_thread(refs_of, index[-1]))
        bad = sum(event.change.key in watched for event in sick)
    return await asyncio.to_thread(_narrowed, watched, index, seqs, after, upto, bad)


def _narrowed(
    watched: Filter, index: Sequence[Block], seqs: Sequence[int] | None, after: int, upto: int, bad: int
) -> tuple[Sequence[int], bytes, int]:
    """`seqs`: those to look at, None for all; `bad`: how many objects are bad at the end of the index."""
    start = index[0].first
    codes = b"".join(block.codes for block in index)
    if seqs is None:
        seqs = range(start, index[-1].seq + 1)
    else:
        codes = bytes(codes[seq - start] for seq in seqs)
    if watched.kinds is not None:
        shown = bytes(code for code, (kind, _, _) in MEANINGS.items() if watched.shows(kind))
        seqs = list(compress(seqs, map(shown.__contains__, codes)))
        codes = codes.translate(None, bytes(set(range(256)) - set(shown)))
    bad -= change_of(codes[within(seqs, after, index[-1].seq)])
    part = within(seqs, after, upto)
    return seqs[part], codes[part], bad


async def _labelled(
    log: EventLog, watched: Filter, after: int, upto: int
) -> tuple[Sequence[int], bytes, int]:
    """As one with that filter sees it: what begins to match comes, what ceases to goes."""
    if upto - after > _FOLDED:
        raise InvalidMessageError(
            "That is too much to look at",
            f"labels: {upto - after} events lie between `from` and `to`; of a label selector at most {_FOLDED} are"
            " looked at: narrow `from` and `to`, or ask without `labels`",
        )
    seen = await asyncio.to_thread(_Seen, watched, await log.state_at(after))
    bad = len(seen.sick)
    for start in range(after, upto, _AT_ONCE):
        await asyncio.to_thread(seen.take, await log.read(start, min(start + _AT_ONCE, upto)))
    return seen.seqs, bytes(seen.codes), bad


class _Seen:
    """What is seen with a filter of the events after a state, which it folds them into."""

    def __init__(self, watched: Filter, state: ClusterState) -> None:
        self._watched = watched
        self._state = state
        self.sick = _sick(watched, state)
        self.seqs: list[int] = []
        self.codes = bytearray()

    def take(self, events: Iterable[Event]) -> None:
        """The next ones. Raises DivergedError."""
        sick = self.sick
        for event in events:
            seen = Record(event, self._state.apply(event)).seen_by(self._watched)
            if seen is None:
                continue
            change = event.change
            where = change.key.kind, change.key.uid
            code = CODES[where[0].value, seen.event.change.verb.value] | (WAS_BAD if where in sick else 0)
            sick.discard(where)
            if seen.event.change.verb is not Verb.DELETED and is_unwell(change.body.decode()):
                sick.add(where)
                code |= BAD
            self.seqs.append(event.seq)
            self.codes.append(code)


def _sick(watched: Filter, state: ClusterState) -> set[tuple[Kind, str]]:
    """The watched objects that are in a bad state."""
    return {
        (each.key.kind, each.key.uid)
        for each in state
        if is_unwell(each.body.decode()) and watched.lets_through(each.key, each.body)
    }
