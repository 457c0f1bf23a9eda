"""Where the index of a log comes from: blocks that are kept, and blocks that are made of events that none has yet."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Final

from kstream.core.timeline.blocks import Block
from kstream.core.timeline.wellness import is_unwell
from kstream.logs import keyframes, rows
from kstream.logs.blocks import LENGTH, Indexer, Row, insert, kept, last, refs_of

_ROWS: Final = 1000  # that are held at a time
_SPAN: Final = "SELECT * FROM events WHERE seq > ? AND seq <= ? ORDER BY seq"


def index_at(connection: sqlite3.Connection, seq: int) -> Indexer:
    """What the writer goes on from after event `seq`. Raises LogFormatError for damage."""
    index = base(connection, last(connection, seq))
    index.apply(connection.execute(_SPAN, (index.start, seq)).fetchall())
    return index


def blocks(
    connection: sqlite3.Connection, after: int, upto: int, *, indexed: bool, whole: bool = True
) -> Iterator[Block]:
    """Those that hold the events with after < seq <= upto; the first may begin earlier, the last be a short one.

    `indexed`: the file has blocks. In an older one each is made of its events; not `whole`: only those that need not be
    made. Raises LogFormatError for damage.
    """
    reached: Block | None = None
    if indexed:
        for reached in kept(connection, after, upto):
            yield reached
        if reached is None and whole:
            reached = last(connection, after)
    if not whole:
        return
    index = base(connection, reached)
    for start in range(index.start, upto, _ROWS):
        made = index.apply(_rows(connection, start, min(start + _ROWS, upto)))
        yield from (block for block in made if block.seq > after)
    if index.start < upto:
        yield index.cut()


def _rows(connection: sqlite3.Connection, after: int, upto: int) -> list[Row]:
    """As they are in the file: whether they are as they were written shows when they are read. Raises LogFormatError"""
    found = connection.execute(_SPAN, (after, upto)).fetchall()
    if len(found) != upto - after:
        raise rows.missing(after, upto, len(found))
    return found


def build(connection: sqlite3.Connection) -> None:
    """Make the blocks of a file that has none, within the caller's transaction.

    Rows that are not as they were written are passed over: they are found when they are read, as before.
    """
    index = base(connection, None)
    while found := connection.execute(
        "SELECT * FROM events WHERE seq > ? ORDER BY seq LIMIT ?", (index.reached, _ROWS)
    ).fetchall():
        insert(connection, index.apply(found))


def base(connection: sqlite3.Connection, block: Block | None, *, length: int = LENGTH) -> Indexer:
    """After a block, or before the first event that is kept. Raises LogFormatError for damage."""
    if block is not None:
        named = rows.picked(connection, refs_of(block), "seq, kind, uid")
        return Indexer(block.seq, block.time, [(seq, (kind, uid)) for seq, kind, uid in named], length=length)
    (oldest,) = connection.execute("SELECT min(seq) FROM events").fetchone()
    frame = None if oldest == 1 else _first(connection, oldest)
    if frame is None:
        return Indexer(length=length)
    found = rows.picked(connection, frame.refs, "seq, kind, uid, body")
    bad = [(seq, (kind, uid)) for seq, kind, uid, body in found if is_unwell(body)]
    return Indexer(frame.seq, frame.time, bad, length=length)


def _first(connection: sqlite3.Connection, oldest: int | None) -> keyframes.Keyframe | None:
    """What retention left of what was before the first event."""
    (number,) = connection.execute("PRAGMA user_version").fetchone()
    if number < keyframes.FIRST_FORMAT:
        return None
    return keyframes.nearest(connection, (oldest or 1 << 62) - 1)
