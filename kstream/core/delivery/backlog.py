"""The bounded window of recent events, seen through each filter in use; what is due is encoded once for all.

A client is a cursor into a View. Everyone with the same filter, cursor and deflate window gets the same bytes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import chain
from operator import attrgetter
from typing import Final

from kstream.core.delivery import wire
from kstream.core.delivery.filters import Filter
from kstream.core.delivery.frames import text_frame
from kstream.core.delivery.limits import Limits
from kstream.core.delivery.tally import Tally
from kstream.core.errors import DivergedError
from kstream.core.timeline.events import Event, Kind, Verb

_CACHED = 64  # ranges kept encoded between two appends: more distinct cursors than that are encoded again


class _Record:
    """An event and its message and frames, each made when first wanted."""

    __slots__ = ("_frames", "_message", "before", "event", "seq", "size")

    def __init__(self, event: Event, before: float | None = None) -> None:
        """`before`: up to when all was complete that came before it, seconds since the Unix epoch; None: not known."""
        self.event = event
        self.before = before
        self.seq = event.seq
        self.size = len(event.change.body)
        self._message: bytes | None = None
        self._frames: dict[int, bytes] = {}

    @property
    def message(self) -> bytes:
        if self._message is None:
            self._message = wire.event(self.event)
        return self._message

    def frame(self, window_bits: int) -> bytes:
        frame = self._frames.get(window_bits)
        if frame is None:
            frame = self._frames[window_bits] = text_frame(self.message, window_bits)
        return frame


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
        self._records: list[_Record] = []
        self._seqs: list[int] = []
        self._singles: dict[tuple[int, int], bytes] = {}
        self._batches: dict[tuple[int, int], tuple[bytes, ...]] = {}

    @property
    def last(self) -> int:
        """The seq of the newest event in it; a cursor at or past it has nothing to get."""
        return self._seqs[-1] if self._seqs else self.lost

    def count(self, after: int) -> int:
        return len(self._seqs) - bisect_right(self._seqs, after)

    def complete_until(self, after: int, as_of: float | None) -> float | None:
        """Up to when one that has all up to `after` is complete, where the whole is so up to `as_of` (PROTOCOL 29).

        The time at which the first event that it lacks was recorded would be too late: it happened before that, and
        after an outage long before. None where that is not known, or an event that it lacks is no longer here.
        """
        if after < self.last and after < self.lost:
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

    def fill(self, records: list[_Record]) -> None:
        """What was there before it, in the order of the log."""
        self._records = records
        self._seqs = list(map(_SEQ, records))

    def append(self, record: _Record) -> None:
        self._records.append(record)
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


def coalesce(records: Iterable[_Record]) -> list[bytes]:
    """Messages that have the same effect as all of the records: at most one for an object (PROTOCOL 6).

    In the order of the log, an object standing where its last event stood.
    """
    latest: dict[str, tuple[bool, _Record]] = {}
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
        messages.append(record.message if verb is true_verb else wire.event(record.event, true_verb))
    return messages


def catch_up(
    events: Iterable[Event], watched: Filter, *, head: int, time: float, window_bits: int
) -> tuple[bytes, ...]:
    """Frames that bring a client from before `events`, read from the log, to `head` (PROTOCOL 15)."""
    joined = coalesce(_Record(event) for event in events if event.change.key in watched)
    parts = wire.batches(joined, seq=head, time=time) if joined else []
    return tuple(text_frame(part, window_bits) for part in parts)


class Backlog:
    """The newest events, as many as `limits` says by number and bytes of bodies, for all filters in use."""

    def __init__(self, *, head: int, limits: Limits | None = None, tally: Tally | None = None) -> None:
        limits = limits if limits is not None else Limits()
        self.head = head
        self._tally = tally if tally is not None else Tally()
        self.floor = head  # events with seq <= floor are no longer here
        self._max_events = limits.window_events
        self._max_bytes = limits.window_bytes
        self._bytes = 0
        self._records: list[_Record] = []
        # The same, where a narrow filter finds them: clients come with many filters, and change them at will.
        self._nodes: list[_Record] = []
        self._of: dict[str, list[_Record]] = {}  # a namespace and its pods
        self._views: dict[Filter, View] = {}
        self._wide: list[View] = []  # views of everything
        self._by_namespace: dict[str, list[View]] = {}

    def open(self, watched: Filter) -> View:
        """The view of a filter; it is kept until every user has closed it."""
        view = self._views.get(watched)
        if view is None:
            view = self._views[watched] = View(watched, self.floor, self._tally)
            view.fill(self._seen_by(watched))
            view.advance(self.head)
            if watched.namespaces is None:
                self._wide.append(view)
            else:
                for name in watched.namespaces:
                    self._by_namespace.setdefault(name, []).append(view)
        view.users += 1
        return view

    def _seen_by(self, watched: Filter) -> list[_Record]:
        if watched.namespaces is None:
            return list(self._records)
        parts = [self._of[name] for name in watched.namespaces if name in self._of]
        return sorted(chain(self._nodes, *parts), key=_SEQ)

    def close(self, view: View) -> None:
        view.users -= 1
        if view.users:
            return
        del self._views[view.filter]
        if view.filter.namespaces is None:
            self._wide.remove(view)
            return
        for name in view.filter.namespaces:
            views = self._by_namespace[name]
            views.remove(view)
            if not views:
                del self._by_namespace[name]

    def append(self, events: Sequence[Event], *, as_of: float | None = None) -> Sequence[View]:
        """Take in committed events; returns the views in which at least one of them is to be seen.

        `as_of`: up to when all that came before them is complete, seconds since the Unix epoch; None for not known.
        Raises DivergedError, and takes none, when they do not follow what is here, each after the one before.
        """
        if events[0].seq != self.head + 1 or events[-1].seq != self.head + len(events):
            raise DivergedError(
                f"Events {events[0].seq} to {events[-1].seq}, {len(events)} of them, came after event {self.head}"
            )
        touched: dict[int, View] = {}
        for event in events:
            record = _Record(event, as_of)
            self._records.append(record)
            self._bytes += record.size
            key = event.change.key
            views: Iterable[View]
            if key.kind is Kind.NODE:
                self._nodes.append(record)
                views = self._views.values()
            else:
                name = key.namespace if key.kind is Kind.POD else key.name
                self._of.setdefault(name, []).append(record)
                views = [*self._wide, *self._by_namespace.get(name, ())]
            for view in views:
                view.append(record)
                touched[id(view)] = view
        self.head = events[-1].seq
        for view in touched.values():
            view.advance(self.head)
        self._trim()
        return list(touched.values())

    def _trim(self) -> None:
        surplus = len(self._records) - self._max_events
        # In steps of a tenth, so that deleting from the front costs little for each event.
        if surplus < self._max_events // 10 and self._bytes <= self._max_bytes:
            return
        drop = max(surplus, 0)
        freed = sum(record.size for record in self._records[:drop])
        while self._bytes - freed > self._max_bytes * 9 // 10 and drop < len(self._records):
            freed += self._records[drop].size
            drop += 1
        if not drop:
            return
        self._bytes -= freed
        self.floor = self._records[drop - 1].event.seq
        del self._records[:drop]
        for records in (self._nodes, *self._of.values()):
            del records[: bisect_right(records, self.floor, key=_SEQ)]
        self._of = {name: records for name, records in self._of.items() if records}
        for view in self._views.values():
            view.trim(self.floor)
