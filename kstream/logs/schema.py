"""The format of a log file: its marks, tables and views, and the way from every older format to this one.

The whole of it is described for readers of such files in docs/log-format.md.
"""

from __future__ import annotations

import sqlite3
import struct
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

import sqlite_utils

from kstream.core.timeline.terms import Term
from kstream.logs import indexing, keyframes, rows

APPLICATION_ID: Final = 0x6B737472  # "kstr": tells a log from any other SQLite file
WITH_KEYFRAMES: Final = keyframes.FIRST_FORMAT
SPARING: Final = 5  # to which a file is led that shall only give room: an index wants some
WITH_BLOCKS: Final = 6  # the first format that has an index
FORMAT: Final = 6  # PRAGMA user_version; one more for each entry of MIGRATIONS

_ROWS: Final = 1000  # that a migration holds at a time

Migration = Callable[[sqlite_utils.Database], None]


def _tables(db: sqlite_utils.Database) -> None:
    """Format 1: what happened, and what is true of the whole file."""
    db.execute("""
        CREATE TABLE events (
            seq INTEGER PRIMARY KEY,
            time REAL NOT NULL,
            verb TEXT NOT NULL,
            kind TEXT NOT NULL,
            namespace TEXT NOT NULL,
            name TEXT NOT NULL,
            uid TEXT NOT NULL,
            version TEXT NOT NULL,
            body TEXT NOT NULL,
            crc INTEGER NOT NULL
        )""")
    db.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")
    db.execute("CREATE TABLE versions (stream TEXT PRIMARY KEY, version TEXT NOT NULL) WITHOUT ROWID")


def _keyframes(db: sqlite_utils.Database) -> None:
    """Format 2: keyframes, so that a state in the middle needs no fold from the start; and retention."""
    db.execute("""
        CREATE TABLE keyframes (
            seq INTEGER PRIMARY KEY,
            time REAL NOT NULL,
            objects INTEGER NOT NULL,
            refs BLOB NOT NULL
        )""")
    db.execute("""
        CREATE TABLE baseline (
            seq INTEGER PRIMARY KEY,
            time REAL NOT NULL,
            verb TEXT NOT NULL,
            kind TEXT NOT NULL,
            namespace TEXT NOT NULL,
            name TEXT NOT NULL,
            uid TEXT NOT NULL,
            version TEXT NOT NULL,
            body TEXT NOT NULL,
            crc INTEGER NOT NULL
        )""")


def _checksums(db: sqlite_utils.Database) -> None:
    """Format 3: whatever decides a state or a resume can be seen to be as it was written."""
    for table in ("meta", "versions"):
        pairs = rows.pairs(db.conn, table)
        db.table(table).add_column("crc", int, not_null_default=0)
        rows.put_pairs(db.conn, table, pairs)
    frames = keyframes.every(db.conn)
    db.table("keyframes").add_column("crc", int, not_null_default=0)
    if not frames:  # from format 1, or short
        found = db.conn.execute(f"SELECT {rows.COLUMNS} FROM events ORDER BY seq")
        frames = keyframes.LiveSet().apply(rows.events(found, rows.early_checksum))
    keyframes.insert(db.conn, frames)


def _terms(db: sqlite_utils.Database) -> None:
    """Format 4: who wrote from where on. What older formats hold is one term of its own."""
    db.execute("""
        CREATE TABLE terms (
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL,
            first INTEGER NOT NULL,
            crc INTEGER NOT NULL
        )""")
    if db.execute("SELECT seq FROM events UNION ALL SELECT seq FROM keyframes LIMIT 1").fetchone():
        rows.put_term(db.conn, Term(uuid.uuid4().hex, 1))


def _whole_checksums(db: sqlite_utils.Database) -> None:
    """Format 5: the checksum of an event covers its seq, time, verb and kind, and where each text ends.

    A row that is not as it was written gets one that does not match either: it is found when it is read, as before.
    """
    marked = "UPDATE {} SET crc = ? WHERE seq = ?"
    for table in ("baseline", "events"):
        after = -1
        while True:
            found = db.conn.execute(
                f"SELECT {rows.COLUMNS} FROM {table} WHERE seq > ? ORDER BY seq LIMIT {_ROWS}", (after,)
            ).fetchall()
            if not found:
                break
            after = found[-1][0]
            db.conn.executemany(marked.format(table), [(_whole(row), row[0]) for row in found])


def _whole(row: tuple[Any, ...]) -> int:
    *columns, crc = row
    try:
        whole = rows.whole_checksum(*columns)
        return whole if rows.early_checksum(*columns) == crc else ~whole
    except (TypeError, struct.error):  # of no column's type: it matches nothing
        return -1


def _blocks(db: sqlite_utils.Database) -> None:
    """Format 6: an index, so that one object, a timeline or a search needs no reading of all bodies."""
    db.execute("""
        CREATE TABLE blocks (
            seq INTEGER PRIMARY KEY,
            time REAL NOT NULL,
            uids BLOB NOT NULL,
            names BLOB NOT NULL,
            codes BLOB NOT NULL,
            bad INTEGER NOT NULL,
            refs BLOB NOT NULL,
            crc INTEGER NOT NULL
        )""")
    indexing.build(db.conn)


MIGRATIONS: Final[tuple[Migration, ...]] = (
    _tables,
    _keyframes,
    _checksums,
    _terms,
    _whole_checksums,
    _blocks,
)
"""MIGRATIONS[n] leads from format n to n + 1. Never edited once released: files of that format exist."""

TABLES: Final = ("events", "baseline", "keyframes", "meta", "versions", "terms", "blocks")

_STATUS = "json_extract(body, '$.status')"
# Rounded down, as everywhere else: strftime rounds to the nearest (`%f`).
_WHOLE = "CAST(time AS INTEGER)"
_MILLISECONDS = f"({_WHOLE} * 1000 + CAST(round((time - {_WHOLE}) * 1000000.0) AS INTEGER) / 1000)"
VIEWS: Final[Mapping[str, str]] = {
    "history": "SELECT * FROM baseline UNION ALL SELECT * FROM events",
    "objects": """
        SELECT kind, namespace, name, uid, version, max(seq) AS seq, time, verb, body
        FROM history GROUP BY kind, uid HAVING verb != 'DELETED'""",
    "pods": f"""
        SELECT namespace, name, {_STATUS} AS status, json_extract(body, '$.phase') AS phase,
            json_extract(body, '$.nodeName') AS node, json_extract(body, '$.creationTimestamp') AS created, uid, seq
        FROM objects WHERE kind = 'pod' ORDER BY namespace, name""",
    "nodes": f"""
        SELECT name, {_STATUS} AS status, json_extract(body, '$.role') AS role,
            json_extract(body, '$.capacity.cpu') AS cpu, json_extract(body, '$.capacity.memory') AS memory,
            json_extract(body, '$.capacity.pods') AS pods, uid, seq
        FROM objects WHERE kind = 'node' ORDER BY name""",
    "namespaces": f"""
        SELECT name, {_STATUS} AS status, uid, seq
        FROM objects WHERE kind = 'namespace' ORDER BY name""",
    "timeline": f"""
        SELECT seq, strftime('%Y-%m-%dT%H:%M:%S', {_MILLISECONDS} / 1000, 'unixepoch')
            || printf('.%03dZ', {_MILLISECONDS} % 1000) AS at, verb, kind, namespace, name,
            {_STATUS} AS status, json_extract(body, '$.nodeName') AS node
        FROM events ORDER BY seq""",
}
"""The last state of every object and the story, for people. Not data: made anew when they differ."""


def format_of(connection: sqlite3.Connection) -> int:
    """The format of the file: 0 for one that is still empty."""
    (number,) = connection.execute("PRAGMA user_version").fetchone()
    return int(number)


def migrate(connection: sqlite3.Connection, *, upto: int = FORMAT) -> None:
    """Lead the file from its format to `upto`, in one transaction: wholly done, or not begun."""
    db = sqlite_utils.Database(connection, execute_plugins=False)
    connection.execute("BEGIN IMMEDIATE")
    try:
        for number in range(format_of(connection), upto):
            MIGRATIONS[number](db)
            connection.execute(f"PRAGMA user_version = {number + 1}")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        if upto == FORMAT:
            _make_views(db)
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _make_views(db: sqlite_utils.Database) -> None:
    existing = {view.name: view.schema for view in db.views}
    wanted = {name: f"CREATE VIEW [{name}] AS {select.strip()}" for name, select in VIEWS.items()}
    if {name: _squeezed(sql) for name, sql in existing.items()} == {
        name: _squeezed(sql) for name, sql in wanted.items()
    }:
        return
    for name in existing:
        db.execute(f"DROP VIEW [{name}]")
    for sql in wanted.values():
        db.execute(sql)


def _squeezed(sql: str) -> str:
    return " ".join(sql.split())
