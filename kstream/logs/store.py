"""The writing side of a log file, without threads: commits, identity, retention."""

from __future__ import annotations

import itertools
import json
import sqlite3
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from kstream.core.errors import LogError, LogMismatchError
from kstream.core.timeline.blocks import Block
from kstream.core.timeline.events import Event, WatchEvent
from kstream.core.timeline.health import ClusterInfo
from kstream.core.timeline.terms import Term
from kstream.logs import blocks, indexing, keyframes, rows
from kstream.logs.connections import connect_for_writing, translated
from kstream.logs.lock import WriterLock
from kstream.logs.reading import Status, live_at, status
from kstream.logs.refusals import identified
from kstream.logs.schema import WITH_BLOCKS, format_of

_ROWS: Final = 256
_TERMS: Final = 1000  # that are kept: whoever was told an earlier one gets a state


_GONE: Final = "the event log was moved, replaced or deleted while it was written"
_REMEDY: Final = (
    "stop kstream before its log is touched, copy it with `sqlite3 LOG '.backup COPY'`, and start it again"
)


def _identity(path: Path) -> tuple[int, int]:
    """Of a file, whatever it is called."""
    found = path.stat()
    return found.st_dev, found.st_ino


class Change(NamedTuple):
    """What one call of `append` wants committed."""

    events: Sequence[WatchEvent]
    versions: Mapping[str, str]


class Store:
    """The one writer of a file, from opening to `close`. Every call blocks; use it from one thread at a time."""

    def __init__(
        self,
        path: Path,
        *,
        epoch: str | None = None,
        meta: Mapping[str, str] = {},
        max_bytes: int | None = None,
        only_trim: bool = False,
    ) -> None:
        """Create or open `path`. Raises LogBusyError, LogFormatError, LogMismatchError, LogError.

        `only_trim`: nothing is appended, and no room is needed for it: the journal is in memory.
        """
        self.path = path
        path = path.resolve()  # the lock is beside the file itself, whichever link leads to it
        self._lock = WriterLock(path)
        try:
            self._connection = connect_for_writing(path, max_bytes=max_bytes, alone=only_trim)
            try:
                self._file, self._place = path, _identity(path)
                with translated(path):
                    self._found(epoch, meta)
                    found = status(path, self._connection)
                    self.status: Status = found if only_trim else self._begun(found)
                    self._live: keyframes.LiveSet | None = live_at(self._connection, self.status.head)
                    self._index: blocks.Indexer | None = None
                    if not only_trim:
                        self._index = indexing.index_at(self._connection, self.status.head)
            except BaseException:
                self._connection.close()
                raise
        except BaseException:
            self._lock.release()
            raise

    def _found(self, epoch: str | None, meta: Mapping[str, str]) -> None:
        """Give a new file its epoch and meta; compare those of an existing one."""
        kept = rows.pairs(self._connection, "meta").get("epoch")
        if kept is None:
            self._connection.execute("BEGIN IMMEDIATE")
            rows.put_pairs(self._connection, "meta", {**meta, "epoch": json.dumps(epoch or uuid.uuid4().hex)})
            self._connection.execute("COMMIT")
        elif epoch is not None and json.loads(kept) != epoch:
            raise LogMismatchError(
                f"{self.path}: the event log holds another run (epoch {json.loads(kept)}, not {epoch});"
                " give another file"
            )

    def _begun(self, found: Status) -> Status:
        """Begin a term: whatever a copy of this file has been told of its end is of another one."""
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        rows.put_term(connection, Term(uuid.uuid4().hex, found.head + 1))
        connection.execute("DELETE FROM terms WHERE number <= (SELECT max(number) FROM terms) - ?", (_TERMS,))
        terms = rows.terms(connection)
        connection.execute("COMMIT")
        return found._replace(terms=terms)

    def commit(self, changes: Sequence[Change]) -> list[Event]:
        """All of them in one transaction, or none; the events as they are numbered. Raises LogError."""
        with translated(self.path):
            self._check_place()
            live = self._live
            if live is None:
                live = live_at(self._connection, self.status.head)
            index = self._index
            if index is None:
                index = indexing.index_at(self._connection, self.status.head)
            self._live, self._index = None, None  # until this has worked
            first = self.status.head + 1
            facts = itertools.chain.from_iterable(change.events for change in changes)
            events = list(itertools.starmap(Event, enumerate(facts, first)))
            versions = {stream: version for change in changes for stream, version in change.versions.items()}
            self._transact(events, live, index, versions)
            self._live, self._index = live, index
            self.status = self.status._replace(
                head=self.status.head + len(events),
                versions={**self.status.versions, **versions} if versions else self.status.versions,
            )
            return events

    def _transact(
        self,
        events: Sequence[Event],
        live: keyframes.LiveSet,
        index: blocks.Indexer,
        versions: Mapping[str, str],
    ) -> None:
        connection, ends = self._connection, list[Block]()
        connection.execute("BEGIN IMMEDIATE")
        try:
            # A few rows at a time: one by one they take turns with SQLite in the processor's cache, and a long list
            # of them keeps the garbage collector busy.
            for start in range(0, len(events), _ROWS):
                odd: list[int] = []
                made = rows.rows(events[start : start + _ROWS], odd)
                connection.executemany(rows.INSERT, made)
                ends += index.apply(made, odd)
            blocks.insert(connection, ends)
            keyframes.insert(connection, live.apply(events))
            if versions:
                rows.put_pairs(connection, "versions", versions)
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def _check_place(self) -> None:
        """What is written is found again by its name only. Raises LogError when another file, or none, has it."""
        try:
            there = _identity(self._file)
        except OSError as error:
            raise LogError(f"{self.path}: {_GONE} ({error.strerror}); {_REMEDY}") from error
        if there != self._place:
            raise LogError(f"{self.path}: {_GONE} (another file is there); {_REMEDY}")

    def identify(self, cluster: ClusterInfo) -> None:
        """Keep which cluster it is. Raises LogMismatchError."""
        cluster = identified(self.status.cluster, cluster, f"{self.path}: the event log")
        with translated(self.path):
            rows.put_pairs(self._connection, "meta", {"cluster": json.dumps(cluster._asdict())})
        self.status = self.status._replace(cluster=cluster)

    def trim(self, before: int) -> None:
        """Drop the events with seq < before. States from before - 1 on stay what they were."""
        before = min(before, self.status.head + 1)
        if before <= self.status.oldest:
            return
        with translated(self.path):
            connection = self._connection
            frame = live_at(connection, before - 1).keyframe()
            # The index begins with what is bad before the first event that is kept, too.
            ends: list[Block] = []
            indexed = format_of(connection) >= WITH_BLOCKS
            if indexed and not blocks.straddles(connection, before - 1):
                ends.append(indexing.index_at(connection, before - 1).cut())
            connection.execute("BEGIN IMMEDIATE")
            try:
                connection.execute("CREATE TEMP TABLE IF NOT EXISTS alive (seq INTEGER PRIMARY KEY)")
                connection.execute("DELETE FROM temp.alive")
                connection.executemany("INSERT INTO temp.alive VALUES (?)", ((ref,) for ref in frame.refs))
                connection.execute("DELETE FROM baseline WHERE seq NOT IN (SELECT seq FROM temp.alive)")
                # Out first, then in: a log that is full has no room for both.
                moved = connection.execute(
                    "SELECT * FROM events WHERE seq < ? AND seq IN (SELECT seq FROM temp.alive)", (before,)
                ).fetchall()
                connection.execute("DELETE FROM events WHERE seq < ?", (before,))
                connection.execute("DELETE FROM keyframes WHERE seq < ?", (before,))
                if indexed:
                    connection.execute("DELETE FROM blocks WHERE seq < ?", (before - 1,))
                    blocks.insert(connection, ends)
                connection.executemany("INSERT INTO baseline VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", moved)
                keyframes.insert(connection, [frame])
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
        self.status = self.status._replace(oldest=before)
        if ends:
            self._index = None  # it ends its blocks elsewhere now

    def shrink(self, pages: int) -> bool:
        """Give up to `pages` unused pages back to the disk; says whether there are more. Raises LogError.

        Readers that still look at an earlier moment keep the file long until a later call, or a later commit.
        """
        with translated(self.path):
            connection = self._connection
            (unused,) = connection.execute("PRAGMA freelist_count").fetchone()
            if unused:
                # execute() would free a single page.
                connection.executescript(f"PRAGMA incremental_vacuum({pages})")
            (left,) = connection.execute("PRAGMA freelist_count").fetchone()
            if 0 < left < unused:
                return True
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()  # waits for nobody
        return False

    def close(self) -> None:
        """Leave one plain file, if nobody else reads it, and let the next writer in."""
        try:
            with suppress(sqlite3.Error):  # a reader in another process: then the -wal file stays beside it
                self._connection.execute("PRAGMA busy_timeout = 0")
                self._connection.execute("PRAGMA journal_mode = DELETE")
            self._connection.close()
        finally:
            self._lock.release()
