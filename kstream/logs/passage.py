"""A span of a log, as it was at one moment: what there was before it, and its events, some of them in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from sqlite3 import Connection
from typing import Final

from kstream.core.timeline.events import Event, Kind
from kstream.core.timeline.terms import Term
from kstream.logs import reading, rows
from kstream.logs.connections import connect_for_reading, translated
from kstream.logs.refusals import check_range

_AT_ONCE: Final = 1000  # events in memory


class Passage:
    """The events with after < seq <= upto, and the state that they go on from. Every call may raise LogError."""

    def __init__(self, path: Path, connection: Connection, whole: reading.Status, after: int, upto: int):
        """For `passage`."""
        self._path = path
        self._connection = connection
        self.start = reading.live_at(connection, after).keyframe()
        # A writer that begins where the span ends has written nothing of it.
        terms = [term for term in whole.terms if term.first <= upto or upto == whole.head]
        self.status = whole._replace(
            oldest=after + 1,
            head=upto,
            terms=terms or [Term(whole.epoch, 1)],
            # Whoever went on from there would not hear of what the span leaves out.
            versions=whole.versions if upto == whole.head else {},
        )

    @property
    def path(self) -> Path:
        return self._path

    def state(self, seq: int) -> Iterator[Event]:
        """The objects that there were after event `seq`, not before the start: the events that last touched them."""
        with translated(self._path):
            refs = (
                self.start.refs
                if seq == self.start.seq
                else reading.live_at(self._connection, seq).keyframe().refs
            )
            yield from reading.referred(self._connection, refs)

    def events(self, after: int | None = None, upto: int | None = None) -> Iterator[Event]:
        """Those of the span, or of a part of it."""
        last = self.status.head if upto is None else upto
        with translated(self._path):
            for begin in range(self.start.seq if after is None else after, last, _AT_ONCE):
                yield from rows.span(self._connection, begin, min(begin + _AT_ONCE, last))

    def nodes(self) -> set[str]:
        """The names of all nodes that there ever were in the log. Reads all of it."""
        with translated(self._path):
            tables = ["events", *(["baseline"] if reading.has_keyframes(self._connection) else [])]
            found = (
                name
                for table in tables
                for (name,) in self._connection.execute(
                    f"SELECT DISTINCT name FROM {table} WHERE kind = ?", (Kind.NODE.value,)
                )
            )
            return {name for name in found if isinstance(name, str)}


@contextmanager
def passage(path: Path, *, after: int | None = None, upto: int | None = None) -> Iterator[Passage]:
    """That span of the log at `path`, all of it by default; the file is not changed, and what is written to it
    meanwhile is not seen. Raises LogError; LogTrimmedError for what is no longer kept."""
    with closing(connect_for_reading(path)) as connection:
        with translated(path):
            connection.execute("BEGIN")
            whole = reading.status(path, connection)
            first = whole.oldest - 1 if after is None else after
            last = whole.head if upto is None else upto
            check_range(first, last, oldest=whole.oldest, head=whole.head)
            found = Passage(path, connection, whole, first, last)
        yield found  # what is wrong with a file that is made of it is not wrong with this one
