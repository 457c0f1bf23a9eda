"""The bounded window of recent events, and the views of it: one for each filter in use (view.py)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from operator import attrgetter
from typing import Final

from kstream.core.delivery.filters import Filter, Looks
from kstream.core.delivery.limits import Limits
from kstream.core.delivery.numbers import Numbers
from kstream.core.delivery.records import Record
from kstream.core.delivery.routes import Routes
from kstream.core.delivery.tally import Tally
from kstream.core.delivery.view import View
from kstream.core.errors import DivergedError
from kstream.core.timeline.events import Event, Kind

BEHIND: Final = 2000  # events of the window that a view of a map begins with
_SEQ: Final = attrgetter("seq")


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
        self._records: list[Record] = []
        # The same, where a narrow filter finds them: clients come with many filters, and change them at will.
        self._nodes: list[Record] = []
        self._of: dict[str, list[Record]] = {}  # a namespace and its pods
        self._views: dict[Filter, View] = {}
        self._routes = Routes()
        self.numbers: Numbers | None = None  # once somebody sees a map

    def open(self, watched: Filter) -> View:
        """The view of a filter; it is kept until every user has closed it."""
        view = self._views.get(watched)
        if view is None:
            begins = self._begins(watched)
            view = self._views[watched] = View(watched, begins, self._tally)
            if not watched.remembers:
                view.fill(self._seen_by(watched))
            elif watched.labels is None:
                records = (record.seen_by(watched) for record in self.between(begins, self.head))
                view.fill([record for record in records if record is not None])
            view.advance(self.head)
            self._routes.add(view)
        view.users += 1
        return view

    def _begins(self, watched: Filter) -> int:
        """Before which event its view knows nothing."""
        if not watched.remembers:
            return self.floor
        # By labels with what comes: to read what the window's objects were takes a tenth of a second. Of a map with as
        # much as a state that is at hand may be behind.
        if watched.labels is not None or self.numbers is None:
            return self.head
        return max(self.floor, self.numbers.since, self.head - BEHIND)

    def look(self, watched: Filter, *, since: int) -> View:
        """The view of one who looks at pods of a map, and has all up to `since`; of those it knows all up to `head`."""
        # Nobody shares it, also where nothing is looked at any more: that of the others may begin later.
        looks = watched.looks or Looks(frozenset())
        watched = replace(watched, looks=looks)
        begins = max(since, self.floor)
        view = self._views[watched] = View(watched, begins, self._tally)
        # By number: a uid that went and came back is another pod to a map.
        known = {self.numbers.of(uid) for uid in looks.uids} if self.numbers is not None else set()
        seen = []
        for record in self.between(begins, self.head):
            if record.place.number not in known and (found := record.seen_by(watched)) is not None:
                seen.append(found)
            record.forget_labels()
        view.fill(seen)
        view.advance(self.head)
        self._routes.add(view)
        view.users += 1
        return view

    def number(self, numbers: Numbers) -> bool:
        """Know pods by these from now on; False where what came after them is no longer here."""
        if numbers.since < self.floor:
            return False
        for record in self.between(numbers.since, self.head):
            _number(record, numbers)
        self.numbers = numbers
        return True

    def _seen_by(self, watched: Filter) -> list[Record]:
        records = self._records
        if watched.namespaces is not None:
            parts = [self._of[name] for name in watched.namespaces if name in self._of]
            records = sorted(chain(self._nodes, *parts), key=_SEQ)
        if watched.kinds is None:
            return list(records)
        return [seen for record in records if (seen := record.seen_by(watched)) is not None]

    def between(self, after: int, upto: int) -> Sequence[Record]:
        """What the window holds of the events with after < seq <= upto, for whatever filter."""
        start, end = (bisect_right(self._records, seq, key=_SEQ) for seq in (after, upto))
        return self._records[start:end]

    def close(self, view: View) -> None:
        view.users -= 1
        if not view.users:
            del self._views[view.filter]
            self._routes.remove(view)

    def append(
        self, events: Sequence[Event], before: Sequence[bytes | None], *, as_of: float | None = None
    ) -> Sequence[View]:
        """Take in committed events; returns the views in which at least one of them is to be seen.

        `before`: for each the body that its object had, as ClusterState.apply returns it. `as_of`: up to when all that
        came before them is complete, seconds since the Unix epoch; None for not known.
        Raises DivergedError, and takes none, when they do not follow what is here, each after the one before.
        """
        if events[0].seq != self.head + 1 or events[-1].seq != self.head + len(events):
            raise DivergedError(
                f"Events {events[0].seq} to {events[-1].seq}, {len(events)} of them, came after event {self.head}"
            )
        touched: dict[int, View] = {}
        for event, previous in zip(events, before, strict=True):
            record = Record(event, previous, as_of)
            if self.numbers is not None:
                _number(record, self.numbers)
            self._records.append(record)
            self._bytes += record.size
            key = event.change.key
            if key.kind is Kind.NODE:
                self._nodes.append(record)
            else:
                self._of.setdefault(key.namespace if key.kind is Kind.POD else key.name, []).append(record)
            for view, seen in self._routes.of(record):
                view.append(seen)
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


def _number(record: Record, numbers: Numbers) -> None:
    change = record.event.change
    if change.key.kind is Kind.POD:
        record.place.number = numbers.take(change.key.uid, change.verb)
