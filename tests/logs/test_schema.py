"""The format of a file, and the way from every older format to this one."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlite_utils
from hypothesis import example, given
from hypothesis import strategies as st
from sqlite_utils.plugins import pm

from kstream.core.errors import LogFormatError
from kstream.core.timeline.events import Event, Verb
from kstream.core.timeline.timepoint import timestamp
from kstream.logs import keyframes, rows, schema
from kstream.logs.keyframes import LiveSet
from tests.logs.facts import history
from tests.making import change, namespace_key, node_key, pod_key

DOCUMENT = Path(__file__).parents[2] / "docs/log-format.md"
COUNT = 1100  # events: more than there are from one keyframe to the next, or than a migration holds at a time
EVENTS = [Event(seq, change) for seq, change in enumerate(history(COUNT), 1)]
VIEWS = {"history", "objects", "pods", "nodes", "namespaces", "timeline"}
PAIR = ["stream", "version"]
EVENT = ["seq", "time", "verb", "kind", "namespace", "name", "uid", "version", "body", "crc"]
COLUMNS = [  # the tables that came with each format
    {"events": EVENT, "meta": ["key", "value"], "versions": PAIR},
    {"keyframes": ["seq", "time", "objects", "refs"], "baseline": EVENT},
    {
        "keyframes": ["seq", "time", "objects", "refs", "crc"],
        "meta": ["key", "value", "crc"],
        "versions": [*PAIR, "crc"],
    },
    {"terms": ["number", "id", "first", "crc"]},
    {},
    {"blocks": ["seq", "time", "uids", "names", "codes", "bad", "refs", "crc"]},
]


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as made:
        yield made


def put(connection: sqlite3.Connection, events: Sequence[Event], *, table: str = "events") -> None:
    """With the checksums of before format 5."""
    made = [(*row[:9], rows.early_checksum(*row[:8], row[8].encode())) for row in rows.rows(events)]
    connection.executemany(rows.INSERT.replace("INTO events", f"INTO {table}"), made)


def names(connection: sqlite3.Connection, kind: str) -> set[str]:
    return {
        name
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = ?", (kind,)).fetchall()
    }


def fetched(connection: sqlite3.Connection, query: str) -> list[Any]:
    return connection.execute(query).fetchall()


def test_the_marks_are_those_that_the_documentation_has(connection: sqlite3.Connection) -> None:
    schema.migrate(connection)
    assert fetched(connection, "PRAGMA application_id") == [(int.from_bytes(b"kstr", "big"),)]
    assert fetched(connection, "PRAGMA user_version") == [(len(schema.MIGRATIONS),)]
    text = DOCUMENT.read_text()
    assert re.findall(r"user_version` \| the format: (\d+)", text) == [str(schema.FORMAT)]
    assert re.findall(r"application_id` \| `0x(\w+)`", text) == [f"{schema.APPLICATION_ID:X}"]


@pytest.mark.parametrize("number", range(1, schema.FORMAT + 1))
def test_each_format_has_its_tables_and_only_this_one_has_views(
    connection: sqlite3.Connection, number: int
) -> None:
    schema.migrate(connection, upto=number)
    wanted: dict[str, list[str]] = {}
    for columns in COLUMNS[:number]:
        wanted |= columns
    found = {
        name: [row[1] for row in fetched(connection, f"PRAGMA table_info({name})")]
        for name in names(connection, "table")
    }
    assert found == wanted
    assert schema.format_of(connection) == number
    assert names(connection, "view") == (VIEWS if number == schema.FORMAT else set())


def test_the_names_that_are_watched_are_those_of_the_tables(connection: sqlite3.Connection) -> None:
    schema.migrate(connection)
    assert set(schema.TABLES) == names(connection, "table")
    assert set(schema.VIEWS) == names(connection, "view")


@pytest.mark.parametrize("number", range(1, schema.FORMAT + 1))
def test_an_older_file_becomes_what_a_new_one_is(connection: sqlite3.Connection, number: int) -> None:
    for upto in (number, schema.FORMAT):
        schema.migrate(connection, upto=upto)
    migrated = {
        name: fetched(connection, f"PRAGMA table_info({name})")
        for name in sorted(names(connection, "table") | names(connection, "view"))
    }
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as new:
        schema.migrate(new)
        assert migrated == {name: fetched(new, f"PRAGMA table_info({name})") for name in migrated}


@pytest.mark.parametrize("table", ["meta", "versions", "keyframes"])
def test_a_checksum_is_a_number_and_0_where_none_is_given(connection: sqlite3.Connection, table: str) -> None:
    schema.migrate(connection)
    (crc,) = (row for row in fetched(connection, f"PRAGMA table_info({table})") if row[1] == "crc")
    assert (crc[2], crc[3], str(crc[4]).strip("'")) == ("INTEGER", 1, "0")


def test_pairs_get_checksums_with_format_3(connection: sqlite3.Connection) -> None:
    schema.migrate(connection, upto=2)
    connection.execute("INSERT INTO meta VALUES ('epoch', '\"e1\"')")
    connection.execute("INSERT INTO versions VALUES ('pods', '7')")
    schema.migrate(connection, upto=3)
    assert rows.pairs(connection, "meta") == {"epoch": '"e1"'}
    assert rows.pairs(connection, "versions") == {"pods": "7"}
    assert fetched(connection, "SELECT count(*) FROM meta WHERE crc = 0") == [(0,)]
    assert fetched(connection, "SELECT count(*) FROM versions WHERE crc = 0") == [(0,)]


def test_a_file_without_keyframes_gets_those_that_it_would_have(connection: sqlite3.Connection) -> None:
    schema.migrate(connection, upto=1)
    put(connection, EVENTS)
    schema.migrate(connection)
    assert keyframes.every(connection) == LiveSet().apply(EVENTS)
    assert [frame.seq for frame in keyframes.every(connection)] == [1000]


def test_keyframes_that_there_are_stay_where_they_are(connection: sqlite3.Connection) -> None:
    schema.migrate(connection, upto=2)
    put(connection, EVENTS)
    live = LiveSet()
    live.apply(EVENTS[:500])
    frame = live.keyframe()
    packed = keyframes.packed_refs(frame.refs)
    connection.execute(
        "INSERT INTO keyframes VALUES (?, ?, ?, ?)", (frame.seq, frame.time, len(frame.refs), packed)
    )
    schema.migrate(connection)
    assert keyframes.every(connection) == [frame]


def test_a_file_that_holds_nothing_has_no_term(connection: sqlite3.Connection) -> None:
    schema.migrate(connection, upto=3)
    schema.migrate(connection, upto=4)
    assert rows.terms(connection) == []


@pytest.mark.parametrize("table", ["events", "keyframes"])
def test_what_an_older_file_holds_is_one_term(connection: sqlite3.Connection, table: str) -> None:
    schema.migrate(connection, upto=3)
    if table == "events":
        put(connection, EVENTS[4:6])
    else:
        keyframes.insert(connection, [keyframes.Keyframe(9, 0.0, [])])
    schema.migrate(connection, upto=4)
    (term,) = rows.terms(connection)
    assert (term.first, len(term.id)) == (1, 32)


@pytest.mark.parametrize("table", ["events", "baseline"])
def test_every_event_gets_the_checksum_of_its_whole_row(connection: sqlite3.Connection, table: str) -> None:
    schema.migrate(connection, upto=4)
    put(connection, EVENTS, table=table)
    connection.execute(f"UPDATE {table} SET name = 'other' WHERE seq IN (7, 1050)")
    schema.migrate(connection, upto=5)
    found = fetched(connection, f"SELECT {rows.COLUMNS} FROM {table} ORDER BY seq")
    assert [row[0] for row in found if rows.whole_checksum(*row[:9]) != row[9]] == [7, 1050]
    assert [row for row in found if row[0] not in (7, 1050)] == [
        (*row[:8], row[8].encode(), row[9]) for row in rows.rows(EVENTS) if row[0] not in (7, 1050)
    ]


@pytest.mark.parametrize("changed", ["name = x'00'", "time = 'x'", "seq = 1099511627776, uid = x'00'"])
def test_a_row_of_another_type_matches_no_checksum(connection: sqlite3.Connection, changed: str) -> None:
    schema.migrate(connection, upto=4)
    put(connection, EVENTS[:3])
    connection.execute(f"UPDATE events SET {changed} WHERE seq = 3")
    schema.migrate(connection)
    *whole, wrong = fetched(connection, f"SELECT {rows.COLUMNS} FROM events ORDER BY seq")
    assert list(rows.events(whole, rows.whole_checksum)) == EVENTS[:2]
    assert wrong[9] < 0
    with pytest.raises(LogFormatError):
        list(rows.events([wrong], rows.whole_checksum))


@pytest.mark.parametrize("upto", [3, schema.FORMAT])
def test_what_cannot_be_migrated_stays_as_it_was(connection: sqlite3.Connection, upto: int) -> None:
    schema.migrate(connection, upto=1)
    schema.migrate(connection, upto=2)
    connection.execute("INSERT INTO meta VALUES ('epoch', '\"e1\"')")
    connection.execute("INSERT INTO keyframes VALUES (5, 0.0, 1, x'00')")
    with pytest.raises(LogFormatError, match="keyframe 5"):
        schema.migrate(connection, upto=upto)
    assert not connection.in_transaction
    assert schema.format_of(connection) == 2
    assert fetched(connection, "SELECT * FROM meta") == [("epoch", '"e1"')]


def test_what_is_of_this_format_is_not_changed(connection: sqlite3.Connection) -> None:
    schema.migrate(connection)
    before = fetched(connection, "PRAGMA schema_version")
    schema.migrate(connection)
    assert fetched(connection, "PRAGMA schema_version") == before
    assert not connection.in_transaction


@pytest.mark.parametrize(
    "changed",
    [
        "DROP VIEW pods",
        "DROP VIEW pods; CREATE VIEW pods AS SELECT 1",
        "CREATE VIEW [of mine] AS SELECT 1",
    ],
)
def test_views_that_differ_are_made_anew(connection: sqlite3.Connection, changed: str) -> None:
    schema.migrate(connection)
    before = dict(fetched(connection, "SELECT name, sql FROM sqlite_master WHERE type = 'view'"))
    connection.executescript(changed)
    schema.migrate(connection)
    assert dict(fetched(connection, "SELECT name, sql FROM sqlite_master WHERE type = 'view'")) == before


def test_views_that_differ_in_their_white_space_stay(connection: sqlite3.Connection) -> None:
    schema.migrate(connection)
    connection.executescript(f"DROP VIEW history; CREATE VIEW [history]  AS\n {schema.VIEWS['history']}")
    before = fetched(connection, "PRAGMA schema_version")
    schema.migrate(connection)
    assert fetched(connection, "PRAGMA schema_version") == before


def test_the_views_tell_people_what_there_is_and_what_there_was(connection: sqlite3.Connection) -> None:
    schema.migrate(connection)
    changes = [
        change(Verb.ADDED, node_key("n"), version="1"),
        change(Verb.ADDED, namespace_key("shop"), version="2"),
        change(Verb.ADDED, pod_key("b"), version="3"),
        change(Verb.ADDED, pod_key("a"), version="4"),
        change(Verb.MODIFIED, pod_key("b"), mark="Failed", version="5"),
        change(Verb.DELETED, pod_key("a"), version="6", time=1_737_712_800.5),
    ]
    made = rows.rows([Event(seq, each) for seq, each in enumerate(changes, 1)])
    connection.executemany(rows.INSERT.replace("INTO events", "INTO baseline"), made[:2])
    connection.executemany(rows.INSERT, made[2:])
    assert fetched(connection, "SELECT seq, version FROM history ORDER BY seq") == [
        (seq, str(seq)) for seq in range(1, 7)
    ]
    assert fetched(connection, "SELECT seq, kind, name, version FROM objects ORDER BY seq") == [
        (1, "node", "n", "1"),
        (2, "namespace", "shop", "2"),
        (5, "pod", "b", "5"),
    ]
    assert fetched(connection, "SELECT name, phase, seq FROM pods") == [("b", "Failed", 5)]
    assert fetched(connection, "SELECT name, status, seq FROM nodes") == [("n", "Ready", 1)]
    assert fetched(connection, "SELECT name, status, seq FROM namespaces") == [("shop", "Active", 2)]
    assert fetched(connection, "SELECT seq, at, verb, name FROM timeline")[-1] == (
        6,
        "2025-01-24T10:00:00.500Z",
        "DELETED",
        "a",
    )


class Plugin:
    """One of sqlite-utils that somebody installed."""

    def __init__(self) -> None:
        self.called = 0

    @sqlite_utils.hookimpl
    def prepare_connection(self, conn: sqlite3.Connection) -> None:
        self.called += 1


def test_plugins_of_sqlite_utils_have_no_part_in_it(connection: sqlite3.Connection) -> None:
    plugin = Plugin()
    pm.register(plugin)
    try:
        schema.migrate(connection)
    finally:
        pm.unregister(plugin)
    assert plugin.called == 0


@given(st.lists(st.floats(0, 4_000_000_000), min_size=1))
@example([1795380996.3369999, 1795380996.9999999, 0.9995, 1.0005])
def test_the_time_of_an_event_in_the_story_is_the_one_that_is_told_everywhere(times: list[float]) -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        schema.migrate(connection)
        events = [
            Event(seq, change(Verb.ADDED, pod_key(str(seq)), time=time)) for seq, time in enumerate(times, 1)
        ]
        connection.executemany(rows.INSERT, rows.rows(events))
        told = [at for (at,) in fetched(connection, "SELECT at FROM timeline")]
    assert told == [timestamp(time) for time in times]
