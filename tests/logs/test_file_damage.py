"""Files that are none of ours, that are older, or that were damaged."""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from kstream.core.errors import LogError, LogFormatError
from kstream.core.timeline.events import Kind
from kstream.core.timeline.health import ClusterInfo
from kstream.logs import schema
from kstream.logs.sqlite import SqliteLog
from tests.logs.facts import as_format, history, shown
from tests.logs.files import folded, size, table, written


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


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
@pytest.mark.parametrize(("number", "note", "time"), [(4, "n29", 60.0), (5, "n32", 66.0)])
async def test_a_log_of_an_older_format_that_its_kstream_wrote_says_what_it_said(
    path: Path, number: int, note: str, time: float, *, reading: bool
) -> None:
    """tests/logs/formats/: ten pods that changed, one of them deleted, trimmed before event 8."""
    shutil.copy(Path(__file__).parent / f"formats/format-{number}.db", path)
    log = await (SqliteLog.open_read_only(path) if reading else SqliteLog.open(path))
    assert (log.epoch, log.oldest, log.head, log.versions) == ("golden", 8, 33, {"pods": "5"})
    assert log.cluster == ClusterInfo("golden", "v1.36.0", "uid-golden")
    state = await log.state_at(33)
    assert [entry.key.name for entry in state.entries(Kind.POD)] == [f"p{n}" for n in range(10) if n != 3]
    assert json.loads((await log.read(31, 32))[0].change.body)["note"] == note
    assert state.time == 1_737_712_800.0 + time
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
