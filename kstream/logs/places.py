"""Where in a log a moment is, and when an event was; also while retention drops the beginning of that log."""

from __future__ import annotations

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
            continue  # the log knows now where it begins


async def place(
    log: EventLog, point: str | None, span: tuple[float, float], *, field: str, otherwise: tuple[int, float]
) -> tuple[int, float]:
    """The seq and the time of a point, within what the log keeps; relative ones count from the ends of `span`.

    Raises InvalidMessageError whose details begin with `field`.
    """
    if point is None:
        return otherwise
    match _parsed(point, span, field):
        case AtSeq(seq):
            seq = min(max(seq, log.oldest - 1), log.head)
            return seq, await time_of(log, seq)
        case AtTime(time):
            return await seq_at(log, time), time


async def known_place(
    log: EventLog, point: str, span: tuple[float, float], *, field: str
) -> tuple[int, float]:
    """As `place`, for whoever is told what there was: nothing is said of a moment that the log does not know.

    A moment before the first event that there ever was, or after `span`, is that end. Raises InvalidMessageError, also
    for an event that is not there yet, and LogTrimmedError for what retention has dropped; both say `field`.
    """
    if past(log, point):
        raise InvalidMessageError(
            "That event is not there yet", f"{field}: {point[:40]!r}: the last one is seq:{log.head}"
        )
    await check_kept(log, point, span, field=field)
    match _parsed(point, span, field):
        case AtSeq(seq) if 0 < seq < log.oldest:
            return seq, (await log.state_at(seq)).time
        case AtSeq(seq):
            return seq, await time_of(log, seq)
        case AtTime(time):
            seq = await seq_at(log, time)
            return seq, max(min(time, span[1]), await time_of(log, seq) if seq in (0, log.head) else 0.0)


async def check_kept(log: EventLog, point: str, span: tuple[float, float], *, field: str) -> None:
    """Whether the log still has a point. Raises InvalidMessageError, and LogTrimmedError where retention dropped it."""
    first = log.oldest - 1  # the state that the log begins with
    found = _parsed(point, span, field)
    if first == 0 or (found.seq >= first if isinstance(found, AtSeq) else found.time >= span[0]):
        return
    if isinstance(found, AtSeq) or found.time < (await log.state_at(first)).time:
        raise LogTrimmedError(
            f"{field}: {point[:40]!r} is no longer kept: the log begins at {log.oldest},"
            f" {timestamp(await time_of(log, first))}; seq:{first} is the earliest that can be asked for"
        )


def _parsed(point: str, span: tuple[float, float], field: str) -> AtTime | AtSeq:
    return parse(point, now=span[1] if point.strip().startswith("-") else span[0], field=field)


def past(log: EventLog, point: str | None) -> bool:
    """`point` is the number of an event that is not there yet."""
    if point is None or not point.strip().startswith("seq:"):
        return False  # a moment, which may be as far away as it likes
    return isinstance(at := parse(point, now=0.0), AtSeq) and at.seq > log.head


async def seq_at(log: EventLog, time: float) -> int:
    """The last event at or before `time`, in seconds since the Unix epoch, by halves: times go up, as far as the
    recorder's clock did."""
    low, high = log.oldest - 1, log.head
    while low < high:
        middle = (low + high + 1) // 2
        (event,) = await log.read(middle - 1, middle)
        if event.change.time <= time:
            low = middle
        else:
            high = middle - 1
    return low


async def time_of(log: EventLog, seq: int) -> float:
    """The time of event `seq`; of the first one that is kept when it is not; 0 in an empty log."""
    seq = max(seq, log.oldest)
    if seq > log.head:
        return (await log.state_at(log.head)).time
    (event,) = await log.read(seq - 1, seq)
    return event.change.time
