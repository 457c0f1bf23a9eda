"""Whatever is not as it was written is found, and in the part that it is of."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from kstream.core.errors import LogError
from kstream.logs.sqlite import SqliteLog
from kstream.logs.verification import verify
from tests.logs.facts import as_format, history


@pytest.fixture
def path(tmp_path: Path) -> Path:
    async def record() -> None:
        log = await SqliteLog.open(tmp_path / "log.db")
        await log.append(list(history(5000)))
        await log.close()

    asyncio.run(record())
    return tmp_path / "log.db"


def wrong(path: Path) -> dict[str, str]:
    return {each.what: each.wrong for each in verify(path) if each.wrong}


def changed(path: Path, script: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(script)


def trimmed(path: Path, before: int) -> None:
    async def trim() -> None:
        log = await SqliteLog.open(path)
        await log.trim(before)
        await log.close()

    asyncio.run(trim())


@pytest.mark.parametrize("before", [1, 2, 2001, 5000, 5001])
def test_a_whole_log_is_whole_wherever_it_begins(path: Path, before: int) -> None:
    trimmed(path, before)
    assert wrong(path) == {}


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
def test_a_log_of_an_older_format_is_whole(path: Path, number: int) -> None:
    as_format(path, number)
    assert wrong(path) == {}


@pytest.mark.parametrize(
    ("script", "part", "says"),
    [
        ("UPDATE events SET body = '{}' WHERE seq = 2500", "events", "event 2500 is not as it was written"),
        ("DELETE FROM events WHERE seq = 2500", "structure", "events 1 to 5000 are only 4999"),
        ("UPDATE events SET time = 5e13 WHERE seq = 9", "events", "event 9 is not as it was written"),
        (
            "UPDATE keyframes SET crc = crc + 1 WHERE seq = 1000",
            "keyframes",
            "keyframe 1000 is not as it was written",
        ),
        (
            "UPDATE blocks SET bad = bad + 1 WHERE seq = 2000",
            "index",
            "block 2000 of its index is not as it was written",
        ),
        ("DELETE FROM blocks WHERE seq = 1000", "index", "the index begins with event 1001, not with 1"),
        ("UPDATE terms SET first = first + 1", "meta and terms", "is not as it was written"),
        ("UPDATE meta SET value = '\"x\"' WHERE key = 'epoch'", "meta and terms", "is not as it was written"),
        ("DELETE FROM meta", "meta and terms", "says no 'epoch'"),
    ],
)
def test_what_was_changed_is_found_in_its_part(path: Path, script: str, part: str, says: str) -> None:
    changed(path, script)
    assert says in wrong(path)[part]


def test_a_keyframe_of_another_moment_is_found_though_its_checksum_is_right(path: Path) -> None:
    changed(
        path,
        "CREATE TEMP TABLE one AS SELECT * FROM keyframes WHERE seq = 1000;"
        "DELETE FROM events WHERE seq <= 1000; UPDATE events SET seq = seq WHERE 0;",
    )
    found = wrong(path)
    assert set(found) == {"events", "keyframes", "index"}


def test_the_state_before_the_first_event_is_missed(path: Path) -> None:
    trimmed(path, 2001)
    changed(path, "DELETE FROM keyframes WHERE seq = 2000")
    assert "the state before it is missing" in wrong(path)["events"]


def test_who_waits_hears_how_far_it_is(path: Path) -> None:
    heard: list[tuple[int, int]] = []
    verify(path, lambda done, of: heard.append((done, of)))
    assert heard == [(2000, 5000), (4000, 5000), (5000, 5000)]


def test_a_file_that_is_not_there_is_no_log(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="there is no such event log"):
        verify(tmp_path / "none")
