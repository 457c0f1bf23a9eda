"""Where in a log a moment is, and when an event was; also while retention drops the beginning of that log."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from kstream.core.errors import InvalidMessageError, LogTrimmedError
from kstream.core.timeline.timepoint import AtSeq, AtTime, parse, timestamp
from kstream.ports import EventLog

_T = TypeVar("_T")


async def settled(attempt: Callable[[], Awaitable[_T]]) -> _T:
    """What `attempt` finds, tried again as often as what it looks at is dropped meanwhile."""
    while True:
        try:
            return await attempt()
        except LogTrimmedError:
            await asyncio.sleep(0)  # the log knows now where it begins, or will when others had their turn


async def place(
    log: EventLog, point: str | None, span: tuple[float, float], *, field: str, otherwise: tuple[int, float]
) -> tuple[int, float]:
    """The seq and the time of a point, within what the log keeps; relative ones count from the ends of `span`.

    Raises InvalidMessageError whose details begin with `field`.
    """
    if point is None:
        return otherwise
    match parse(point, now=span[1] if point.strip().startswith("-") else span[0], field=field):
        case AtSeq(seq):
            seq = min(max(seq, log.oldest - 1), log.head)
            return seq, await time_of(log, seq)
        case AtTime(time):
            return await seq_at(log, time), time


async def known_place(
    log: EventLog, point: str, *, field: str, now: float | None = None
) -> tuple[int, float | None]:
    """The seq of a point, for whoever is told what there was: nothing is said of a moment that the log does not know.

    With the time of a moment; None where it is that of the event itself, which is not read for it. A moment before the
    first event that there ever was, or after `now` (that of the last event where it is not given), is that end. Raises
    InvalidMessageError, also for an event that is not there yet, and LogTrimmedError for what retention has dropped;
    both say `field`.
    """
    await check_there(log, point, field=field)
    found = await _kept(log, point, field, now)
    if isinstance(found, AtSeq):
        return found.seq, None
    seq = await seq_at(log, found.time)
    if 0 < seq < log.head:
        return seq, found.time
    if seq == 0 or now is None:
        return seq, None
    return seq, max(min(found.time, now), await time_of(log, seq))  # a clock may be behind that of the events


async def check_kept(log: EventLog, point: str, *, field: str) -> None:
    """Whether the log still has a point. Raises InvalidMessageError, and LogTrimmedError where retention dropped it."""
    await _kept(log, point, field, None)


async def moment_of(log: EventLog, seq: int, time: float | None) -> float:
    """The time that belongs to what `known_place` found, in seconds since the Unix epoch."""
    if time is not None:
        return time
    return (await log.state_at(seq)).time if 0 < seq < log.oldest else await time_of(log, seq)


async def _kept(log: EventLog, point: str, field: str, now: float | None) -> AtSeq | AtTime:
    # The times of the ends are read where they are needed: one that is damaged is in nobody's way.
    relative, first = point.strip()[:1], log.oldest - 1
    base = await time_of(log, first) if relative == "+" else await _end(log, now) if relative == "-" else 0.0
    found = parse(point, now=base, field=field)
    if first == 0 or (isinstance(found, AtSeq) and found.seq >= first):
        return found
    begins = await time_of(log, first)
    if isinstance(found, AtSeq) or (found.time < begins and found.time < (await log.state_at(first)).time):
        raise LogTrimmedError(
            f"{field}: {point[:40]!r} is no longer kept: the log begins at {log.oldest},"
            f" {timestamp(begins)}; seq:{first} is the earliest that can be asked for"
        )
    return found


async def _end(log: EventLog, now: float | None) -> float:
    return await time_of(log, log.head) if now is None else now


def past(log: EventLog, point: str | None) -> bool:
    """`point` is the number of an event that is not there yet."""
    if point is None or not point.strip().startswith("seq:"):
        return False  # a moment, which may be as far away as it likes
    return isinstance(at := parse(point, now=0.0), AtSeq) and at.seq > log.head


async def check_there(log: EventLog, point: str | None, *, field: str) -> None:
    """Raises InvalidMessageError, which says `field`, for the number of an event that is not there yet. One that
    another process told, which has followed the log a little further, is there."""
    if past(log, point):
        await log.refresh()
    if point is not None and past(log, point):
        raise InvalidMessageError(
            "That event is not there yet", f"{field}: {point[:40]!r}: the last one is seq:{log.head}"
        )


async def seq_at(log: EventLog, time: float) -> int:
    """The last event at or before `time`, in seconds since the Unix epoch, by halves: times go up, as far as the
    recorder's clock did."""
    (seq,) = await log.reached([time], log.oldest - 1, log.head)
    return seq


async def time_of(log: EventLog, seq: int) -> float:
    """The time of event `seq`; of the first one that is kept when it is not; 0 in an empty log."""
    seq = max(seq, log.oldest)
    if seq > log.head:
        return (await log.state_at(log.head)).time
    (event,) = await log.read(seq - 1, seq)
    return event.change.time
