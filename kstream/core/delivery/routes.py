"""Which views an event concerns: found by its kind, its namespace and its labels, however many filters there are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from kstream.core.delivery.records import Record
from kstream.core.delivery.view import View
from kstream.core.timeline.events import Kind


class Routes:
    """Of one backlog."""

    def __init__(self) -> None:
        self._wide: dict[Kind, list[View]] = {kind: [] for kind in Kind}  # views of all objects of a kind
        self._named: dict[tuple[Kind, str], list[View]] = {}  # and of those of a namespace
        self._labelled: dict[tuple[str, str], list[View]] = {}  # of pods, of which each has this label
        self._searching: list[View] = []  # of pods, by labels of which no such thing can be said

    def add(self, view: View) -> None:
        for places in self._places(view):
            places.append(view)

    def remove(self, view: View) -> None:
        for places in self._places(view):
            places.remove(view)
        for name in view.filter.namespaces or ():
            for kind in Kind:
                if not self._named.get((kind, name), True):
                    del self._named[kind, name]
        for pair in view.filter.labels.pairs if view.filter.labels is not None else ():
            if not self._labelled[pair]:
                del self._labelled[pair]

    def _places(self, view: View) -> Iterator[list[View]]:
        watched = view.filter
        for kind in Kind:
            if not watched.shows(kind):
                continue
            if kind is Kind.POD and watched.labels is not None:
                if not watched.labels.pairs:
                    yield self._searching
                for pair in watched.labels.pairs:
                    yield self._labelled.setdefault(pair, [])
            elif watched.namespaces is None or kind is Kind.NODE:
                yield self._wide[kind]
            else:
                for name in watched.namespaces:
                    yield self._named.setdefault((kind, name), [])

    def of(self, record: Record) -> Iterable[tuple[View, Record]]:
        """The views that see it, each once, and as what."""
        key = record.event.change.key
        kind = key.kind
        views: Iterable[View] = self._wide[kind]
        if (named := self._named.get((kind, key.namespace if kind is Kind.POD else key.name))) is not None:
            views = chain(views, named)
        if kind is Kind.NAMESPACE:
            return _as_seen(record, views)
        plain = [(view, record) for view in views]
        if kind is Kind.POD and (self._labelled or self._searching):
            plain += self._by_labels(record)
        return plain

    def _by_labels(self, record: Record) -> Iterator[tuple[View, Record]]:
        candidates = dict.fromkeys(self._searching)
        if self._labelled:
            for pair in record.pairs():
                if pair in self._labelled:
                    candidates.update(dict.fromkeys(self._labelled[pair]))
        yield from _as_seen(record, candidates)
        record.forget_labels()


def _as_seen(record: Record, views: Iterable[View]) -> Iterator[tuple[View, Record]]:
    for view in views:
        if (seen := record.seen_by(view.filter)) is not None:
            yield view, seen
