"""Which views an event concerns: found by its kind, its namespace and its labels, however many filters there are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from kstream.core.delivery.matching import Matching
from kstream.core.delivery.records import Record
from kstream.core.delivery.selectors import Selector
from kstream.core.delivery.view import View
from kstream.core.timeline.events import Kind


class _Choice:
    """The views of pods with one selector."""

    __slots__ = ("named", "wide")

    def __init__(self) -> None:
        self.wide: list[View] = []  # of all namespaces
        self.named: dict[str, list[View]] = {}

    def of(self, namespace: str) -> Iterable[View]:
        return chain(self.wide, self.named.get(namespace, ()))


class Routes:
    """Of one backlog."""

    def __init__(self) -> None:
        self._wide: dict[Kind, list[View]] = {kind: [] for kind in Kind}  # views of all objects of a kind
        self._named: dict[tuple[Kind, str], list[View]] = {}  # and of those of a namespace
        self._choices: dict[Selector, _Choice] = {}
        self._matching: Matching[_Choice] = Matching()

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
        if (selector := view.filter.labels) is not None:
            choice = self._choices[selector]
            for name in view.filter.namespaces or ():
                if not choice.named.get(name, True):
                    del choice.named[name]
            if not choice.wide and not choice.named:
                del self._choices[selector]
                self._matching.remove(choice, selector)

    def _places(self, view: View) -> Iterator[list[View]]:
        watched = view.filter
        for kind in Kind:
            if not watched.shows(kind):
                continue
            if kind is Kind.POD and watched.labels is not None:
                choice = self._choice(watched.labels)
                if watched.namespaces is None:
                    yield choice.wide
                else:
                    for name in watched.namespaces:
                        yield choice.named.setdefault(name, [])
            elif watched.namespaces is None or kind is Kind.NODE:
                yield self._wide[kind]
            else:
                for name in watched.namespaces:
                    yield self._named.setdefault((kind, name), [])

    def _choice(self, selector: Selector) -> _Choice:
        if (choice := self._choices.get(selector)) is None:
            choice = self._choices[selector] = _Choice()
            self._matching.add(choice, selector)
        return choice

    def of(self, record: Record) -> Iterable[tuple[View, Record]]:
        """The views that see it, each once, and as what."""
        key = record.event.change.key
        kind = key.kind
        views: Iterable[View] = self._wide[kind]
        if (named := self._named.get((kind, key.namespace if kind is Kind.POD else key.name))) is not None:
            views = chain(views, named)
        if kind is Kind.NAMESPACE:
            return [(view, record if view.filter.counts_pods else record.uncounted) for view in views]
        plain = [(view, record) for view in views]
        if kind is Kind.POD and self._matching:
            plain += self._by_labels(record)
        return plain

    def _by_labels(self, record: Record) -> Iterator[tuple[View, Record]]:
        """As Record.seen_by says of each of them, and asked once for all."""
        namespace = record.event.change.key.namespace
        before, now = record.labels()
        matched = self._matching.of(before) if before is not None else []
        if now is before:
            for choice in matched:
                yield from ((view, record) for view in choice.of(namespace))
        else:
            matches = dict.fromkeys(self._matching.of(now) if now is not None else ())
            for choice in matched:
                seen = record if choice in matches else record.leaving
                yield from ((view, seen) for view in choice.of(namespace))
                matches.pop(choice, None)
            for choice in matches:
                yield from ((view, record.entering) for view in choice.of(namespace))
        record.forget_labels()
