"""One watch: which lines are due, and when the next one is. Pure: bytes out, time in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple

import msgspec

from kstream.core.timeline.events import Verb
from simulator.apiserver import statuses
from simulator.apiserver.listing import check_version, number
from simulator.apiserver.rendering import Rendering
from simulator.apiserver.requests import Ask, is_true
from simulator.apiserver.selectors import Selector
from simulator.apiserver.store import CompactedError, Entry, Record, Store

_AT_ONCE: Final = 500  # lines that are made before they are sent
_LONGEST: Final = 1800.0  # seconds a watch lives that names no timeoutSeconds
_LAST_BOOKMARK: Final = 2.0  # seconds before the end, a client is told how far it has come


class Line(NamedTuple):
    """One line of a watch, with its newline. `type` is that of the event."""

    type: str
    body: bytes


def check_options(ask: Ask) -> int | None:
    """The version to watch from. Raises StatusError for options that contradict each other."""
    match, initial = ask.query.get("resourceVersionMatch", ""), ask.query.get("sendInitialEvents", "")
    field = "resourceVersionMatch"
    if initial and match != "NotOlderThan":
        raise statuses.invalid_options(
            field=field,
            message="Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
        )
    if match and not initial:
        raise statuses.invalid_options(
            field=field,
            message="Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
        )
    return check_version(ask.query)


class Watch:
    """The state of one watch. `take` until it returns nothing, then wait for a write or for `deadline`."""

    def __init__(
        self,
        store: Store,
        ask: Ask,
        selector: Selector,
        rendering: Rendering,
        *,
        now: float,
        bookmark_interval: float,
    ) -> None:
        """Raises StatusError for what the API server answers with a status instead of a stream."""
        version = check_options(ask)
        self._store = store
        self._kind = ask.resource.kind
        self._selector = selector
        self._rendering = rendering
        namespace = ask.namespace or selector.namespace
        self._prefix = f"{namespace}/" if namespace and ask.resource.namespaced else ""
        self._only = f"{ask.namespace}/{ask.name}" if ask.name and ask.namespace else ask.name
        self._bookmarks = is_true(ask.query.get("allowWatchBookmarks"))
        self._end = now + (float(number(ask.query, "timeoutSeconds")) or _LONGEST)
        self._interval = bookmark_interval
        self._next_bookmark = self._after(now)
        self._initial: Iterator[Entry] | None = None
        self._error: statuses.StatusError | None = None
        self.done = False
        asked = ask.query.get("sendInitialEvents")
        if is_true(asked) or (asked is None and not version):
            if version and version > store.version:
                raise statuses.too_large(version=version, current=store.version)
            snapshot = store.snapshot(self._kind)
            first, last = snapshot.span(namespace if ask.resource.namespaced else "")
            self._initial = iter(snapshot.entries[first:last])
            self._from = snapshot.version
        else:
            self._from = version or store.version
        try:
            self._position = store.position(self._kind, self._from)
        except CompactedError:
            self._error = statuses.watch_too_old(version=self._from, oldest=store.compacted)

    @property
    def deadline(self) -> float:
        """When to `take` again although nothing was written."""
        return min(self._end, self._next_bookmark) if self._bookmarks else self._end

    def take(self, now: float) -> Sequence[Line]:
        """The lines that are due, some at a time. Sets `done` with the last ones."""
        if self.done:
            return ()
        if self._error is not None:
            self.done = True
            return (Line("ERROR", self._error.line()),)
        while self._initial is not None:
            if lines := self._take_initial(self._initial):
                return lines
        lines = self._take_records()
        if lines:
            return lines
        if now >= self._end:
            self.done = True
        elif self._bookmarks and now >= self._next_bookmark:
            self._next_bookmark = self._after(now)
            if self._store.version >= self._from:  # a watch from the future knows better than we do
                return (self._bookmark(self._store.version),)
        return ()

    def _take_initial(self, initial: Iterator[Entry]) -> Sequence[Line]:
        entries = list(islice(initial, _AT_ONCE))
        lines = [self._line(Verb.ADDED, entry) for entry in entries if self._wants(entry)]
        if len(entries) < _AT_ONCE:
            self._initial = None
            if self._bookmarks:
                lines.append(self._bookmark(self._from, initial_end=True))
        return lines

    def _take_records(self) -> Sequence[Line]:
        while True:
            try:
                records = self._store.read(self._kind, self._position, _AT_ONCE)
            except CompactedError:  # it was too slow: the API server closes such a watch
                self.done = True
                return ()
            if not records:
                return ()
            self._position += len(records)
            lines = [line for record in records if (line := self._tell(record)) is not None]
            if lines:
                return lines

    def _tell(self, record: Record) -> Line | None:
        """A write as this watch sees it: an object may enter or leave its selector without being made or deleted."""
        entry = record.entry
        if record.version <= self._from or not self._in_scope(entry):
            return None
        if self._selector.everything:
            return self._line(record.verb, entry)
        before = record.previous is not None and self._selector.takes(record.previous)
        if record.verb is Verb.DELETED:
            return self._line(Verb.DELETED, entry) if before else None
        if self._selector.takes(entry):
            return self._line(Verb.MODIFIED if before else Verb.ADDED, entry)
        if before and record.previous is not None:
            return self._line(Verb.DELETED, _at(record.previous, record.version))
        return None

    def _in_scope(self, entry: Entry) -> bool:
        return entry.key == self._only if self._only else entry.key.startswith(self._prefix)

    def _wants(self, entry: Entry) -> bool:
        return self._in_scope(entry) and self._selector.takes(entry)

    def _line(self, verb: Verb, entry: Entry) -> Line:
        return Line(verb.value, self._rendering.event(verb.value.encode(), entry))

    def _bookmark(self, version: int, *, initial_end: bool = False) -> Line:
        return Line("BOOKMARK", self._rendering.bookmark(version, initial_end=initial_end))

    def _after(self, now: float) -> float:
        """When the next bookmark is due: after the interval, and once more shortly before the end."""
        last = self._end - _LAST_BOOKMARK
        return min(now + self._interval, last) if now < last else now + self._interval


def _at(entry: Entry, version: int) -> Entry:
    """The same object at another version, as a watch with a selector tells of one that left it."""
    content = msgspec.json.decode(entry.body)
    content["metadata"]["resourceVersion"] = str(version)
    return Entry(entry.key, version, msgspec.json.encode(content))
