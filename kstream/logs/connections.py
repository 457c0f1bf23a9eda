"""How the file is opened: pragmas, what is checked before it is trusted, and SQLite's errors as ours."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final
from urllib.parse import quote

from kstream.core.errors import LogBusyError, LogError, LogFormatError, LogFullError
from kstream.logs import room, schema, structure

_BUSY_SECONDS: Final = 5.0
# What would run code of the file's own, or for ever, when a table of ours is read or written.
_STRANGE: Final = (
    "SELECT type, name FROM sqlite_master WHERE type = 'trigger' OR"
    f" (name COLLATE NOCASE IN ({', '.join(map(repr, schema.TABLES))}) AND (type != 'table' OR rootpage = 0))"
)
_WAL_LIMIT: Final = 16 * 1024 * 1024  # bytes that the -wal file keeps once it could be emptied


@contextmanager
def translated(path: Path, *, written: Path | None = None) -> Iterator[None]:
    """Errors of SQLite as LogError: which file, what is wrong with it, what to do; damage of a row with its file.

    `written`: where it is until it is whole and gets the name `path`. What is damaged then is what it is made of, and
    has said so.
    """
    try:
        yield
    except LogFormatError as error:
        if written is not None or str(error).startswith(str(path)):
            raise
        raise LogFormatError(f"{path}: {error}") from error
    except sqlite3.Error as error:
        raise _translation(path, error, written or path) from error
    except (
        UnicodeDecodeError
    ) as error:  # of a text that SQLite returns, or of its own words about a damaged schema
        raise LogFormatError(
            f"{path}: the event log is damaged ({error}); restore the file from a copy"
        ) from error


def _translation(path: Path, error: sqlite3.Error, written: Path) -> LogError:
    code = (
        getattr(error, "sqlite_errorcode", 0) & 0xFF
    )  # an extended code keeps the plain one in its low byte
    if code == sqlite3.SQLITE_FULL:
        waits = path.with_name(f"{path.name}-wal")
        size = f" of {waits.stat().st_size} bytes" if waits.exists() else ""
        return LogFullError(
            f"{path}: the event log cannot grow ({error}); make room{size} on the disk or raise its allowed size"
        )
    if code == sqlite3.SQLITE_IOERR and (why := room.refused(written)):
        return LogFullError(f"{path}: the event log cannot grow ({why})")
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return LogFormatError(f"{path}: the event log is damaged ({error}); restore the file from a copy")
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return LogBusyError(f"{path}: another program holds the event log locked; close it and try again")
    if code == sqlite3.SQLITE_READONLY:
        return LogError(
            f"{path}: the program that wrote the event log was killed and left it to be recovered; open it for"
            " writing once, for instance with kstream record"
        )
    if str(error).startswith(
        "Could not decode to UTF-8"
    ):  # with what it found, which is nobody's to read here
        return LogFormatError(
            f"{path}: the event log is damaged (a text in it is not UTF-8); restore the file from a copy"
        )
    if isinstance(error, sqlite3.DatabaseError) and "no such table" in str(error):
        return LogFormatError(f"{path}: the event log is damaged ({error}); restore the file from a copy")
    return LogError(f"{path}: the event log cannot be used ({error}); check the path, permissions and disk")


def connect_for_reading(path: Path) -> sqlite3.Connection:
    """A connection that cannot write, usable from any one thread at a time. Raises LogError.

    Raises LogFormatError if there is no log of a format we know at `path`.
    """
    if path.is_dir():
        raise LogError(f"{path}: not an event log of kstream: it is a folder; give the path of a log")
    if not path.is_file():
        raise LogError(f"{path}: there is no such event log; check the path")
    with translated(path):
        try:
            return _marked(path, "mode=ro")
        except sqlite3.OperationalError as error:
            # A log that was not closed wants a -shm file beside it, which a read-only folder does not take.
            # Without a -wal file there is nothing that could change under an immutable connection.
            if (
                error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_CANTOPEN
                or path.with_name(f"{path.name}-wal").exists()
            ):
                raise
            return _marked(path, "mode=ro&immutable=1")


def _marked(path: Path, options: str) -> sqlite3.Connection:
    connection = _connect(path, options)
    try:
        _check_marks(path, connection, allow_empty=False)
    except BaseException:
        connection.close()
        raise
    return connection


def connect_for_writing(path: Path, *, max_bytes: int | None, alone: bool = False) -> sqlite3.Connection:
    """The one connection that writes, migrated and inspected, unless the file is large. The caller holds the lock.

    `alone`: pages are changed in place, which takes no room on the disk, and must not be interrupted; a large file is
    inspected, too.
    Raises LogFormatError, with the file as it was, if it is no log, of a newer format, or damaged.
    """
    with translated(path):
        if path.exists():
            _probe(path)
        else:
            _make(path)
        connection = _connect(path, "mode=rwc")
        try:
            _prepare(path, connection, max_bytes=max_bytes, alone=alone)
        except BaseException:
            connection.close()
            raise
    return connection


def connect_for_making(path: Path) -> sqlite3.Connection:
    """A connection to a new log in the empty file `path`, which nobody else knows yet: it has no journal, and what is
    not finished is to be removed. Raises sqlite3.Error."""
    connection = _connect(path, "mode=rw")
    try:
        _lay_out(connection)
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")  # whoever gives it its name waits for the disk, once
        connection.execute("PRAGMA cache_size = -16000")  # kB
        schema.migrate(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _lay_out(connection: sqlite3.Connection) -> None:
    """Of a file that is still empty."""
    connection.execute("PRAGMA page_size = 8192")  # bodies of half a kilobyte: measured best of the sizes
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # retention gives space back


def _make(path: Path) -> None:
    """For its owner alone: what a log tells of a cluster is not for everybody who has an account here. What SQLite puts
    beside the file gets the same mode; a file that is there keeps its own."""
    with suppress(OSError):  # SQLite will say what is wrong
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _probe(path: Path) -> None:
    try:
        with closing(_connect(path, "mode=ro")) as probe:
            _check_marks(path, probe, allow_empty=True)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_READONLY:
            raise
        # A program that was killed left a journal, which whoever may write has to roll back first.
        with closing(_connect(path, "mode=rw")) as probe:
            _check_marks(path, probe, allow_empty=True)


def _prepare(path: Path, connection: sqlite3.Connection, *, max_bytes: int | None, alone: bool) -> None:
    if schema.format_of(connection) == 0:
        _lay_out(connection)
    elif alone or not structure.is_large(path) or schema.format_of(connection) < schema.FORMAT:
        structure.inspect(path, connection)
    # Before the migration: readers cope with a -wal file that a killed process left, not with its other journal.
    connection.execute(f"PRAGMA journal_mode = {'MEMORY' if alone else 'WAL'}")
    if alone:
        connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(
        "PRAGMA cache_size = -16000"
    )  # kB: a large transaction stays in memory until it is committed
    number = schema.format_of(connection)
    schema.migrate(connection, upto=max(number, schema.SPARING) if alone and number else schema.FORMAT)
    connection.execute(f"PRAGMA journal_size_limit = {_WAL_LIMIT}")
    if max_bytes is not None:
        (page,) = connection.execute("PRAGMA page_size").fetchone()
        connection.execute(f"PRAGMA max_page_count = {max(1, max_bytes // page)}")


def _connect(path: Path, options: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        # Of a path that begins with two slashes the first would be taken for a host.
        f"file://{quote(os.path.abspath(path))}?{options}",
        uri=True,
        timeout=_BUSY_SECONDS,
        isolation_level=None,  # transactions are begun and ended in so many words
        check_same_thread=False,
    )
    connection.execute("PRAGMA trusted_schema = OFF")
    return connection


def _check_marks(path: Path, connection: sqlite3.Connection, *, allow_empty: bool) -> None:
    """Is it a log, and of a format we know?"""
    try:
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_NOTADB:
            raise
        raise _no_log(path, "it is not an SQLite file", allow_empty) from error
    number = schema.format_of(connection)
    if application == 0 and tables == 0 and number == 0:
        if allow_empty:
            return
        raise _no_log(path, "it is empty", allow_empty)
    if application != schema.APPLICATION_ID:
        raise _no_log(path, "it is the SQLite file of another application", allow_empty)
    if (strange := connection.execute(_STRANGE).fetchone()) is not None:
        raise LogFormatError(
            f"{path}: the event log was tampered with: it has the {strange[0]} {strange[1]!r:.80}, which no kstream"
            " makes; restore the file from a copy"
        )
    if number > schema.FORMAT:
        raise LogFormatError(
            f"{path}: the event log has format {number}, this version of kstream knows up to"
            f" {schema.FORMAT}; use a newer kstream"
        )


def _no_log(path: Path, cause: str, or_new: bool) -> LogFormatError:
    remedy = "give the path of a log or of a new file" if or_new else "give the path of a log"
    return LogFormatError(f"{path}: not an event log of kstream: {cause}; {remedy}")
