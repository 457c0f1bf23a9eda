"""A large log is read through while it is in use."""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from kstream.core.errors import LogFormatError
from kstream.core.timeline.events import Verb
from kstream.logs.inspection import Inspection
from kstream.logs.sqlite import SqliteLog
from kstream.processlog.lines import fields_of
from tests.logs.facts import BALLAST, history
from tests.making import change, pod_key

NAME = "kstream-log-inspection"
ADDED = change(Verb.ADDED, pod_key("new"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


async def large(path: Path, *, gap: bool) -> None:
    log = await SqliteLog.open(path)
    await log.append(list(history(100)))
    await log.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(BALLAST)
        if gap:
            connection.executescript("DELETE FROM events WHERE seq = 50")


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == NAME]


def done() -> None:
    for thread in threads():
        thread.join()


async def test_damage_that_is_found_later_is_said_once_and_refuses_every_change(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await large(path, gap=True)
    log = await SqliteLog.open(path)
    done()
    says = f"{path}: the event log is damaged (events 1 to 100 are only 99); restore the file from a copy"
    for change_it in (log.append([ADDED]), log.append([ADDED]), log.trim(20)):
        with pytest.raises(LogFormatError) as told:
            await change_it
        assert str(told.value) == says
    assert (log.head, log.oldest) == (100, 1)
    await log.close()
    (line,) = [line for line in caplog.records if line.name == "kstream.logs.inspection"]
    assert (line.getMessage(), line.levelno) == ("damaged", logging.ERROR)
    assert fields_of(line) == {"log": str(path), "message": says}


async def test_whoever_follows_a_quiet_log_hears_of_damage(path: Path) -> None:
    await large(path, gap=True)
    log = await SqliteLog.open(path)
    with pytest.raises(LogFormatError, match="only 99"):
        await anext(log.follow(100))
    await log.close()


async def test_a_log_that_is_whole_is_written_while_it_is_read_through(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await large(path, gap=False)
    log = await SqliteLog.open(path)
    assert await log.append([ADDED]) == 101
    done()
    assert await log.append([change(Verb.MODIFIED, ADDED.key)]) == 102
    await log.close()
    assert (os.listdir(path.parent), caplog.records) == (["log.db"], [])


async def test_nobody_reads_through_what_is_small_or_will_only_be_trimmed(path: Path) -> None:
    small = await SqliteLog.open(path)
    assert threads() == []
    await small.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(BALLAST)
    alone = await SqliteLog.open(path, only_trim=True)
    assert threads() == []
    await alone.close()


async def test_one_that_is_closed_is_broken_off_and_says_nothing(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await large(path, gap=False)
    inspection = Inspection(path, lambda: None)
    await asyncio.to_thread(inspection.close)
    assert (threads(), inspection.damage, caplog.records) == ([], None, [])


async def test_a_file_that_cannot_be_read_through_is_no_damage(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    inspection = Inspection(path, lambda: None)
    done()
    await asyncio.to_thread(inspection.close)
    (line,) = caplog.records
    assert (inspection.damage, line.getMessage(), line.levelno) == (None, "not inspected", logging.WARNING)
    assert fields_of(line) == {
        "log": str(path),
        "message": f"{path}: there is no such event log; check the path",
    }
