"""What is found when a whole file is read."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from kstream.core.errors import LogFormatError
from kstream.core.timeline.events import Event
from kstream.logs import rows, schema
from kstream.logs.structure import inspect, is_large
from tests.logs.facts import history


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None)) as made:
        schema.migrate(made)
        made.executemany(
            rows.INSERT, rows.rows([Event(seq, fact) for seq, fact in enumerate(history(100), 1)])
        )
        yield made


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("DELETE FROM events WHERE seq = 50", "events 1 to 100 are only 99"),
        ("DELETE FROM events WHERE seq > 1 AND seq < 100", "events 1 to 100 are only 2"),
        ("DELETE FROM events WHERE seq < 5 OR seq = 99", "events 5 to 100 are only 95"),
        ("DELETE FROM events WHERE seq NOT IN (1, 3)", "events 1 to 3 are only 2"),
    ],
)
def test_a_gap_between_the_events_is_damage(
    path: Path, connection: sqlite3.Connection, script: str, says: str
) -> None:
    connection.execute(script)
    with pytest.raises(LogFormatError) as told:
        inspect(path, connection)
    assert str(told.value) == f"{path}: the event log is damaged ({says}); restore the file from a copy"


@pytest.mark.parametrize("kept", ["seq > 0", "seq > 40", "seq < 40", "seq = 1", "seq = 50", "seq < 0"])
def test_events_without_a_gap_are_none_wherever_they_begin(
    path: Path, connection: sqlite3.Connection, kept: str
) -> None:
    connection.execute(f"DELETE FROM events WHERE NOT {kept}")
    inspect(path, connection)


def test_a_file_is_large_from_64_mib_on(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(64 * 1024 * 1024)
        before = is_large(path)
        file.truncate(64 * 1024 * 1024 + 1)
        assert (before, is_large(path)) == (False, True)


def test_what_is_not_there_is_not_large(path: Path) -> None:
    assert not is_large(path)
