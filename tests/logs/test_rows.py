"""Events as rows, and how a row that is not as it was written is found."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kstream.core.errors import LogFormatError
from kstream.core.timeline.events import Event
from kstream.logs import rows
from kstream.logs.keyframes import EARLIEST, LATEST
from tests.logs.facts import history

EVENTS = [Event(seq, change) for seq, change in enumerate(history(40), 1)]


def stored(row: rows.Row) -> list[Any]:
    """As COLUMNS give it."""
    *columns, body, crc = row
    return [*columns, body.encode(), crc]


def test_a_row_becomes_the_event_that_it_was() -> None:
    made = [stored(row) for row in rows.rows(EVENTS)]
    assert list(rows.events(made, rows.whole_checksum)) == EVENTS
    assert [row[9] for row in made] == [rows.whole_checksum(*row[:9]) for row in made]


@given(
    number=st.integers(0, len(EVENTS) - 1),
    column=st.integers(0, 8),
    bit=st.integers(0, 63),
    byte=st.integers(0, 500),
)
def test_whatever_bit_is_turned_the_row_is_found(number: int, column: int, bit: int, byte: int) -> None:
    row = stored(rows.rows(EVENTS[number : number + 1])[0])
    row[column] = _turned(row[column], bit, byte)
    with pytest.raises(LogFormatError, match="is not as it was written"):
        list(rows.events([row], rows.whole_checksum))


def _turned(value: Any, bit: int, byte: int) -> Any:
    match value:
        case int():
            return value ^ (1 << bit % 63)
        case float():
            return value + 2.0 ** (bit % 40 - 20)
        case bytes():
            data = bytearray(value)
            data[byte % len(data)] ^= 1 << bit % 8
            return bytes(data)
        case _:
            at = byte % (len(value) + 1)
            return value[:at] + chr(65 + bit) + value[at:]


@pytest.mark.parametrize(("first", "second"), [(2, 3), (3, 4), (4, 5), (5, 6), (6, 7)])
def test_a_letter_that_moves_to_the_next_column_is_found(first: int, second: int) -> None:
    row = stored(rows.rows(EVENTS[:1])[0])
    row[first], row[second] = row[first] + row[second][:1], row[second][1:]
    if row[first] == stored(rows.rows(EVENTS[:1])[0])[first]:  # nothing to move out of an empty text
        row[first], row[second] = row[first][:-1], row[first][-1:] + row[second]
    with pytest.raises(LogFormatError, match="its checksum does not match"):
        list(rows.events([row], rows.whole_checksum))


@pytest.mark.parametrize("time", [float("inf"), -float("inf"), float("nan"), 1e300, LATEST, EARLIEST - 1])
def test_a_time_that_has_no_date_is_damage_even_where_the_checksum_is_right(time: float) -> None:
    row = stored(rows.rows(EVENTS[:1])[0])
    row[1] = time
    row[9] = rows.whole_checksum(*row[:9])
    with pytest.raises(LogFormatError, match="which has no date"):
        list(rows.events([row], rows.whole_checksum))


@pytest.mark.parametrize("time", [EARLIEST, 0.0, LATEST - 1])
def test_any_time_that_has_a_date_is_one(time: float) -> None:
    row = stored(rows.rows(EVENTS[:1])[0])
    row[1] = time
    row[9] = rows.whole_checksum(*row[:9])
    (event,) = rows.events([row], rows.whole_checksum)
    assert event.change.time == time


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as made:
        yield made


@pytest.mark.parametrize(("number", "whole"), [(1, False), (4, False), (5, True), (6, True)])
def test_the_format_of_the_file_says_what_its_checksums_cover(
    connection: sqlite3.Connection, number: int, *, whole: bool
) -> None:
    connection.execute(f"PRAGMA user_version = {number}")
    assert rows.checksum_of(connection) is (rows.whole_checksum if whole else rows.early_checksum)
