"""The file itself: its marks, what a person finds in it, who may write it, and older formats."""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import sqlite3
import stat
from contextlib import closing, suppress
from pathlib import Path

import pytest
import sqlite_utils

from kstream.clock import VirtualClock
from kstream.core.errors import LogBusyError, LogError, LogFormatError, LogFullError, LogMismatchError
from kstream.core.timeline.events import Event, Kind
from kstream.core.timeline.health import ClusterInfo
from kstream.core.timeline.state import ClusterState
from kstream.logs import schema
from kstream.logs.sqlite import SqliteLog
from kstream.ports import Jump
from tests.logs.facts import as_format, history, shown

WAL_KEPT = 16 * 1024 * 1024  # bytes: what docs/log-format.md says of the -wal file


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


def folded(count: int) -> ClusterState:
    state = ClusterState()
    for seq, change in enumerate(history(count), 1):
        state.apply(Event(seq, change))
    return state


async def written(path: Path, count: int = 2500, *, batch: int = 100) -> None:
    log = await SqliteLog.open(path, epoch="e1", meta={"scenario": '"calm"'})
    changes = list(history(count))
    for start in range(0, count, batch):
        await log.append(changes[start : start + batch], versions={"pods": changes[start].version})
    await log.identify(ClusterInfo("prod", "v1.36.0", "uid-a"))
    await log.close()


def table(path: Path, name: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"SELECT * FROM {name}").fetchall()


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


def size(path: Path) -> int:
    return path.stat().st_size


def content(path: Path) -> bytes:
    return path.read_bytes()


def make_foreign(path: Path, kind: str) -> bytes:
    match kind:
        case "text":
            path.write_text("kind: Config\napiVersion: v1\n")
        case "long text":
            path.write_text("some words " * 1000)
        case "empty":
            path.touch()
        case "another application":
            with closing(sqlite3.connect(path)) as connection:
                connection.execute("CREATE TABLE t (x)")
        case _:
            with closing(sqlite3.connect(path)) as connection:
                connection.execute("CREATE TABLE t (x)")
                connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {schema.FORMAT + 1}")
    return content(path)


@pytest.mark.parametrize("kind", ["text", "long text", "another application", "newer"])
async def test_what_is_no_log_of_ours_is_refused_and_left_alone(path: Path, kind: str) -> None:
    before = make_foreign(path, kind)
    message = "use a newer kstream" if kind == "newer" else "not an event log of kstream"
    for opening in (SqliteLog.open(path), SqliteLog.open_read_only(path)):
        with pytest.raises(LogFormatError, match=message):
            await opening
    assert content(path) == before
    assert [file.name for file in path.parent.iterdir()] == ["log.db"]


async def test_an_empty_file_becomes_a_log_and_is_none_for_reading(path: Path) -> None:
    make_foreign(path, "empty")
    with pytest.raises(LogFormatError, match="it is empty"):
        await SqliteLog.open_read_only(path)
    log = await SqliteLog.open(path)
    assert await log.append(list(history(1))) == 1
    await log.close()


@pytest.mark.parametrize("number", range(1, schema.FORMAT))
async def test_an_older_format_is_read_as_it_is_and_migrated_for_writing(path: Path, number: int) -> None:
    await written(path)
    today = {name: table(path, name) for name in ("events", "keyframes", "meta")}
    as_format(path, number)
    reader = await SqliteLog.open_read_only(path)
    assert shown(await reader.state_at(2300)) == shown(folded(2300))
    await reader.close()
    for _ in range(2):
        await (await SqliteLog.open(path)).close()
    assert {name: table(path, name) for name in today} == today
    assert len(table(path, "pods")) > 0


@pytest.mark.parametrize("reading", [True, False])
async def test_a_log_of_format_4_that_its_kstream_wrote_says_what_it_said(
    path: Path, *, reading: bool
) -> None:
    """tests/logs/formats/format-4.db: ten pods that changed, one of them deleted, trimmed before event 8."""
    shutil.copy(Path(__file__).parent / "formats/format-4.db", path)
    log = await (SqliteLog.open_read_only(path) if reading else SqliteLog.open(path))
    assert (log.epoch, log.oldest, log.head, log.versions) == ("golden", 8, 33, {"pods": "5"})
    assert log.cluster == ClusterInfo("golden", "v1.36.0", "uid-golden")
    state = await log.state_at(33)
    assert [entry.key.name for entry in state.entries(Kind.POD)] == [f"p{n}" for n in range(10) if n != 3]
    assert json.loads((await log.read(31, 32))[0].change.body)["note"] == "n29"
    assert state.time == 1_737_712_860.0
    await log.close()


async def test_what_is_damaged_before_a_migration_is_damaged_after_it(path: Path) -> None:
    await written(path)
    as_format(path, 4)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE events SET name = 'other' WHERE seq = 1500")
        connection.execute("UPDATE events SET verb = 'ADDED' WHERE seq = 1600")
    log = await SqliteLog.open(path)
    with pytest.raises(LogFormatError, match="event 1500 is not as it was written"):
        await log.read(1490, 1510)
    assert len(await log.read(1500, 1510)) == 10
    await log.close()


@pytest.mark.parametrize(
    "crafted",
    [
        "CREATE TRIGGER t AFTER INSERT ON events BEGIN DELETE FROM events; END",
        "ALTER TABLE events RENAME TO kept; CREATE VIEW events AS SELECT * FROM kept",
        "DROP TABLE terms; CREATE VIEW TERMS AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x FROM n)"
        " SELECT x AS number, '' AS id, 1 AS first, 0 AS crc FROM n",
        "DROP TABLE meta; CREATE VIRTUAL TABLE meta USING fts5(key, value, crc)",
    ],
    ids=["a trigger", "a view of events", "a view without an end", "a virtual table"],
)
async def test_what_would_run_code_of_the_file_is_refused_before_it_is_read(path: Path, crafted: str) -> None:
    await written(path)
    with closing(sqlite3.connect(path)) as connection:
        for name in schema.VIEWS:
            connection.execute(f"DROP VIEW {name}")
        connection.executescript(crafted)
    for opening in (SqliteLog.open, SqliteLog.open_read_only):
        with pytest.raises(LogFormatError, match="was tampered with"):
            await opening(path)


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


@pytest.mark.parametrize("seed", range(60))
async def test_a_flipped_or_cut_file_is_told_or_does_not_matter_but_is_never_wrong(
    path: Path, seed: int
) -> None:
    await written(path, 1500, batch=500)
    rng = random.Random(seed)
    whole = size(path)
    if seed % 6 == 0:
        os.truncate(path, rng.randrange(1, whole))
    else:
        with path.open("r+b") as file:
            for _ in range(rng.choice([1, 1, 8, 200])):
                file.seek(place := rng.randrange(whole))
                (byte,) = file.read(1)
                file.seek(place)
                file.write(bytes([byte ^ 1 << rng.randrange(8)]))
    for opening in (SqliteLog.open_read_only, SqliteLog.open):
        try:
            log = await opening(path)
        except LogError:
            continue
        try:
            state = await log.state_at(1500)
            events = await log.read(0, 1500)
        except LogError:
            continue
        else:
            assert list(state) == list(folded(1500))
            assert [(e.seq, e.change.key, e.change.body) for e in events] == [
                (seq, change.key, change.body) for seq, change in enumerate(history(1500), 1)
            ]
            assert set(log.versions.items()) == {("pods", "2001")}
        finally:
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


@pytest.mark.parametrize("suffix", ["-wal", "-shm"])
@pytest.mark.parametrize("seed", range(12))
async def test_a_damaged_wal_or_shm_costs_the_end_of_the_history_at_most(
    path: Path, seed: int, suffix: str, tmp_path: Path
) -> None:
    log = await SqliteLog.open(path)
    changes = list(history(1500))
    for start in range(0, 1500, 100):
        await log.append(changes[start : start + 100])
    copy = tmp_path / "copy.db"
    for part in ("", "-wal", "-shm"):
        await asyncio.to_thread(shutil.copy, f"{path}{part}", f"{copy}{part}")
    await log.close()
    await asyncio.to_thread(damage, Path(f"{copy}{suffix}"), random.Random(seed))
    for opening in (SqliteLog.open_read_only, SqliteLog.open):
        try:
            log = await opening(copy)
        except LogError:
            continue
        try:
            assert log.head % 100 == 0
            if suffix == "-shm":
                assert log.head == 1500
            assert list(await log.state_at(log.head)) == list(folded(log.head))
        except LogFormatError:
            continue
        finally:
            await log.close()


def damage(path: Path, rng: random.Random) -> None:
    whole = size(path)
    if rng.random() < 0.3:
        os.truncate(path, rng.randrange(whole))
        return
    with path.open("r+b") as file:
        for _ in range(rng.choice([1, 10])):
            file.seek(place := rng.randrange(whole))
            (byte,) = file.read(1)
            file.seek(place)
            file.write(bytes([byte ^ 1 << rng.randrange(8)]))
