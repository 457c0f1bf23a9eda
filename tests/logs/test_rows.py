"""Events as rows, and how a row that is not as it was written is found."""

from __future__ import annotations

import sqlite3
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kstream.core.errors import LogFormatError
from kstream.core.timeline.events import Event
from kstream.core.timeline.terms import Term
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


def put(connection: sqlite3.Connection, seqs: range = range(1, 41)) -> None:
    connection.execute(
        "CREATE TABLE events (seq INTEGER PRIMARY KEY, time, verb, kind, namespace, name, uid, version, body, crc)"
    )
    connection.executemany(rows.INSERT, [row for row in rows.rows(EVENTS) if row[0] in seqs])
    connection.execute("PRAGMA user_version = 5")


def test_the_checksums_are_those_that_zlib_makes_of_these_bytes() -> None:
    body = '{"name":"größe"}'.encode()
    columns = (7, 1.5, "ADDED", "pod", "größe", "web", "u", "10", body)
    whole = struct.pack("<qd", 7, 1.5) + "ADDED\0pod\0größe\0web\0u\0".encode() + b"10\0" + body
    assert rows.whole_checksum(*columns) == zlib.crc32(whole)
    assert rows.early_checksum(*columns) == zlib.crc32("größewebu10".encode() + body)


@pytest.mark.parametrize(("column", "value"), [(2, "GONE"), (3, "service"), (2, None)])
def test_a_word_that_no_event_has_is_damage_even_where_the_checksum_is_right(column: int, value: Any) -> None:
    row = stored(rows.rows(EVENTS[:1])[0])
    row[column] = value
    row[9] = rows.whole_checksum(*row[:9])
    with pytest.raises(LogFormatError, match=r"event 1 is not as it was written \(KeyError\("):
        list(rows.events([row], rows.whole_checksum))


@pytest.mark.parametrize(
    ("after", "upto", "found"),
    [(0, 40, range(1, 41)), (9, 11, (10, 11)), (9, 10, (10,)), (9, 9, ()), (9, 3, ()), (50, 40, ())],
)
def test_a_span_begins_behind_its_first_number_and_ends_with_its_last(
    connection: sqlite3.Connection, after: int, upto: int, found: Sequence[int]
) -> None:
    put(connection)
    assert rows.span(connection, after, upto) == [EVENTS[seq - 1] for seq in found]


@pytest.mark.parametrize(("after", "upto"), [(9, 21), (19, 22), (0, 1)])
def test_a_span_of_which_an_event_is_missing_is_damage(
    connection: sqlite3.Connection, after: int, upto: int
) -> None:
    put(connection, range(2, 21))
    expected = (
        f"of the events {after + 1} to {upto} only {len(range(max(after + 1, 2), min(upto + 1, 21)))} are"
    )
    with pytest.raises(LogFormatError, match=expected):
        rows.span(connection, after, upto)


def test_pairs_come_back_as_they_were_put_and_a_new_value_is_in_the_place_of_the_old(
    connection: sqlite3.Connection,
) -> None:
    connection.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT, crc INTEGER)")
    rows.put_pairs(connection, "meta", {"epoch": '"e1"', "a": "1"})
    rows.put_pairs(connection, "meta", {"a": "2"})
    assert rows.pairs(connection, "meta") == {"epoch": '"e1"', "a": "2"}
    assert connection.execute("SELECT crc FROM meta WHERE key = 'epoch'").fetchone() == (
        zlib.crc32(b'epoch\0"e1"'),
    )


def test_pairs_of_a_format_without_checksums_are_read(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE meta (key, value)")
    connection.execute("INSERT INTO meta VALUES ('epoch', '\"e1\"'), ('a', '1')")
    assert rows.pairs(connection, "meta") == {"epoch": '"e1"', "a": "1"}


@pytest.mark.parametrize(
    ("key", "value", "checksum"),
    [
        ("a", "1", zlib.crc32(b"a\0" + b"2")),
        ("a", "1", None),
        (b"a", "1", zlib.crc32(b"b'a'\0" + b"1")),
        ("a", b"1", zlib.crc32(b"a\0b'1'")),
    ],
)
def test_a_pair_that_is_not_as_it_was_put_is_damage(
    connection: sqlite3.Connection, key: Any, value: Any, checksum: int | None
) -> None:
    connection.execute("CREATE TABLE meta (key, value, crc)")
    connection.execute("INSERT INTO meta VALUES (?, ?, ?)", (key, value, checksum))
    with pytest.raises(LogFormatError, match=r"a'? in its table meta is not as it was written"):
        rows.pairs(connection, "meta")


@pytest.mark.parametrize(("key", "value"), [("a", 1), (1, "a")])
def test_a_pair_that_is_no_text_is_damage_where_there_are_no_checksums(
    connection: sqlite3.Connection, key: Any, value: Any
) -> None:
    connection.execute("CREATE TABLE meta (key, value)")
    connection.execute("INSERT INTO meta VALUES (?, ?)", (key, value))
    with pytest.raises(LogFormatError, match="in its table meta is not as it was written"):
        rows.pairs(connection, "meta")


@pytest.fixture
def terms(connection: sqlite3.Connection) -> sqlite3.Connection:
    connection.execute("CREATE TABLE terms (number INTEGER PRIMARY KEY, id, first, crc)")
    return connection


def test_terms_come_back_in_the_order_in_which_they_were_put(terms: sqlite3.Connection) -> None:
    begun = [Term("b", 1), Term("c", 1), Term("a", 8)]
    for term in begun:
        rows.put_term(terms, term)
    assert rows.terms(terms) == begun
    assert terms.execute("SELECT crc FROM terms WHERE id = 'a'").fetchone() == (zlib.crc32(b"a\0" + b"8"),)


def test_a_term_that_begins_before_the_one_before_it_is_damage(terms: sqlite3.Connection) -> None:
    for term in (Term("a", 1), Term("b", 8), Term("c", 7)):
        rows.put_term(terms, term)
    with pytest.raises(LogFormatError, match="the term that begins at event 7 is not as it was written"):
        rows.terms(terms)


@pytest.mark.parametrize(
    ("term", "first", "checksum"),
    [
        ("a", 2, zlib.crc32(b"a\0" + b"1")),
        (b"a", 2, zlib.crc32(b"b'a'\0" + b"2")),
        ("a", "2", zlib.crc32(b"a\0" + b"2")),
        ("a", 2.0, zlib.crc32(b"a\0" + b"2.0")),
    ],
)
def test_a_term_that_is_not_as_it_was_put_is_damage(
    terms: sqlite3.Connection, term: Any, first: Any, checksum: int
) -> None:
    terms.execute("INSERT INTO terms (id, first, crc) VALUES (?, ?, ?)", (term, first, checksum))
    with pytest.raises(LogFormatError, match="the term that begins at event 2"):
        rows.terms(terms)
