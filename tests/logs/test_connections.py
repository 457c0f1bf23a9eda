"""How a file is opened: what is refused before it is trusted, what is set, and SQLite's errors as ours."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from kstream.core.errors import LogBusyError, LogError, LogFormatError, LogFullError
from kstream.core.timeline.events import Event
from kstream.logs import rows, schema
from kstream.logs.connections import connect_for_reading, connect_for_writing, translated
from tests.logs.facts import BALLAST, history

EVENTS = [Event(seq, change) for seq, change in enumerate(history(100), 1)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


def written(path: Path, *, first: int = 1) -> None:
    with closing(connect_for_writing(path, max_bytes=None)) as connection:
        connection.execute("BEGIN")
        connection.executemany(rows.INSERT, rows.rows(EVENTS[first - 1 :]))
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = DELETE")


def changed(path: Path, script: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)


def pragma(connection: sqlite3.Connection, name: str) -> Any:
    (value,) = connection.execute(f"PRAGMA {name}").fetchone()
    return value


def free() -> int:
    """The number that the next file to be opened gets: a higher one than before says that something stayed open."""
    descriptor = os.open(os.devnull, os.O_RDONLY)
    os.close(descriptor)
    return descriptor


def refused(path: Path, says: str) -> None:
    """By whoever reads and by whoever writes, who leave it alone and let go of it."""
    content, beside, before = path.read_bytes(), sorted(path.parent.iterdir()), free()
    with pytest.raises(LogFormatError) as reading:
        connect_for_reading(path)
    with pytest.raises(LogFormatError) as writing:
        connect_for_writing(path, max_bytes=None)
    for error in (reading.value, writing.value):
        assert str(error).startswith(f"{path}: {says}")
    assert free() == before, "while the errors are still held"
    assert (path.read_bytes(), sorted(path.parent.iterdir())) == (content, beside)


@pytest.mark.parametrize(
    ("code", "kind", "says"),
    [
        (sqlite3.SQLITE_FULL, LogFullError, "the event log cannot grow (why); make room"),
        (sqlite3.SQLITE_CORRUPT, LogFormatError, "the event log is damaged (why); restore the file"),
        (sqlite3.SQLITE_CORRUPT_INDEX, LogFormatError, "the event log is damaged (why); restore the file"),
        (sqlite3.SQLITE_NOTADB, LogFormatError, "the event log is damaged (why); restore the file"),
        (sqlite3.SQLITE_BUSY, LogBusyError, "another program holds the event log locked"),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, LogBusyError, "another program holds the event log locked"),
        (sqlite3.SQLITE_LOCKED, LogBusyError, "another program holds the event log locked"),
        (sqlite3.SQLITE_READONLY, LogError, "the program that wrote the event log was killed"),
        (sqlite3.SQLITE_READONLY_ROLLBACK, LogError, "the program that wrote the event log was killed"),
        (sqlite3.SQLITE_IOERR, LogError, "the event log cannot be used (why); check the path"),
        (None, LogError, "the event log cannot be used (why); check the path"),
    ],
)
def test_an_error_of_sqlite_says_which_file_and_what_to_do(
    path: Path, code: int | None, kind: type[LogError], says: str
) -> None:
    error = sqlite3.OperationalError("why")
    if code is not None:
        error.sqlite_errorcode = code
    with pytest.raises(LogError) as told, translated(path):
        raise error
    assert type(told.value) is kind
    assert str(told.value).startswith(f"{path}: {says}")
    assert told.value.__cause__ is error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (sqlite3.OperationalError("no such table: events"), LogFormatError),
        (sqlite3.OperationalError("no such column: crc"), LogError),
        (sqlite3.InterfaceError("no such table: events"), LogError),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), LogFormatError),
    ],
)
def test_what_a_log_must_have_and_this_one_has_not_is_damage(
    path: Path, error: Exception, kind: type[LogError]
) -> None:
    with pytest.raises(LogError) as told, translated(path):
        raise error
    assert type(told.value) is kind
    assert str(error) in str(told.value)


def test_what_is_no_error_of_sqlite_stays_what_it_is(path: Path) -> None:
    with pytest.raises(KeyError), translated(path):
        raise KeyError("other")
    with translated(path):
        pass


def test_a_new_file_is_for_its_owner_alone(path: Path) -> None:
    mask = os.umask(0)
    try:
        connect_for_writing(path, max_bytes=None).close()
    finally:
        os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_is_set_up_for_a_writer(path: Path) -> None:
    with closing(connect_for_writing(path, max_bytes=None)) as connection:
        assert {
            name: pragma(connection, name)
            for name in (
                "page_size",
                "auto_vacuum",
                "journal_mode",
                "synchronous",
                "cache_size",
                "journal_size_limit",
                "busy_timeout",
                "trusted_schema",
                "user_version",
                "max_page_count",
            )
        } == {
            "page_size": 8192,
            "auto_vacuum": 2,
            "journal_mode": "wal",
            "synchronous": 1,
            "cache_size": -16000,
            "journal_size_limit": 16_777_216,
            "busy_timeout": 5000,
            "trusted_schema": 0,
            "user_version": schema.FORMAT,
            "max_page_count": pragma(connection, "max_page_count = 0"),
        }
        assert pragma(connection, "max_page_count") > 1_000_000_000


@pytest.mark.parametrize(("most", "pages"), [(1_000_000, 122), (819_200, 100), (819_199, 99)])
def test_a_file_grows_to_so_many_whole_pages(path: Path, most: int, pages: int) -> None:
    with closing(connect_for_writing(path, max_bytes=most)) as connection:
        assert pragma(connection, "max_page_count") == pages


def test_a_file_that_may_not_even_hold_its_tables_is_full(path: Path) -> None:
    with closing(connect_for_writing(path, max_bytes=1)) as connection:
        assert pragma(connection, "max_page_count") == pragma(connection, "page_count")
        with pytest.raises(LogFullError, match=r"log\.db: the event log cannot grow"), translated(path):
            connection.executemany(rows.INSERT, rows.rows(EVENTS))


def test_a_file_that_is_there_keeps_the_size_of_its_pages(path: Path) -> None:
    changed(path, "PRAGMA page_size = 4096; VACUUM")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        schema.migrate(connection)
    with closing(connect_for_writing(path, max_bytes=819_200)) as connection:
        assert (pragma(connection, "page_size"), pragma(connection, "max_page_count")) == (4096, 200)


def test_a_connection_for_reading_cannot_write(path: Path) -> None:
    written(path)
    with closing(connect_for_reading(path)) as connection:
        assert (pragma(connection, "busy_timeout"), pragma(connection, "trusted_schema")) == (5000, 0)
        assert rows.span(connection, 0, 100) == EVENTS
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            connection.execute("DELETE FROM events")


def test_where_there_is_no_file_there_is_no_log(path: Path) -> None:
    with pytest.raises(LogError) as told:
        connect_for_reading(path)
    assert str(told.value) == f"{path}: there is no such event log; check the path"


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(LogError, match=r"nowhere/log\.db: the event log cannot be used \(unable to open"):
        connect_for_writing(tmp_path / "nowhere" / "log.db", max_bytes=None)


def test_what_is_no_sqlite_file_is_refused(path: Path) -> None:
    path.write_text("some words " * 1000)
    refused(path, "not an event log of kstream: it is not an SQLite file; give the path of a log")


def test_the_start_of_a_log_that_is_overwritten_is_damage(path: Path) -> None:
    written(path)
    content = bytearray(path.read_bytes())
    content[100:200] = b"\xff" * 100  # behind the header: the list of the tables
    path.write_bytes(content)
    refused(path, "the event log is damaged (")


@pytest.mark.parametrize(
    "script",
    [
        "CREATE TABLE t (x)",
        "PRAGMA application_id = 1",
        "PRAGMA application_id = 0; PRAGMA user_version = 5",
        "PRAGMA application_id = 1; CREATE TABLE t (x)",
        "PRAGMA user_version = 1; CREATE TABLE t (x)",
        "PRAGMA application_id = 1; PRAGMA user_version = 1",
    ],
)
def test_the_file_of_another_application_is_refused(path: Path, script: str) -> None:
    changed(path, script)
    refused(path, "not an event log of kstream: it is the SQLite file of another application")


@pytest.mark.parametrize("kind", ["no bytes", "no tables"])
def test_an_empty_file_is_none_for_reading_and_becomes_one_for_writing(path: Path, kind: str) -> None:
    path.touch()
    if kind == "no tables":
        changed(path, "CREATE TABLE t (x); DROP TABLE t")
    with pytest.raises(LogFormatError, match=r"log\.db: not an event log of kstream: it is empty"):
        connect_for_reading(path)
    connect_for_writing(path, max_bytes=None).close()
    connect_for_reading(path).close()


def test_a_newer_format_is_refused(path: Path) -> None:
    written(path)
    changed(path, f"PRAGMA user_version = {schema.FORMAT + 1}")
    refused(
        path,
        f"the event log has format {schema.FORMAT + 1}, this version of kstream knows up to {schema.FORMAT};",
    )


@pytest.mark.parametrize("table", ["events", "baseline", "keyframes", "meta", "versions", "terms"])
@pytest.mark.parametrize("crafted", ["CREATE VIEW {} AS SELECT 1", "CREATE VIRTUAL TABLE {} USING fts5(x)"])
def test_what_has_the_name_of_a_table_and_is_none_is_refused(path: Path, table: str, crafted: str) -> None:
    written(path)
    with closing(sqlite3.connect(path)) as connection:
        for name in schema.VIEWS:
            connection.execute(f"DROP VIEW {name}")
        connection.execute(f"DROP TABLE {table}")
        connection.execute(crafted.format(table.upper()))
    kind = crafted.split()[1].lower().replace("virtual", "table")
    refused(
        path, f"the event log was tampered with: it has the {kind} '{table.upper()}', which no kstream makes"
    )


def test_a_trigger_is_refused(path: Path) -> None:
    written(path)
    changed(path, "CREATE TRIGGER t AFTER INSERT ON events BEGIN DELETE FROM events; END")
    refused(path, "the event log was tampered with: it has the trigger 't', which no kstream makes")


def write(path: Path) -> None:
    connect_for_writing(path, max_bytes=None).close()


def test_a_gap_between_the_events_is_damage_for_a_writer(path: Path) -> None:
    written(path)
    changed(path, "DELETE FROM events WHERE seq = 50")
    before = free()
    with pytest.raises(LogFormatError, match="events 1 to 100 are only 99"):
        write(path)
    assert free() == before


def test_a_page_that_is_overwritten_is_damage_for_a_writer(path: Path) -> None:
    written(path)
    with closing(sqlite3.connect(path)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'baseline'").fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * 8192)
        file.write(b"\xff" * 100)
    with pytest.raises(LogFormatError, match=r"log\.db: the event log is damaged \(\*\*\* in database main"):
        write(path)


def test_a_large_file_is_not_read_before_it_is_written_but_is_by_whoever_has_it_alone(path: Path) -> None:
    written(path)
    changed(path, BALLAST)
    changed(path, "DELETE FROM events WHERE seq = 50")
    write(path)
    with pytest.raises(LogFormatError, match="events 1 to 100 are only 99"):
        connect_for_writing(path, max_bytes=None, alone=True)


def test_a_large_file_of_an_older_format_is_read_before_it_is_migrated(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        schema.migrate(connection, upto=3)
    changed(path, BALLAST)
    with closing(sqlite3.connect(path)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'baseline'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * 100)
    content = path.read_bytes()
    with pytest.raises(LogFormatError, match=r"the event log is damaged \("):
        write(path)
    assert path.read_bytes() == content


def test_a_log_that_was_not_closed_is_read_where_nothing_can_be_put_beside_it(path: Path) -> None:
    written(path)
    changed(path, "PRAGMA journal_mode = WAL")
    for end in ("-wal", "-shm"):  # as good as a folder that is read-only, for root too
        path.with_name(f"log.db{end}").symlink_to("nowhere")
    with closing(connect_for_reading(path)) as connection:
        assert rows.span(connection, 0, 100) == EVENTS


def test_but_not_where_its_end_is_in_the_file_beside_it(path: Path) -> None:
    written(path)
    changed(path, "PRAGMA journal_mode = WAL")
    path.with_name("log.db-shm").symlink_to("nowhere")
    path.with_name("log.db-wal").write_bytes(b"the end")
    with pytest.raises(LogError, match=r"the event log cannot be used \(unable to open database file\)"):
        connect_for_reading(path)


def killed_in(path: Path, statement: str) -> Path:
    """A copy as its writer leaves it who dies in a transaction, with the journal that SQLite had before -wal files."""
    left = path.with_name("left.db")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA cache_size = 1")  # what is changed goes to the disk at once
        connection.execute("BEGIN")
        connection.execute(statement)
        for end in ("", "-journal"):
            shutil.copy(f"{path}{end}", f"{left}{end}")
        connection.execute("ROLLBACK")
    assert left.read_bytes() != path.read_bytes()
    return left


LARGE = "printf('%.300000c', 'x')"


@pytest.fixture
def killed(path: Path) -> Path:
    written(path)
    return killed_in(path, f"UPDATE events SET name = name || 'x', body = body || {LARGE}")


def test_what_a_killed_writer_left_is_not_read_before_it_is_recovered(killed: Path) -> None:
    before = killed.read_bytes()
    with pytest.raises(
        LogError, match=r"left\.db: the program that wrote the event log was killed and left it"
    ):
        connect_for_reading(killed)
    assert killed.read_bytes() == before


def test_what_a_killed_writer_left_is_recovered_by_the_next_one(killed: Path) -> None:
    with closing(connect_for_writing(killed, max_bytes=None)) as connection:
        assert rows.span(connection, 0, 100) == EVENTS
    assert not killed.with_name("left.db-journal").exists()


def test_what_a_killed_program_left_that_is_none_of_ours_is_refused(path: Path) -> None:
    changed(path, "CREATE TABLE t (x)")
    left = killed_in(path, f"INSERT INTO t VALUES ({LARGE})")
    with pytest.raises(LogFormatError, match="it is the SQLite file of another application"):
        connect_for_writing(left, max_bytes=None)


def test_a_file_that_its_writer_died_over_before_anything_was_in_it_becomes_a_log(path: Path) -> None:
    left = killed_in(path, f"CREATE TABLE t AS SELECT {LARGE} AS x")
    connect_for_writing(left, max_bytes=None).close()
    connect_for_reading(left).close()


def test_a_path_may_have_what_a_url_gives_a_meaning(path: Path) -> None:
    path = path.with_name("a?b#c%41 d.db")
    written(path)
    assert sorted(each.name for each in path.parent.iterdir()) == [path.name]
    connect_for_reading(path).close()
