"""A log that cannot grow for another reason than a full disk is as full as with one."""

from __future__ import annotations

import errno
import os
import resource
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from kstream.core.errors import LogError, LogFullError
from kstream.core.timeline.events import WatchEvent
from kstream.logs import room
from kstream.logs.connections import translated
from kstream.logs.sqlite import SqliteLog
from tests.logs.facts import churn


@contextmanager
def longest_file(most: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_a_log_at_the_limit_of_file_sizes_is_full_and_goes_on_when_the_limit_is_raised(
    tmp_path: Path,
) -> None:
    log = await SqliteLog.open(tmp_path / "log.db")
    facts = list(churn(4000))
    with longest_file(1_200_000), pytest.raises(LogFullError) as full:
        await _append_all(log, facts)
    assert str(full.value) == (
        f"{tmp_path / 'log.db'}: the event log cannot grow (a file of this process may have 1200000 bytes; raise that"
        " limit (ulimit -f), or keep less (--keep-size))"
    )
    written = log.head
    assert 0 < written < len(facts)
    await log.append(facts[written : written + 200])
    assert log.head == written + 200
    await log.close()


async def _append_all(log: SqliteLog, facts: Sequence[WatchEvent]) -> None:
    for start in range(0, len(facts), 200):
        await log.append(facts[start : start + 200])


def test_far_from_the_limit_something_else_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "log.db").write_bytes(bytes(1000))
    with longest_file((1 << 20) + 1001):
        assert room.refused(tmp_path / "log.db") == ""
    with longest_file((1 << 20) + 999):
        assert "1049575 bytes" in room.refused(tmp_path / "log.db")
    assert [each.name for each in tmp_path.iterdir()] == ["log.db"], "nothing is left of the probe"


@pytest.mark.parametrize(
    ("number", "why"),
    [
        (errno.EDQUOT, "Disk quota exceeded; make room on the disk or raise the quota"),
        (errno.ENOSPC, "No space left on device; make room on the disk or raise the quota"),
        (errno.EIO, ""),
    ],
)
def test_a_quota_is_seen_where_the_log_is(
    number: int, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sync(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", sync)
    assert room.refused(tmp_path / "log.db") == why


def test_a_folder_that_is_not_there_is_not_full(tmp_path: Path) -> None:
    assert room.refused(tmp_path / "gone" / "log.db") == ""


def failed(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("why")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("code", "kind"), [(sqlite3.SQLITE_IOERR, LogFullError), (sqlite3.SQLITE_CANTOPEN, LogError)]
)
def test_only_a_write_that_failed_is_taken_for_a_lack_of_room(
    code: int, kind: type[Exception], tmp_path: Path
) -> None:
    with longest_file(1000), pytest.raises(LogError) as told, translated(tmp_path / "log.db"):
        raise failed(code)
    assert type(told.value) is kind


def test_a_full_disk_is_told_with_the_bytes_that_wait(tmp_path: Path) -> None:
    (tmp_path / "log.db-wal").write_bytes(bytes(4096))
    with (
        pytest.raises(LogFullError, match="make room of 4096 bytes on the disk"),
        translated(tmp_path / "log.db"),
    ):
        raise failed(sqlite3.SQLITE_FULL)
