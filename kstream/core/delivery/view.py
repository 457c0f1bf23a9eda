"""What one filter lets through of the window: a client is a cursor into it.

What is due is encoded once for all: everyone with the same filter, cursor and deflate window gets the same bytes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from operator import attrgetter
from typing import Final

from kstream.core.delivery import wire
from kstream.core.delivery.filters import Filter
from kstream.core.delivery.frames import text_frame
from kstream.core.delivery.records import Record
from kstream.core.delivery.tally import Tally
from kstream.core.errors import DivergedError
from kstream.core.timeline.events import Event, Verb

_CACHED = 64  # ranges kept encoded between two appends: more distinct cursors than that are encoded again
_SEQ: Final = attrgetter("seq")


class View:
    """The part of the window that one filter lets through."""

    __slots__ = ("_batches", "_records", "_seqs", "_singles", "_tally", "filter", "head", "lost", "users")

    def __init__(self, watched: Filter, head: int, tally: Tally) -> None:
        self.filter = watched
        self._tally = tally
        self.head = head  # the seq up to which this view has seen the log, whether or not an event matched
        self.lost = head  # a cursor before this seq has missed an event that is no longer here
        self.users = 0
        self._records: list[Record] = []
        self._seqs: list[int] = []
        self._singles: dict[tuple[int, int], bytes] = {}
        self._batches: dict[tuple[int, int], tuple[bytes, ...]] = {}

    @property
    def last(self) -> int:
        """The seq of the newest event in it; a cursor at or past it has nothing to get."""
        return self._seqs[-1] if self._seqs else self.lost

    def misses(self, after: int) -> bool:
        """Whether a cursor there has missed an event that is no longer here."""
        return after < self.lost

    def count(self, after: int) -> int:
        return len(self._seqs) - bisect_right(self._seqs, after)

    def complete_until(self, after: int, as_of: float | None) -> float | None:
        """Up to when one that has all up to `after` is complete, where the whole is so up to `as_of` (PROTOCOL 29).

        The time at which the first event that it lacks was recorded would be too late: it happened before that, and
        after an outage long before. None where that is not known, or an event that it lacks is no longer here.
        """
        if self.misses(after):
            return None
        start = bisect_right(self._seqs, after)
        return self._records[start].before if start < len(self._seqs) else as_of

    def singles(self, after: int, window_bits: int) -> bytes:
        """The frames of all events after `after`, each event its own message, joined."""
        start = bisect_right(self._seqs, after)
        data = self._singles.get((start, window_bits))
        if data is None:
            records = self._records[start:]
            data = b"".join([record.frame(window_bits) for record in records])
            self._tally.messages_bytes += sum([len(record.message) for record in records])
            self._tally.frames_bytes += len(data)
            if len(self._singles) < _CACHED:
                self._singles[start, window_bits] = data
        return data

    def batch(self, after: int, window_bits: int) -> tuple[bytes, ...]:
        """Frames that together cover (after, head]: usually one `batch`, none when all of it cancels out."""
        start = bisect_right(self._seqs, after)
        frames = self._batches.get((start, window_bits))
        if frames is None:
            records = self._records[start:]
            messages = coalesce(records)
            time = records[-1].event.change.time
            parts = wire.batches(messages, seq=self.head, time=time) if messages else []
            frames = tuple(text_frame(part, window_bits) for part in parts)
            self._tally.messages_bytes += sum(map(len, parts))
            self._tally.frames_bytes += sum(map(len, frames))
            if len(self._batches) < _CACHED:
                self._batches[start, window_bits] = frames
        return frames

    def fill(self, records: list[Record]) -> None:
        """What was there before it, in the order of the log."""
        self._records = [record.detailed(self.filter) for record in records] if self.filter.maps else records
        self._seqs = list(map(_SEQ, records))

    def append(self, record: Record) -> None:
        self._records.append(record.detailed(self.filter))
        self._seqs.append(record.seq)

    def advance(self, head: int) -> None:
        """All up to `head` has been offered: what was encoded up to the old head is of no more use."""
        if head < self.head or head < self.last:
            raise DivergedError(
                f"A view at {self.head}, with events up to {self.last}, was told to go to {head}"
            )
        self.head = head
        self._singles.clear()
        self._batches.clear()

    def trim(self, floor: int) -> None:
        """Forget the events with seq <= floor."""
        drop = bisect_right(self._seqs, floor)
        if drop:
            self.lost = self._seqs[drop - 1]
            del self._records[:drop], self._seqs[:drop]
            self._singles.clear()
            self._batches.clear()


def coalesce(records: Iterable[Record]) -> list[bytes]:
    """Messages that have the same effect as all of the records: at most one for an object (PROTOCOL 6).

    In the order of the log, an object standing where its last event stood.
    """
    latest: dict[str, tuple[bool, Record]] = {}
    for record in records:
        uid = record.event.change.key.uid
        before = latest.pop(uid, None)
        existed = record.event.change.verb is not Verb.ADDED if before is None else before[0]
        latest[uid] = (existed, record)
    messages: list[bytes] = []
    for existed, record in latest.values():
        verb = record.event.change.verb
        if verb is Verb.DELETED:
            if existed:
                messages.append(record.message)
            continue
        true_verb = Verb.MODIFIED if existed else Verb.ADDED
        messages.append(record.message if verb is true_verb else record.told(true_verb))
    return messages


def caught_up(
    records: Iterable[Record], watched: Filter, *, head: int, time: float, window_bits: int
) -> tuple[bytes, ...]:
    """Frames that bring a client from before `records` to `head`, whatever it watches; `time` in seconds since the Unix
    epoch."""
    seen = []
    for record in records:
        if (found := record.seen_by(watched)) is not None:
            seen.append(found.detailed(watched))
        record.forget_labels()
    joined = coalesce(seen)
    parts = wire.batches(joined, seq=head, time=time) if joined else []
    return tuple(text_frame(part, window_bits) for part in parts)


def catch_up(
    events: Iterable[Event], watched: Filter, *, head: int, time: float, window_bits: int
) -> tuple[bytes, ...]:
    """Frames that bring a client from before `events`, read from the log, to `head` (PROTOCOL 15).

    Not for one that `remembers`: what the objects were before is not in the log's events, nor are numbers.
    """
    return caught_up(map(Record, events), watched, head=head, time=time, window_bits=window_bits)
