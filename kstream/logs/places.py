"""Where in a log a moment is, and when an event was; also while retention drops the beginning of that log."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from kstream.core.errors import LogTrimmedError
from kstream.core.timeline.timepoint import AtSeq, AtTime, parse
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
    match parse(point, now=span[1] if point.strip().startswith("-") else span[0], field=field):
        case AtSeq(seq):
            seq = min(max(seq, log.oldest - 1), log.head)
            return seq, await time_of(log, seq)
        case AtTime(time):
            return await seq_at(log, time), time


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
