"""A log that loses its tail hands out its numbers again: a term tells the two histories apart (PROTOCOL 15)."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from kstream.core.errors import LogFormatError
from kstream.core.timeline.terms import Term, reach
from kstream.logs import store
from kstream.logs.sqlite import SqliteLog
from tests.logs.facts import as_format, history


async def written(path: Path, count: int, *, seed: int = 1) -> list[Term]:
    """Open, append, close; the terms as they are then."""
    log = await SqliteLog.open(path)
    if count:
        await log.append(list(history(count, seed=seed)))
    terms = list(log.terms)
    await log.close()
    return terms


async def test_whoever_opens_a_log_begins_a_term(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    first = await written(path, 10)
    second = await written(path, 0)
    assert [term.first for term in second] == [1, 11]
    assert second[:1] == first
    assert second[0].id != second[1].id
    reader = await SqliteLog.open_read_only(path)
    assert list(reader.terms) == second
    await reader.close()


async def test_a_copy_that_is_put_back_refuses_what_was_lost_however_far_it_has_grown(tmp_path: Path) -> None:
    path, copy = tmp_path / "log.db", tmp_path / "copy.db"
    before = await written(path, 219)
    shutil.copy(path, copy)
    log = await SqliteLog.open(path)
    told = log.terms[-1].id
    await log.append(list(history(823, seed=2))[219:])
    assert reach(log.terms, told, head=log.head) == log.head == 823
    await log.close()
    shutil.copy(copy, path)
    log = await SqliteLog.open(path)
    await log.append(list(history(2000, seed=3))[219:])
    assert reach(log.terms, told, head=log.head) is None, "the copy knows nothing of the term that was lost"
    assert reach(log.terms, before[-1].id, head=log.head) == 219, "what both have is one history"
    await log.close()


async def test_a_tail_that_was_lost_under_its_own_term_is_refused_too(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    log = await SqliteLog.open(path)
    told = log.terms[-1].id
    await log.append(list(history(100)))
    await log.close()
    with closing(sqlite3.connect(path)) as connection, connection:  # a loss of power
        connection.execute("DELETE FROM events WHERE seq > 60")
    log = await SqliteLog.open(path)
    await log.append(list(history(300))[60:])
    assert reach(log.terms, told, head=log.head) == 60
    await log.close()


@pytest.mark.parametrize("number", [1, 2, 3])
async def test_an_older_file_has_one_term_read_or_migrated(tmp_path: Path, number: int) -> None:
    path = tmp_path / "log.db"
    await written(path, 50)
    as_format(path, number)
    reader = await SqliteLog.open_read_only(path)
    assert list(reader.terms) == [Term(reader.epoch, 1)]
    await reader.close()
    assert [term.first for term in await written(path, 0)] == [1, 51]


async def test_only_so_many_terms_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_TERMS", 3)
    path = tmp_path / "log.db"
    for _ in range(5):
        terms = await written(path, 0)
    assert len(terms) == 3


@pytest.mark.parametrize("change", ["id = 'x'", "first = 5", "first = 'x'", "crc = 0"])
async def test_a_term_that_is_not_as_it_was_written_is_damage(tmp_path: Path, change: str) -> None:
    path = tmp_path / "log.db"
    await written(path, 10)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"UPDATE terms SET {change}")
    with pytest.raises(LogFormatError, match="term"):
        await SqliteLog.open_read_only(path)
