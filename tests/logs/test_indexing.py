"""Blocks that are kept and blocks that are made for whoever reads are the same, in every format."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from kstream.core.errors import LogFormatError
from kstream.core.timeline.blocks import Block
from kstream.logs import indexing, schema
from kstream.logs.blocks import refs_of
from kstream.logs.store import Change, Store
from tests.logs.facts import as_format, history

COUNT = 2500
FORMATS = range(1, schema.FORMAT + 1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "log.db"
    store = Store(made)
    store.commit([Change(list(history(COUNT)), {})])
    store.close()
    return made


def trimmed(path: Path, before: int) -> None:
    store = Store(path)
    store.trim(before)
    store.close()


def found(path: Path, after: int, upto: int) -> list[Block]:
    with closing(sqlite3.connect(path)) as connection:
        indexed = schema.format_of(connection) >= schema.WITH_BLOCKS
        return list(indexing.blocks(connection, after, upto, indexed=indexed))


def columns(made: Sequence[Block], after: int, upto: int) -> tuple[bytes, bytes]:
    """Codes and hashes of the events of a span."""
    first = made[0].first
    part = slice(after + 1 - first, upto + 1 - first)
    uids = b"".join(block.uids for block in made)
    return b"".join(block.codes for block in made)[part], uids[4 * part.start : 4 * part.stop]


@pytest.mark.parametrize("number", FORMATS)
@pytest.mark.parametrize(("after", "upto"), [(0, COUNT), (0, 10), (1500, 2200), (2200, 2300), (999, 1000)])
def test_a_span_has_the_same_index_in_every_format(path: Path, number: int, after: int, upto: int) -> None:
    wanted = columns(found(path, 0, COUNT), after, upto)
    if number < schema.FORMAT:
        as_format(path, number)
    made = found(path, after, upto)
    assert made[0].first <= after + 1
    assert made[-1].seq >= upto
    assert columns(made, after, upto) == wanted


@pytest.mark.parametrize("number", FORMATS[1:])
@pytest.mark.parametrize("before", [2, 1000, 1001, 1500, 2200, COUNT + 1])
def test_what_retention_has_dropped_leaves_the_rest_as_it_was(path: Path, number: int, before: int) -> None:
    whole = found(path, 0, COUNT)
    trimmed(path, before)
    if number < schema.FORMAT:
        as_format(path, number)
    made = found(path, before - 1, COUNT)
    if before <= COUNT:
        assert columns(made, before - 1, COUNT) == columns(whole, before - 1, COUNT)
        assert refs_of(made[-1]) == refs_of(whole[-1])
    else:
        assert made == []
    store = Store(path)
    store.commit([Change(list(history(1200, seed=5)), {})])
    store.close()
    assert len(columns(found(path, COUNT, COUNT + 1200), COUNT, COUNT + 1200)[0]) == 1200
    assert found(path, COUNT, COUNT + 1200)[0].first <= COUNT + 1


@pytest.mark.parametrize("number", FORMATS[:-1])
def test_an_older_file_gets_the_blocks_that_it_would_have(path: Path, number: int) -> None:
    wanted = found(path, 0, 2000)
    as_format(path, number)
    Store(path).close()
    with closing(sqlite3.connect(path)) as connection:
        assert list(indexing.blocks(connection, 0, 2000, indexed=True)) == wanted
        assert connection.execute("SELECT count(*) FROM blocks").fetchone() == (2,)


def test_the_writer_goes_on_where_it_was(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        index = indexing.index_at(connection, COUNT)
        assert (index.start, index.reached) == (2000, COUNT)
        assert index.cut() == found(path, 2000, COUNT)[-1]


def test_an_empty_log_has_none(tmp_path: Path) -> None:
    Store(tmp_path / "log.db").close()
    assert found(tmp_path / "log.db", 0, 0) == []


def test_an_object_of_which_a_block_names_an_event_that_is_missing_is_damage(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        bad = [block for block in indexing.blocks(connection, 0, 2000, indexed=True) if block.bad]
        connection.execute("DELETE FROM events WHERE seq = ?", (refs_of(bad[-1])[0],))
        with pytest.raises(LogFormatError, match="is missing"):
            indexing.index_at(connection, COUNT)
