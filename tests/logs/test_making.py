"""A log that is made as a whole is as one that was written event by event."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from kstream.core.errors import LogFullError
from kstream.logs import making, schema
from kstream.logs.connections import connect_for_making
from kstream.logs.making import Made, Start, make
from kstream.logs.passage import passage
from kstream.logs.store import Store
from tests.logs.facts import history, shown
from tests.logs.files import contents, is_whole, state_at, stored, table


def copied(source: Path, out: Path, *, after: int | None = None) -> Made:
    out.touch()
    with passage(source, after=after) as found:
        start = Start(found.start.seq, found.start.time, found.state(found.start.seq))
        return make(out, out, found.status, start, found.events())


def test_of_the_same_events_it_is_the_same_log(tmp_path: Path) -> None:
    stored(tmp_path / "log.db", history(5000))
    assert copied(tmp_path / "log.db", tmp_path / "copy.db") == (0, 1, 5000)
    for name in schema.TABLES:
        assert table(tmp_path / "copy.db", name) == table(tmp_path / "log.db", name), name
    assert sorted(os.listdir(tmp_path)) == ["copy.db", "log.db"]


@pytest.mark.parametrize("before", [2, 2001, 5000, 5001])
def test_it_begins_with_a_state_as_a_trimmed_log_does(tmp_path: Path, before: int) -> None:
    stored(tmp_path / "log.db", history(5000))
    made = copied(tmp_path / "log.db", tmp_path / "copy.db", after=before - 1)
    stored(tmp_path / "log.db", (), before=before, term=False)
    assert (made.first, made.last, made.events) == (before, 5000, 5001 - before)
    assert made.objects == len(table(tmp_path / "log.db", "baseline"))
    assert contents(tmp_path / "copy.db") == contents(tmp_path / "log.db")
    assert is_whole(tmp_path / "copy.db")


def test_it_can_be_written_on(tmp_path: Path) -> None:
    changes = list(history(3000))
    stored(tmp_path / "log.db", changes[:1500])
    copied(tmp_path / "log.db", tmp_path / "copy.db", after=700)
    for name in ("log.db", "copy.db"):
        stored(tmp_path / name, changes[1500:])
    for seq in (700, 1501, 3000):
        assert shown(state_at(tmp_path / "copy.db", seq)) == shown(state_at(tmp_path / "log.db", seq))
    assert is_whole(tmp_path / "copy.db")


def test_a_log_of_no_known_cluster_makes_one(tmp_path: Path) -> None:
    store = Store(tmp_path / "log.db")
    store.close()
    assert copied(tmp_path / "log.db", tmp_path / "copy.db") == (0, 1, 0)
    assert contents(tmp_path / "copy.db") == contents(tmp_path / "log.db")


def test_a_disk_that_is_full_is_said_of_the_file_that_it_was_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(tmp_path / "log.db", history(3000))

    def full(path: Path) -> sqlite3.Connection:
        connection = connect_for_making(path)
        connection.execute("PRAGMA max_page_count = 30")
        return connection

    monkeypatch.setattr(making, "connect_for_making", full)
    with passage(tmp_path / "log.db") as found:
        (tmp_path / "part").touch()
        with pytest.raises(LogFullError, match=r"out\.db: the event log cannot grow"):
            make(tmp_path / "part", tmp_path / "out.db", found.status, Start(0, 0.0, ()), found.events())
