"""The objects of a state from their rows: as they were written, or it is said which is not."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from kstream.core.errors import LogFormatError
from kstream.core.timeline.events import Event
from kstream.core.timeline.state import ClusterState
from kstream.logs import rows, schema
from kstream.logs.entries import entries
from tests.logs.facts import history

COUNT = 1200  # more than are read at a time
COLUMNS = "time, verb, kind, namespace, name, uid, version, body, crc"  # of any type: what damage may leave
EVENTS = [Event(seq, change) for seq, change in enumerate(history(COUNT), 1)]


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as made:
        schema.migrate(made)
        made.executemany(rows.INSERT, rows.rows(EVENTS))
        yield made


@pytest.mark.parametrize("oldest", [1, 700, COUNT + 1])
def test_they_are_found_wherever_retention_has_put_them(connection: sqlite3.Connection, oldest: int) -> None:
    connection.execute("INSERT INTO baseline SELECT * FROM events WHERE seq < ?", (oldest,))
    connection.execute("DELETE FROM events WHERE seq < ?", (oldest,))
    state = ClusterState()
    refs: dict[object, int] = {}
    for event in EVENTS:
        state.apply(event)
        refs[event.change.key] = event.seq
    wanted = {refs[entry.key]: entry for entry in state}
    assert entries(connection, wanted) == wanted
    assert list(entries(connection, wanted)) == sorted(wanted)
    assert entries(connection, []) == {}


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        ("version = '7'", "its checksum does not match"),
        ("verb = 'ADDED', kind = 'pot'", "its checksum does not match"),
        ("body = NULL", "TypeError"),
        ("crc = NULL", "its checksum does not match"),
        ("time = 'now'", "error"),
    ],
)
@pytest.mark.parametrize("seq", [1, 700, COUNT])
def test_one_that_is_not_as_it_was_written_is_named(seq: int, damage: str, says: str) -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute(
            "CREATE TABLE events (seq INTEGER PRIMARY KEY, time, verb, kind, namespace, name, uid, version, body, crc)"
        )
        connection.execute("CREATE TABLE baseline AS SELECT * FROM events")
        connection.executemany(rows.INSERT, rows.rows(EVENTS))
        connection.execute(f"UPDATE events SET {damage} WHERE seq = ?", (seq,))
        with pytest.raises(LogFormatError, match=f"event {seq} is not as it was written .*{says}"):
            entries(connection, range(1, COUNT + 1))


@pytest.mark.parametrize("seq", [1, 700, COUNT])
def test_one_that_is_missing_is_named(connection: sqlite3.Connection, seq: int) -> None:
    connection.execute("DELETE FROM events WHERE seq = ?", (seq,))
    with pytest.raises(LogFormatError, match=f"event {seq}, which a keyframe needs, is missing"):
        entries(connection, range(1, COUNT + 1))


@pytest.mark.parametrize("time", [1e15, -1e15])
def test_a_time_that_has_no_date_is_damage(connection: sqlite3.Connection, time: float) -> None:
    crc = rows.whole_checksum(1, time, "ADDED", "pod", "shop", "web", "u", "1", b"{}")
    connection.execute("DELETE FROM events WHERE seq = 1")
    connection.execute(rows.INSERT, (1, time, "ADDED", "pod", "shop", "web", "u", "1", "{}", crc))
    with pytest.raises(LogFormatError, match=r"event 1 .* which has no date"):
        entries(connection, [1, 2])
