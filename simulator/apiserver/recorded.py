"""An event log as a feed: what kstream recorded, as the API of a cluster again, from any moment on."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Final

import msgspec

from kstream.core.errors import DivergedError, InvalidMessageError, LogError, LogFormatError, UsageError
from kstream.core.timeline.events import Event, ObjectKey, Verb
from kstream.core.timeline.state import ClusterState
from kstream.logs import reading
from kstream.logs.connections import connect_for_reading, translated
from kstream.logs.places import past, place, seq_at, time_of
from kstream.logs.sqlite import SqliteLog
from simulator.apiserver.rebuilding import rebuilt
from simulator.apiserver.store import Store
from simulator.cluster.objects import Change

_AHEAD: Final = 1000  # events in memory
_SQLITE: Final = b"SQLite format 3\x00"
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_Name = tuple[str, str, str]  # kind, namespace, name


class LogFeed:
    """The changes of an event log after a moment. What there was at that moment is there from the start.

    The version of each write is the seq of its event. What is read of the file is what was in it when it was opened;
    it is read a little ahead of what is played, so that a log may be as long as it likes. Close it.
    """

    def __init__(
        self, path: Path, connection: sqlite3.Connection, state: ClusterState, *, last: int, start: float
    ) -> None:
        """For `open_feed`."""
        self.start = start  # seconds since the Unix epoch
        self._path = path
        self._connection = connection
        self._last = last
        self._state = state
        self._ahead: deque[Event] = deque()
        self._latest = self._state.time
        self._holders: dict[_Name, str] = {}  # who has a name now, by uid

    def load(self, store: Store) -> None:
        """Put the state of the moment into a store, without history. Versions end with the seq of its last event."""
        standing = {_name(entry.key): entry for entry in self._state}
        self._holders = {name: entry.key.uid for name, entry in standing.items()}
        # Each was made by an event of its own, so there are no more of them than there were events.
        version = self._state.seq - len(standing)
        for entry in standing.values():
            version += 1
            store.apply(self._change(Verb.ADDED, entry.key, entry.body, version, self._latest))
        store.advance(self._state.seq)
        store.compact()

    def next_time(self) -> float | None:
        if not self._ahead:
            return self._latest if self._state.seq < self._last else None
        # A clock that went back while it was recorded is no reason to wait, nor to play anything out of order.
        return max(self._latest, self._ahead[0].change.time)

    def until(self, time: float) -> Iterable[Change]:
        """Up to `time`, seconds since the Unix epoch, of what `read` has read.

        Raises LogError, also for a history that is not in one piece.
        """
        while self._ahead and (due := max(self._latest, self._ahead[0].change.time)) <= time:
            self._latest = due
            yield from self._told(self._ahead.popleft(), due)

    async def read(self) -> None:
        """Have what comes next at hand. Raises LogError."""
        after = self._state.seq
        if not self._ahead and after < self._last:
            self._ahead.extend(await asyncio.to_thread(self._span, after, min(self._last, after + _AHEAD)))

    def close(self) -> None:
        self._connection.close()

    def _told(self, event: Event, time: float) -> Iterator[Change]:
        change = event.change
        try:
            before = self._state.apply(event)
        except (DivergedError, *_UNREADABLE) as error:
            raise self._damaged(str(error)) from error
        name = _name(change.key)
        if change.verb is not Verb.DELETED:
            self._holders[name] = change.key.uid
            yield self._change(change.verb, change.key, change.body, event.seq, time)
        # Where a log tells of the next one of a name first, the last one is gone from the API already.
        elif before is not None and self._holders.get(name) == change.key.uid:
            del self._holders[name]
            yield self._change(change.verb, change.key, before, event.seq, time)

    def _change(self, verb: Verb, key: ObjectKey, body: bytes, version: int, time: float) -> Change:
        try:
            return Change(time, verb, key.kind, rebuilt(key, body, version=version, time=time))
        except _UNREADABLE as error:
            raise self._damaged(f"the {key.kind} {key.uid} cannot be read ({error})") from error

    def _damaged(self, why: str) -> LogFormatError:
        return LogFormatError(f"{self._path}: the event log is damaged: {why}; restore the file from a copy")

    def _span(self, after: int, upto: int) -> Sequence[Event]:
        with translated(self._path):
            return reading.span(self._connection, after, upto)


def is_log(path: Path) -> bool:
    """Whether the file is a database, and so no capture. Raises OSError."""
    with path.open("rb") as file:
        return file.read(len(_SQLITE)) == _SQLITE


async def open_feed(path: Path, *, at: str | None = None) -> LogFeed:
    """The log from a point on (docs/replay.md), by default from the first instant on that it tells of.

    Raises LogError for a file that is none, damaged or empty; UsageError for a point that is none.
    """
    log = await SqliteLog.open_read_only(path)
    try:
        if not log.head:
            raise LogError(f"Nothing was recorded in {path}: there is nothing to serve")
        span = await time_of(log, log.oldest - 1), await time_of(log, log.head)
        if at is None:
            seq, start = await seq_at(log, span[0]), span[0]
        elif past(log, at):
            raise UsageError(f"--at {at}: the log ends with event {log.head}")
        else:
            seq, start = await place(log, at, span, field="at", otherwise=(log.head, span[1]))
            start = min(max(start, span[0]), max(span))
        return await asyncio.to_thread(_opened, path, seq, log.head, start)
    except InvalidMessageError as invalid:
        raise UsageError(f"--{invalid.details}") from None
    finally:
        await log.close()


def _opened(path: Path, seq: int, last: int, start: float) -> LogFeed:
    with ExitStack() as opened, translated(path):
        connection = opened.enter_context(closing(connect_for_reading(path)))
        state = reading.state_at(connection, seq)
        opened.pop_all()
        return LogFeed(path, connection, state, last=last, start=start)


def _name(key: ObjectKey) -> _Name:
    return key.kind.value, key.namespace, key.name
