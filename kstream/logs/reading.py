"""Reading a log file: what is true of it as a whole, spans of events, and the state at a point."""

from __future__ import annotations

import gc
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from kstream.core.errors import DivergedError, LogFormatError
from kstream.core.timeline.events import Event
from kstream.core.timeline.health import ClusterInfo
from kstream.core.timeline.retention import Holding
from kstream.core.timeline.state import ClusterState, Entry
from kstream.core.timeline.terms import Term
from kstream.logs import keyframes, rows, schema
from kstream.logs.entries import entries
from kstream.logs.refusals import check_range
from kstream.logs.touched import Touched, touched


class Status(NamedTuple):
    """What is true of the file as a whole, at one moment."""

    epoch: str
    terms: Sequence[Term]
    head: int
    oldest: int
    cluster: ClusterInfo | None
    versions: Mapping[str, str]
    meta: Mapping[str, str]  # what the creator of the log left in it: key → JSON text


def status(path: Path, connection: sqlite3.Connection) -> Status:
    """Raises LogFormatError if the file lacks what every log has."""
    with snapshot(connection):
        meta = rows.pairs(connection, "meta")
        versions = rows.pairs(connection, "versions")
        first, last = connection.execute("SELECT min(seq), max(seq) FROM events").fetchone()
        terms = rows.terms(connection) if schema.format_of(connection) >= 4 else []
        kept = None
        if has_keyframes(connection):
            (kept,) = connection.execute("SELECT max(seq) FROM keyframes").fetchone()
    head = max(last or 0, kept or 0)
    try:
        epoch = json.loads(meta.pop("epoch"))
        cluster = ClusterInfo(**json.loads(meta.pop("cluster"))) if "cluster" in meta else None
    except (KeyError, ValueError, TypeError) as error:
        raise LogFormatError(f"{path}: the event log is damaged: its table `meta` says no {error}") from error
    # An older file that is only read has one writer, as far as anybody knows.
    terms = terms or [Term(epoch, 1)]
    return Status(epoch, terms, head, head + 1 if first is None else first, cluster, versions, meta)


def holding(connection: sqlite3.Connection) -> Holding:
    """How much there is; of the objects, how many there were at the last keyframe."""
    with snapshot(connection):
        oldest, last = connection.execute("SELECT min(seq), max(seq) FROM events").fetchone()
        kept, objects = connection.execute(
            "SELECT seq, objects FROM keyframes UNION ALL SELECT 0, 0 ORDER BY seq DESC LIMIT 1"
        ).fetchone()
        head = last or kept
        oldest = oldest or head + 1
        moved = connection.execute("SELECT objects FROM keyframes WHERE seq = ?", (oldest - 1,)).fetchone()
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        (unused,) = connection.execute("PRAGMA freelist_count").fetchone()
        (page,) = connection.execute("PRAGMA page_size").fetchone()
    return Holding(oldest, head, objects, moved[0] if moved else 0, (pages - unused) * page)


def state_at(connection: sqlite3.Connection, seq: int) -> ClusterState:
    """The fold of the events up to and with `seq`. Raises LogTrimmedError, and LogFormatError for damage."""
    return state_and_objects(connection, seq, known={})[0]


def state_and_objects(
    connection: sqlite3.Connection, seq: int, *, known: Mapping[int, Entry]
) -> tuple[ClusterState, Mapping[int, Entry]]:
    """The same, and its objects by the events that last touched them, of which those that are `known` are not read
    again; none where all had to be folded."""
    state = ClusterState()
    objects: Mapping[int, Entry] = {}
    with snapshot(connection), _uncollected():
        check_kept(connection, seq)
        frame = keyframes.nearest(connection, seq) if has_keyframes(connection) else None
        indexed = schema.format_of(connection) >= schema.WITH_BLOCKS
        found = touched(connection, frame, seq) if frame is not None and indexed else None
        try:
            if found is not None:
                objects = _objects(connection, found, known)
                state.fill(list(map(objects.__getitem__, found.refs)), seq=seq, time=found.time)
            elif frame is not None:
                changes = (event.change for event in referred(connection, frame.refs))
                state.load(changes, seq=frame.seq, time=frame.time)
            for event in rows.span(connection, state.seq, seq):
                state.apply(event)
        except DivergedError as error:
            raise LogFormatError(f"the event log is damaged: {error}") from error
    return state, objects


def _objects(
    connection: sqlite3.Connection, found: Touched, known: Mapping[int, Entry]
) -> Mapping[int, Entry]:
    """By the events `found`."""
    read = {**known, **found.known}
    read.update(entries(connection, [ref for ref in found.refs if ref not in read] if read else found.refs))
    return read if len(read) == len(found.refs) else {ref: read[ref] for ref in found.refs}


def live_at(connection: sqlite3.Connection, seq: int) -> keyframes.LiveSet:
    """The same fold, of seqs only, as the writer needs it."""
    live = keyframes.LiveSet()
    with snapshot(connection):
        frame = keyframes.nearest(connection, seq) if has_keyframes(connection) else None
        if frame is not None:
            found = rows.picked(connection, frame.refs, "seq, kind, uid")
            try:
                live.load(frame.seq, frame.time, found)
            except ValueError as error:  # a kind that there is not
                raise LogFormatError(
                    f"the event log is damaged: {error}; restore the file from a copy"
                ) from error
        # Their bodies too: a keyframe that is made of a row which is not as it was written would pass for whole.
        later = connection.execute(
            f"SELECT {rows.COLUMNS} FROM events WHERE seq > ? AND seq <= ? ORDER BY seq", (live.seq, seq)
        )
        live.apply(rows.events(later, rows.checksum_of(connection)))
    return live


def span(connection: sqlite3.Connection, after: int, upto: int) -> Sequence[Event]:
    """The events with after < seq <= upto. Raises LogTrimmedError, and LogFormatError for damage."""
    with snapshot(connection):
        check_kept(connection, after)
        return rows.span(connection, after, upto)


def check_kept(connection: sqlite3.Connection, after: int) -> None:
    """Raises LogTrimmedError if event after + 1 was dropped: what a reader knew of the log may be old."""
    if not has_keyframes(connection):
        return
    (oldest,) = connection.execute(
        "SELECT coalesce((SELECT min(seq) FROM events), (SELECT max(seq) FROM keyframes) + 1)"
    ).fetchone()
    if oldest is None or after + 1 >= oldest:
        return
    # Retention leaves the state before the first event that it keeps; without it the beginning is damaged.
    if connection.execute("SELECT 1 FROM keyframes WHERE seq = ?", (oldest - 1,)).fetchone():
        check_range(after, after, oldest=oldest, head=oldest)


def referred(connection: sqlite3.Connection, refs: Sequence[int]) -> Iterator[Event]:
    """The events that a keyframe refers to, in its order. Raises LogFormatError for one that is missing or damaged."""
    return rows.events(rows.picked(connection, refs, rows.COLUMNS), rows.checksum_of(connection))


def has_keyframes(connection: sqlite3.Connection) -> bool:
    """And a baseline: an older file that is only read is not migrated."""
    return schema.format_of(connection) >= schema.WITH_KEYFRAMES


@contextmanager
def _uncollected() -> Iterator[None]:
    """No garbage collection for the moment: it would go through a growing state again and again, for nothing."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """Everything that is read inside is of one moment."""
    if connection.in_transaction:
        yield
        return
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("COMMIT")
