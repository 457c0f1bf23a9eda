"""The page of the log's format describes the file that is written."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing

import pytest

from kstream.logs.schema import APPLICATION_ID, FORMAT, VIEWS, migrate
from tests.docs.blocks import ROOT

PAGE = (ROOT / "docs" / "log-format.md").read_text("utf-8")


@pytest.fixture(scope="module")
def tables() -> dict[str, list[str]]:
    """Table → its columns, of a new log."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection)
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {
            table: [column for _, column, *_ in connection.execute(f"PRAGMA table_info([{table}])")]
            for (table,) in names
        }


def test_the_marks_are_those_of_the_file() -> None:
    assert f"| `PRAGMA application_id` | `0x{APPLICATION_ID:X}`" in PAGE
    assert f"| `PRAGMA user_version` | the format: {FORMAT} |" in PAGE


def test_every_table_is_described_and_no_other(tables: dict[str, list[str]]) -> None:
    assert set(re.findall(r"^\*\*(\w+)\*\*: ", PAGE, re.MULTILINE)) - {"Views"} == set(tables)


def test_every_column_of_the_events_is_described(tables: dict[str, list[str]]) -> None:
    described = PAGE.split("| column | |")[1].split("\n\n")[0]
    first_cells = [line.split("|")[1] for line in described.splitlines()[2:]]
    assert [column for cell in first_cells for column in re.findall(r"`(\w+)`", cell)] == tables["events"]


@pytest.mark.parametrize("table", ["keyframes", "terms"])
def test_every_column_of_the_smaller_tables_is_named(table: str, tables: dict[str, list[str]]) -> None:
    about = PAGE.split(f"**{table}**: ")[1].split("\n\n")[0]
    assert [
        column
        for column in tables[table]
        if column not in ("seq", "time", "crc") and f"`{column}`" not in about
    ] == []


def test_the_tables_with_a_checksum_are_named(tables: dict[str, list[str]]) -> None:
    sentence = PAGE.split("have a `crc` of their own")[0].rsplit("\n\n", 1)[1]
    checked = {table for table, columns in tables.items() if "crc" in columns}
    assert set(re.findall(r"`(\w+)`", sentence)) == checked - {"events", "baseline"}


def test_every_view_is_described_and_no_other() -> None:
    about = PAGE.split("**Views**: ")[1].split("\n\n")[0]
    assert set(re.findall(r"`(\w+)`", about)) - {"baseline", "events"} == set(VIEWS)
