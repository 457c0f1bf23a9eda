"""How much of the past is kept: what is dropped, decided from what a log holds and from nothing else."""

from __future__ import annotations

from typing import Final, NamedTuple

_FULL_ENOUGH: Final = 0.9  # of the size: so far is trimmed, so that it does not happen at every event
_LATE: Final = (
    0.05  # of the span, and at most so many seconds: so much too old may events become, for the same reason
)
_LATEST: Final = 300.0


class Keep(NamedTuple):
    """What is kept at least; None sets no limit."""

    seconds: float | None = None  # of the past, in the time of the timeline
    size: int | None = None  # bytes

    @property
    def everything(self) -> bool:
        return self.seconds is None and self.size is None


class Holding(NamedTuple):
    """What a log holds, at one moment."""

    oldest: int  # seq of the first event that is kept; head + 1 when none is
    head: int
    objects: int  # how many there are, as far as that is known without counting
    moved: int  # of those that there were before `oldest`, each one event is held beside the others
    size: int  # bytes that are in use

    @property
    def events(self) -> int:
        return self.head + 1 - self.oldest


def trimmed_size(size: int) -> int:
    """The bytes to come down to when a log has more than `size`."""
    return int(size * _FULL_ENOUGH)


def overdue(oldest_time: float, *, seconds: float, now: float) -> bool:
    """Whether the first event is so old that it is worth dropping what is older than `seconds`."""
    return now - oldest_time > seconds + min(seconds * _LATE, _LATEST)


def worthwhile(holding: Holding, spare: int) -> bool:
    """Whether there is enough to drop: a trim costs as much as there are objects, however little it drops."""
    return holding.events - spare >= max(spare, holding.objects // 10)


def first_kept(holding: Holding, goal: int, *, spare: int) -> int:
    """The seq before which to trim to come down to `goal` bytes; `holding.oldest` when it need not or cannot be.

    An estimate, from the size of an average event: trim, look again, ask again. Every answer but the last drops
    something. The `spare` newest events are not dropped, nor is the state.
    """
    most = max(holding.oldest, holding.head + 1 - spare)
    if holding.size <= goal or most == holding.oldest:
        return holding.oldest
    average = holding.size / (holding.events + holding.moved)
    # After the trim each object that there was by then takes an event's room, too.
    left = int(goal / average) - max(holding.objects, holding.moved)
    least_step = max(1, holding.events // 50)
    return min(most, max(holding.head + 1 - left, holding.oldest + least_step))
