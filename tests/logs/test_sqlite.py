"""The log in a file, beside what every log does (test_contract.py): threads, connections, readers, and its end."""

from __future__ import annotations

import asyncio
import fnmatch
import logging
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import aclosing, closing
from pathlib import Path
from typing import Any

import pytest

from kstream.clock import VirtualClock
from kstream.core.errors import LogError, LogMismatchError, LogTrimmedError
from kstream.core.timeline.events import Event, Verb
from kstream.core.timeline.health import ClusterInfo
from kstream.logs import sqlite
from kstream.logs.sqlite import SqliteLog
from kstream.ports import Jump
from kstream.processlog.lines import fields_of
from tests.logs.facts import history
from tests.making import START, change, numbered, pod_key

CHANGES = [change(Verb.ADDED, pod_key(f"p{n}"), time=START + n) for n in range(1, 10)]
POLL = 0.05  # seconds after which a reader looks again


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


def free() -> int:
    """The number that the next file to be opened gets: a higher one than before says that something stayed open."""
    descriptor = os.open(os.devnull, os.O_RDONLY)
    os.close(descriptor)
    return descriptor


class Pace(VirtualClock):
    """A clock on which no one waits, and that says for how long it was asked to."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: set[float] = set()
        self.turns = asyncio.Semaphore(0)

    async def sleep(self, seconds: float) -> None:
        self.slept.add(seconds)
        self.turns.release()
        await asyncio.sleep(0)


def seqs(found: Any) -> list[int]:
    assert not isinstance(found, Jump)
    return [event.seq for event in found]


class Said(logging.Handler):
    """What the log said, and that it said something."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[logging.LogRecord] = []
        self.news = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record)
        self.news.set()


@pytest.fixture
def said() -> Iterator[Said]:
    logger, made = logging.getLogger("kstream.logs.sqlite"), Said()
    level = logger.level
    logger.setLevel(logging.DEBUG)
    logger.addHandler(made)
    yield made
    logger.removeHandler(made)
    logger.setLevel(level)


async def test_it_tells_what_its_file_says(path: Path) -> None:
    log = await SqliteLog.open(path, epoch="e1", meta={"scenario": '"calm"'})
    await log.append(CHANGES, versions={"pods": "7"})
    await log.identify(ClusterInfo("prod", "v1.36.0", "uid-a"))
    await log.trim(4)
    assert (log.path, log.epoch, log.head, log.oldest) == (path, "e1", 9, 4)
    assert log.cluster == ClusterInfo("prod", "v1.36.0", "uid-a")
    assert (log.versions, log.meta) == ({"pods": "7"}, {"scenario": '"calm"'})
    assert [term.first for term in log.terms] == [1]
    holding = await log.holding()
    assert (holding.oldest, holding.head, holding.objects, holding.moved) == (4, 9, 3, 3)
    reader = await SqliteLog.open_read_only(str(path))
    for name in ("path", "epoch", "head", "oldest", "cluster", "versions", "meta", "terms"):
        assert getattr(reader, name) == getattr(log, name)
    await reader.close()
    await log.close()


async def test_another_epoch_or_a_size_that_is_used_up_is_passed_on(path: Path) -> None:
    await (await SqliteLog.open(path, epoch="e1", max_bytes=10_000_000)).close()
    with pytest.raises(LogMismatchError):
        await SqliteLog.open(path, epoch="e2")


async def test_who_waits_for_a_log_to_be_opened_is_told_after_a_while(
    path: Path, monkeypatch: pytest.MonkeyPatch, said: Said
) -> None:
    monkeypatch.setattr(sqlite, "_PATIENCE", 0.0)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")  # until it ends, nobody reads a word of it
        opening = asyncio.ensure_future(SqliteLog.open(path))
        await said.news.wait()
        assert not opening.done()
        other.execute("ROLLBACK")
    await (await opening).close()
    (line,) = said.lines
    assert (line.getMessage(), line.levelno) == ("opening", logging.INFO)
    assert fields_of(line) == {"log": str(path), "bytes": 0, "message": "The whole file is read once"}


async def test_a_log_that_is_opened_at_once_says_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch, said: Said
) -> None:
    monkeypatch.setattr(sqlite, "_PATIENCE", 60.0)
    await (await SqliteLog.open(path)).close()
    assert said.lines == []


async def test_a_place_that_is_not_there_is_named_however_long_it_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: Said
) -> None:
    monkeypatch.setattr(sqlite, "_PATIENCE", 0.0)
    with pytest.raises(LogError, match=r"nowhere/log\.db"):
        await SqliteLog.open(tmp_path / "nowhere" / "log.db")
    assert [fields_of(line)["bytes"] for line in said.lines] == [0]


async def test_a_temporary_log_is_in_a_folder_that_is_swept_when_its_process_dies() -> None:
    log = await SqliteLog.open_temporary(epoch="e1", meta={"scenario": '"calm"'}, max_bytes=10_000_000)
    assert log.path.name == "log.db"
    assert fnmatch.fnmatchcase(log.path.parent.name, "kstream-????????")
    assert (log.epoch, log.meta) == ("e1", {"scenario": '"calm"'})
    await log.close()
    assert not log.path.parent.exists()


async def test_a_temporary_log_whose_folder_cannot_be_removed_is_closed(tmp_path: Path) -> None:
    log = await SqliteLog.open_temporary()
    folder = log.path.parent
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")  # which is no folder to remove
    try:
        await log.close()
    finally:
        folder.unlink()


async def test_all_that_was_opened_is_closed(path: Path) -> None:
    await (await SqliteLog.open(path)).close()  # the loop and its threads have their own
    before = free()
    log = await SqliteLog.open(path)
    await log.append(CHANGES)
    await asyncio.gather(*(log.state_at(9) for _ in range(5)))
    await log.close()
    assert free() == before
    assert [each.name for each in path.parent.iterdir()] == ["log.db"]


async def test_a_connection_is_used_again_and_the_threads_that_read_can_be_told(path: Path) -> None:
    log = await SqliteLog.open(path)
    await log.append(CHANGES)
    await log.read(0, 9)
    before = free()
    for _ in range(5):
        await log.read(0, 9)
    assert free() == before
    names = {thread.name for thread in threading.enumerate()}
    assert {"kstream-log-reader_0", "kstream-log-writer"} <= names
    await log.close()
    assert not {name for name in {thread.name for thread in threading.enumerate()} if "kstream-log" in name}


@pytest.mark.parametrize("kind", ["writer", "reader"])
async def test_a_closed_log_refuses_by_its_name_and_may_be_closed_again(path: Path, kind: str) -> None:
    writer = await SqliteLog.open(path)
    await writer.append(CHANGES)
    log = writer if kind == "writer" else await SqliteLog.open_read_only(path)
    await log.close()
    for refused in (
        log.append([]),
        log.identify(ClusterInfo("a", "b")),
        log.trim(2),
        log.read(0, 1),
        log.state_at(1),
        log.holding(),
    ):
        with pytest.raises(LogError) as told:
            await refused
        assert str(told.value) == f"{path}: the event log is closed"
    await log.close()
    await writer.close()


async def test_of_its_own_writing_it_knows_all_and_looks_at_nothing_again(path: Path) -> None:
    log = await SqliteLog.open(path)
    await log.append(CHANGES)
    status = log._status
    await log.refresh()
    assert log._status is status
    await log.close()
    await log.refresh()


async def test_an_append_of_versions_alone_is_one(path: Path) -> None:
    log = await SqliteLog.open(path)
    assert await log.append([], versions={"pods": "7"}) == 0
    assert await log.append([], versions={}) == 0
    assert await log.append(CHANGES[:2]) == 2
    await log.close()
    log = await SqliteLog.open(path)
    assert (log.versions, log.head) == ({"pods": "7"}, 2)
    await log.close()


@pytest.mark.parametrize(("before", "oldest"), [(1, 1), (2, 2), (9, 9), (10, 10), (99, 10)])
async def test_a_trim_goes_as_far_as_it_is_told_and_no_further_than_the_head(
    path: Path, before: int, oldest: int
) -> None:
    log = await SqliteLog.open(path)
    await log.append(CHANGES)
    await log.trim(before)
    assert (log.oldest, log.head) == (oldest, 9)
    assert seqs(await log.read(oldest - 1, 9)) == list(range(oldest, 10))
    await log.close()


async def test_a_trim_may_go_on_event_by_event_to_the_last(path: Path) -> None:
    log = await SqliteLog.open(path)
    await log.append(CHANGES)
    for before in (7, 8, 9, 10, 11):
        await log.trim(before)
        assert log.oldest == min(before, 10)
    await log.close()


async def test_a_reader_looks_again_for_what_it_does_not_know_and_only_then(path: Path) -> None:
    writer = await SqliteLog.open(path)
    await writer.append(CHANGES[:3])
    reader = await SqliteLog.open_read_only(path)
    await writer.append(CHANGES[3:6])
    assert seqs(await reader.read(0, 3)) == [1, 2, 3]
    assert (await reader.state_at(3)).seq == 3
    assert reader.head == 3
    assert seqs(await reader.read(3, 5)) == [4, 5]
    assert reader.head == 6
    await writer.append(CHANGES[6:])
    assert (await reader.state_at(8)).seq == 8
    assert reader.head == 9
    for refused in (reader.read(8, 10), reader.state_at(10)):
        with pytest.raises(LogError, match="event 10 is not there yet: the event log ends at 9"):
            await refused
    await reader.close()
    await writer.close()


async def test_a_reader_that_follows_looks_again_at_a_steady_pace(path: Path) -> None:
    clock = Pace()
    writer = await SqliteLog.open(path)
    reader = await SqliteLog.open_read_only(path, clock=clock)
    async with aclosing(reader.follow(0)) as batches:
        for start in (0, 3):
            news = asyncio.ensure_future(anext(batches))
            for _ in range(3):
                await clock.turns.acquire()
            await writer.append(CHANGES[start : start + 3])
            assert seqs(await news) == list(range(start + 1, start + 4))
    assert clock.slept == {POLL}
    await reader.close()
    await writer.close()


async def test_a_reader_goes_by_the_clock_of_the_system_unless_it_is_given_one(path: Path) -> None:
    writer = await SqliteLog.open(path)
    reader = await SqliteLog.open_read_only(path)
    async with aclosing(reader.follow(0)) as batches:
        news = asyncio.ensure_future(anext(batches))
        await writer.append(CHANGES)
        assert seqs(await news) == list(range(1, 10))
    await reader.close()
    await writer.close()


async def test_a_reader_that_is_closed_while_it_waits_ends_its_followers(path: Path) -> None:
    clock = VirtualClock()
    writer = await SqliteLog.open(path)
    reader = await SqliteLog.open_read_only(path, clock=clock)

    async def all_of_it() -> list[object]:
        return [batch async for batch in reader.follow(0)]

    following = asyncio.ensure_future(all_of_it())
    await clock.advance(0)
    await reader.close()
    await clock.advance(POLL)
    assert await following == []
    await writer.close()


async def test_a_reader_that_finds_something_dropped_knows_where_the_log_begins_now(path: Path) -> None:
    writer = await SqliteLog.open(path)
    await writer.append(CHANGES)
    reader = await SqliteLog.open_read_only(path)
    await writer.trim(5)
    assert reader.oldest == 1
    with pytest.raises(LogTrimmedError, match="event 2 is no longer kept: the event log begins at 5"):
        await reader.read(1, 2)
    assert reader.oldest == 5
    await writer.trim(8)
    with pytest.raises(LogTrimmedError, match="event 6 is no longer kept: the event log begins at 8"):
        await reader.state_at(5)
    assert reader.oldest == 8
    assert list(await reader.read(7, 9)) == numbered(CHANGES)[7:]
    await reader.close()
    await writer.close()


async def test_a_writer_whose_file_was_trimmed_by_another_is_told_so_and_goes_on(path: Path) -> None:
    """Nobody may, but one that does is found out."""
    log = await SqliteLog.open(path)
    await log.append(CHANGES)
    await log.trim(5)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM events WHERE seq < 7")
        connection.execute("INSERT INTO keyframes SELECT 6, time, objects, refs, crc FROM keyframes")
    with pytest.raises(LogTrimmedError, match="event 6 is no longer kept: the event log begins at 7"):
        await log.read(5, 9)
    assert await log.append(CHANGES[:1]) == 10
    await log.close()


async def test_who_follows_a_log_that_is_written_gets_what_is_committed(path: Path) -> None:
    clock = Pace()
    log = await SqliteLog.open(path, clock=clock)
    await log.append(CHANGES[:2])
    async with aclosing(log.follow(0)) as batches:
        assert await anext(batches) == numbered(CHANGES[:2])
        await log.append(CHANGES[2:4])
        assert await anext(batches) == numbered(CHANGES)[2:4]
        news = asyncio.ensure_future(anext(batches))
        await asyncio.sleep(0)
        await log.append(CHANGES[4:5])
        assert await news == [Event(5, CHANGES[4])]
        await log.close()
        with pytest.raises(StopAsyncIteration):
            await anext(batches)
    assert clock.slept == set(), "it is told, and does not look again and again"


async def test_a_log_that_is_open_for_reading_is_not_written(path: Path) -> None:
    writer = await SqliteLog.open(path)
    reader = await SqliteLog.open_read_only(path)
    for refused in (reader.append(CHANGES), reader.identify(ClusterInfo("a", "b")), reader.trim(2)):
        with pytest.raises(LogError) as told:
            await refused
        assert str(told.value) == f"{path}: the event log was opened for reading only"
    await reader.close()
    await writer.close()


async def test_a_trim_gives_back_to_the_disk_what_it_dropped(path: Path) -> None:
    log = await SqliteLog.open(path)
    await log.append(list(history(3000)))
    await log.trim(2)
    whole = await asyncio.to_thread(path.stat)
    await log.trim(3001)
    left = await asyncio.to_thread(path.stat)
    assert left.st_size < whole.st_size / 2
    await log.close()
