"""Whether a log is as it was written, from its pages to its keyframes: all of it is read."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

from kstream.core.errors import DivergedError, LogError, LogFormatError
from kstream.core.timeline.events import Event
from kstream.core.timeline.state import ClusterState
from kstream.logs import blocks, indexing, keyframes, reading, rows, schema, structure
from kstream.logs.connections import connect_for_reading, translated

_AT_ONCE: Final = 2000  # events in memory
_ENDLESS: Final = 1 << 62

Progress = Callable[[int, int], None]
"""Hears how many events were read, of how many."""


class Finding(NamedTuple):
    """`what` was looked at; `wrong`: what is wrong with it, "" for nothing."""

    what: str
    wrong: str


def verify(path: Path, progress: Progress = lambda _done, _of: None) -> list[Finding]:
    """Its structure, its table `meta`, its terms, its events, and that its keyframes and its index are those of these.

    Raises LogError where there is no log that can be read at all. Blocks; of a file that is written meanwhile it sees
    what is there now.
    """
    with translated(path), closing(connect_for_reading(path)) as connection:
        connection.execute("BEGIN")
        return [
            _tried("structure", lambda: structure.inspect(path, connection)),
            _tried("meta and terms", lambda: _check_terms(reading.status(path, connection))),
            _tried("events", lambda: _check_events(connection, progress)),
            _tried("keyframes", lambda: _check_keyframes(connection)),
            _tried("index", lambda: _check_index(connection)),
        ]


def _tried(what: str, look: Callable[[], object]) -> Finding:
    try:
        look()
    except (LogError, DivergedError, sqlite3.DatabaseError) as error:
        return Finding(what, str(error))
    return Finding(what, "")


def _check_terms(status: reading.Status) -> None:
    last = status.terms[-1]
    if last.first > status.head + 1:
        raise LogFormatError(
            f"the term {last.id} begins with event {last.first}, and the log ends with {status.head}"
        )


def _check_events(connection: sqlite3.Connection, progress: Progress) -> None:
    """Each as it was written, without a gap, and one history."""
    first, last = connection.execute("SELECT min(seq), max(seq) FROM events").fetchone()
    if first is None:
        return
    state = ClusterState()
    before = keyframes.nearest(connection, first - 1) if first > 1 else None
    if before is not None and before.seq == first - 1:
        state = reading.state_at(connection, first - 1)
    elif first > 1:
        raise LogFormatError(f"the log begins with event {first}, and the state before it is missing")
    for event in _events(connection, first - 1, last):
        state.apply(event)
        if event.seq % _AT_ONCE == 0:
            progress(event.seq - first + 1, last - first + 1)
    progress(last - first + 1, last - first + 1)


def _check_keyframes(connection: sqlite3.Connection) -> None:
    """Each is the fold of the events up to it."""
    if schema.format_of(connection) < schema.WITH_KEYFRAMES:
        return
    kept = keyframes.every(connection)
    if not kept:
        return
    live = reading.live_at(connection, kept[0].seq)
    for frame in kept:
        live.apply(_events(connection, live.seq, frame.seq))
        if live.keyframe() != frame:
            raise LogFormatError(f"keyframe {frame.seq} is not the fold of the events before it")


def _check_index(connection: sqlite3.Connection) -> None:
    """Each block is what is made of its events."""
    if schema.format_of(connection) < schema.WITH_BLOCKS:
        return
    index = indexing.base(connection, None, length=_ENDLESS)
    for block in blocks.kept(connection, index.start, _ENDLESS):
        if block.first > index.start + 1:
            raise LogFormatError(f"the index begins with event {block.first}, not with {index.start + 1}")
        index.apply(rows.rows(_events(connection, index.start, block.seq)))
        made = index.cut()
        # Of the first one retention may have dropped the beginning.
        if (
            not block.codes.endswith(made.codes)
            or not block.uids.endswith(made.uids)
            or not block.names.endswith(made.names)
            or (block.time, blocks.refs_of(block)) != (made.time, blocks.refs_of(made))
        ):
            raise LogFormatError(f"block {block.seq} of the index is not that of its events")


def _events(connection: sqlite3.Connection, after: int, upto: int) -> Iterator[Event]:
    for start in range(after, upto, _AT_ONCE):
        yield from rows.span(connection, start, min(start + _AT_ONCE, upto))
