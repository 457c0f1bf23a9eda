"""Whoever goes from moment to moment is told what the file says of each, read or kept."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kstream.core.errors import LogFormatError, LogTrimmedError
from kstream.core.timeline.events import Event
from kstream.core.timeline.state import ClusterState
from kstream.logs import reading, recent
from kstream.logs.recent import Recent
from kstream.logs.store import Change, Store
from tests.logs.facts import churn, shown

COUNT, HEAD = 3000, 1 << 40
NEAR = 200 // 4  # events: there are 200 pods
CHANGES = list(churn(COUNT))


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recent") / "log.db"
    store = Store(path)
    store.commit([Change(CHANGES, {})])
    store.close()
    return path


@pytest.fixture
def connection(log: Path) -> Iterator[sqlite3.Connection]:
    """A copy in memory: what is done to it stays in the test."""
    with closing(sqlite3.connect(log)) as source, closing(sqlite3.connect(":memory:")) as made:
        source.backup(made)
        made.isolation_level = None
        yield made


def read(connection: sqlite3.Connection, looks: Recent, seq: int) -> ClusterState:
    found = looks.state_at(connection, seq, head=HEAD)
    assert shown(found) == shown(reading.state_at(connection, seq))
    return found


def damage(connection: sqlite3.Connection, seq: int) -> None:
    connection.execute("UPDATE events SET body = 'x' WHERE seq = ?", (seq,))


def in_both(first: int, second: int) -> int:
    """An event that last touched a pod at both moments."""
    touched: dict[str, int] = {}
    for seq, change in enumerate(CHANGES[:second], 1):
        touched[change.key.uid] = seq
    return max(
        ref for ref in touched.values() if ref <= first and ref > 1000 and CHANGES[ref - 1].verb != "DELETED"
    )


@settings(max_examples=12)
@given(st.lists(st.integers(-3 * NEAR, 3 * NEAR), min_size=1, max_size=12))
def test_wherever_one_goes_it_is_the_state_of_there(log: Path, steps: list[int]) -> None:
    looks, seq = Recent(), 1500
    with closing(sqlite3.connect(log, isolation_level=None)) as connection:
        for step in steps:
            seq += step
            read(connection, looks, seq)


@pytest.mark.parametrize("then", [2000 + NEAR, 2000 + NEAR + 1, 2000, 2000 - NEAR, 2000 - NEAR - 1])
def test_what_was_read_is_not_read_again(connection: sqlite3.Connection, then: int) -> None:
    looks = Recent()
    for seq in (1900, 2000):
        read(connection, looks, seq)
    wanted = shown(reading.state_at(connection, then))
    damage(connection, in_both(1990 - NEAR * 2, 2000 + NEAR * 2))
    with pytest.raises(LogFormatError):
        reading.state_at(connection, then)
    assert shown(looks.state_at(connection, then, head=HEAD)) == wanted


@pytest.mark.parametrize(("seqs", "head"), [([2000], HEAD), ([2000, 2000, 2000], 2000)])
def test_nothing_is_kept_for_one_who_looks_once_or_at_the_present(
    connection: sqlite3.Connection, seqs: list[int], head: int
) -> None:
    looks = Recent()
    for seq in seqs:
        looks.state_at(connection, seq, head=head)
    damage(connection, in_both(2000, 2000))
    with pytest.raises(LogFormatError):
        looks.state_at(connection, 2000, head=head)


def test_what_is_too_large_is_not_kept(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recent, "_BYTES", 10)
    looks = Recent()
    for seq in (1900, 2000, 1990):
        read(connection, looks, seq)
    damage(connection, in_both(1990, 2000))
    with pytest.raises(LogFormatError):
        looks.state_at(connection, 1990, head=HEAD)


def test_what_is_done_to_a_state_is_not_done_to_the_next(connection: sqlite3.Connection) -> None:
    looks = Recent()
    for _ in range(4):
        found = read(connection, looks, 2000)
        for seq in range(2000, 2100):
            found.apply(Event(seq + 1, CHANGES[seq]))


def test_where_the_way_from_what_is_kept_is_damaged_the_state_may_be_whole(
    connection: sqlite3.Connection,
) -> None:
    looks = Recent()
    for seq in (1900, 1980):
        read(connection, looks, seq)
    gone = next(
        seq for seq in range(1981, 2000) if CHANGES[seq - 1].key in {each.key for each in CHANGES[seq:2010]}
    )
    damage(connection, gone)
    read(connection, looks, 2010)


def test_what_retention_dropped_is_dropped_for_one_who_was_there(log: Path, tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    path.write_bytes(log.read_bytes())
    looks = Recent()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for seq in (1900, 1980):
            read(connection, looks, seq)
        store = Store(path)
        store.trim(1991)
        store.close()
        for seq in (1989, 1980, 1940):
            with pytest.raises(LogTrimmedError, match="the event log begins at 1991"):
                looks.state_at(connection, seq, head=HEAD)
        for seq in (1990, 2000):
            read(connection, looks, seq)
