"""The file itself: its marks, what a person finds in it, who may write it, and older formats."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from contextlib import closing, suppress
from pathlib import Path

import pytest
import sqlite_utils

from kstream.clock import VirtualClock
from kstream.core.errors import LogBusyError, LogError, LogFullError, LogMismatchError
from kstream.core.timeline.events import Kind
from kstream.core.timeline.health import ClusterInfo
from kstream.logs.sqlite import SqliteLog
from kstream.ports import Jump
from tests.logs.facts import history, shown
from tests.logs.files import folded, size, table, written

WAL_KEPT = 16 * 1024 * 1024  # bytes: what docs/log-format.md says of the -wal file


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


async def test_what_was_written_is_there_after_reopening(path: Path) -> None:
    await written(path)
    for log in (await SqliteLog.open(path), await SqliteLog.open_read_only(path)):
        assert (log.epoch, log.head, log.oldest) == ("e1", 2500, 1)
        assert log.cluster == ClusterInfo("prod", "v1.36.0", "uid-a")
        assert log.meta == {"scenario": '"calm"'}
        assert set(log.versions) == {"pods"}
        assert shown(await log.state_at(2500)) == shown(folded(2500))
        await log.close()


async def test_a_closed_log_is_one_plain_file(path: Path) -> None:
    await written(path)
    assert [file.name for file in path.parent.iterdir()] == ["log.db"]


async def test_a_log_is_for_its_owner_alone_and_so_is_what_sqlite_puts_beside_it(path: Path) -> None:
    log = await SqliteLog.open(path)
    await log.append(list(history(3)))
    beside = [each for each in path.parent.iterdir() if each.name != f"{path.name}.lock"]
    assert {each.name.removeprefix(path.name): stat.S_IMODE(each.stat().st_mode) for each in beside} == {
        "": 0o600,
        "-wal": 0o600,
        "-shm": 0o600,
    }
    await log.close()


def test_a_log_that_others_may_read_stays_so(path: Path) -> None:
    async def write() -> None:
        log = await SqliteLog.open(path)
        await log.append(list(history(1)))
        await log.close()

    asyncio.run(write())
    path.chmod(0o644)
    asyncio.run(write())
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


async def test_a_temporary_log_leaves_nothing_behind() -> None:
    log = await SqliteLog.open_temporary()
    await log.append(list(history(10)))
    assert log.path.exists()
    await log.close()
    assert not log.path.parent.exists()


async def test_the_same_events_make_the_same_rows_whatever_the_batches(tmp_path: Path) -> None:
    paths = [tmp_path / f"{batch}.db" for batch in (1, 7, 2500)]
    for path, batch in zip(paths, (1, 7, 2500), strict=True):
        await written(path, batch=batch)
    for name in ("events", "keyframes", "meta"):
        first, *others = (table(path, name) for path in paths)
        assert first
        assert all(other == first for other in others)


async def test_reopening_does_not_move_the_keyframes(tmp_path: Path) -> None:
    changes = list(history(6000))
    whole, parts = tmp_path / "whole.db", tmp_path / "parts.db"
    log = await SqliteLog.open(whole)
    await log.append(changes)
    await log.close()
    for start in range(0, 6000, 777):
        log = await SqliteLog.open(parts)
        await log.append(changes[start : start + 777])
        await log.close()
    assert table(parts, "keyframes") == table(whole, "keyframes") != []


async def test_a_person_can_read_it_with_sqlite_utils(path: Path) -> None:
    await written(path)
    db = sqlite_utils.Database(path)
    state = folded(2500)
    assert next(iter(db["events"].rows))["body"].startswith("{")
    assert {row["uid"] for row in db["objects"].rows} == {entry.key.uid for entry in state}
    pods = {row["uid"]: row["phase"] for row in db["pods"].rows}
    assert pods == {entry.key.uid: entry.mark for entry in state if entry.key.kind is Kind.POD}
    nodes = {row["uid"]: row["status"] for row in db["nodes"].rows}
    assert nodes == {entry.key.uid: entry.mark for entry in state if entry.key.kind is Kind.NODE}
    assert len(list(db["namespaces"].rows)) == len(
        list(state.entries(list(type(next(iter(state)).key.kind))[2]))
    )
    first = next(iter(db["timeline"].rows))
    assert first["at"] == "2025-06-15T15:06:40.500Z"
    db.close()


async def test_the_views_are_right_after_retention(path: Path) -> None:
    await written(path)
    log = await SqliteLog.open(path)
    await log.trim(2000)
    await log.close()
    state = folded(2500)
    assert {row[6] for row in table(path, "pods")} == {e.key.uid for e in state if e.key.kind is Kind.POD}


async def test_retention_makes_the_file_smaller(path: Path) -> None:
    await written(path, 20_000, batch=5000)
    before = size(path)
    log = await SqliteLog.open(path)
    await log.trim(19_000)
    await log.close()
    assert size(path) < before * 0.7
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_a_second_writer_is_refused_and_the_first_goes_on(path: Path) -> None:
    log = await SqliteLog.open(path)
    with pytest.raises(LogBusyError, match="another kstream"):
        await SqliteLog.open(path)
    link = path.with_name("link.db")
    link.symlink_to(path)
    with pytest.raises(LogBusyError, match="another kstream"):
        await SqliteLog.open(link)
    assert await log.append(list(history(3))) == 3
    await log.close()
    await (await SqliteLog.open(path)).close()


async def test_another_epoch_is_refused(path: Path) -> None:
    await written(path)
    with pytest.raises(LogMismatchError, match="epoch e1, not e2"):
        await SqliteLog.open(path, epoch="e2")
    await (await SqliteLog.open(path, epoch="e1")).close()


async def test_a_reader_sees_what_another_connection_writes(path: Path) -> None:
    clock = VirtualClock()
    writer = await SqliteLog.open(path)
    reader = await SqliteLog.open_read_only(path, clock=clock)
    found: list[int] = []

    async def follow() -> None:
        async for batch in reader.follow(0):
            assert not isinstance(batch, Jump)
            found.extend(event.seq for event in batch)

    following = asyncio.create_task(follow())
    changes = list(history(3000))
    for start in range(0, 3000, 1000):
        await writer.append(changes[start : start + 1000])
        while len(found) < start + 1000:
            await clock.advance(0.05)
            await asyncio.sleep(0.001)  # its reading happens in a thread
    assert found == list(range(1, 3001))
    assert shown(await reader.state_at(3000)) == shown(folded(3000))
    await writer.identify(ClusterInfo("prod", "v1.36.0", "uid-a"))
    await reader.refresh()
    assert reader.cluster == ClusterInfo("prod", "v1.36.0", "uid-a")
    await reader.close()
    await clock.advance(0.05)
    await following
    await writer.close()


async def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="nowhere/log"):
        await SqliteLog.open(tmp_path / "nowhere" / "log.db")
    with pytest.raises(LogError, match="no such event log"):
        await SqliteLog.open_read_only(tmp_path / "log.db")


async def test_a_path_may_begin_with_two_slashes(path: Path) -> None:
    log = await SqliteLog.open(f"/{path}")
    assert await log.append(list(history(3))) == 3
    await log.close()
    reader = await SqliteLog.open_read_only(f"/{path}")
    assert reader.head == 3
    await reader.close()


async def test_a_full_log_says_so_and_goes_on_when_there_is_room(path: Path) -> None:
    log = await SqliteLog.open(path, max_bytes=400_000)
    changes = list(history(20_000))
    done = 0
    with suppress(LogFullError):
        while done < 20_000:
            done = await log.append(changes[done : done + 50])
    assert 0 < log.head == done < 20_000
    with pytest.raises(LogFullError, match=r"log\.db: the event log cannot grow"):
        await log.append(changes[done : done + 50])
    assert shown(await log.state_at(done)) == shown(folded(done))
    await log.trim(done - 100)
    assert await log.append(changes[done : done + 50]) == done + 50
    assert shown(await log.state_at(done + 50)) == shown(folded(done + 50))
    await log.close()
    log = await SqliteLog.open(path)
    assert await log.append(changes[done + 50 :]) == 20_000
    assert shown(await log.state_at(20_000)) == shown(folded(20_000))
    await log.close()


async def test_an_append_that_does_not_fit_does_not_take_others_with_it(path: Path) -> None:
    log = await SqliteLog.open(path, max_bytes=400_000)
    changes = list(history(9000))
    results = await asyncio.gather(
        log.append(changes[:10]), log.append(changes), log.append(changes[10:20]), return_exceptions=True
    )
    assert results[0] == 10
    assert isinstance(results[1], LogFullError)
    assert results[2] == 20
    await log.close()


async def test_the_wal_shrinks_again_after_a_reader_that_held_it(path: Path) -> None:
    log = await SqliteLog.open(path)
    changes = list(history(100_000))
    await log.append(changes[:1000])
    wal = path.with_name("log.db-wal")
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)) as paused:
        paused.execute("BEGIN")
        paused.execute("SELECT max(seq) FROM events").fetchone()
        for start in range(1000, 100_000, 3000):
            await log.append(changes[start : start + 3000])
        held = size(wal)
        assert held > WAL_KEPT
        paused.execute("COMMIT")
    for change in changes[:20]:
        await log.append([change])
    assert size(wal) <= WAL_KEPT
    assert log.head == 100_020
    await log.close()
