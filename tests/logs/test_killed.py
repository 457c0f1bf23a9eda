"""A writer that is killed loses nothing that it had said is committed."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from kstream.core.timeline.state import ClusterState
from kstream.logs.sqlite import SqliteLog
from tests.logs.facts import as_format, history, shown

ROOT = Path(__file__).parents[2]


async def test_fifty_killed_writers_lose_nothing_that_they_promised(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.logs.killing", str(path), "50", "7", cwd=ROOT, stdout=subprocess.PIPE
    )
    told, _ = await process.communicate()
    assert process.returncode == 0
    lives = [tuple(map(int, line.split())) for line in told.splitlines()]
    assert len(lives) == 50
    before = 0
    for promised, first, last, count in lives:
        assert first == 1
        assert count == last >= promised > before
        before = last
    log = await SqliteLog.open(path)
    state = ClusterState()
    for event in await log.read(0, log.head):
        state.apply(event)
    assert log.head == before
    assert shown(await log.state_at(before)) == shown(state)
    await log.close()


@pytest.mark.parametrize("journal", ["WAL", "DELETE"])
@pytest.mark.parametrize("statements", range(1, 25, 4))
async def test_a_migration_that_is_killed_midway_is_done_by_the_next_writer(
    tmp_path: Path, statements: int, journal: str
) -> None:
    path = tmp_path / "log.db"
    log = await SqliteLog.open(path)
    await log.append(list(history(3000)))
    state = shown(await log.state_at(2900))
    await log.close()
    as_format(path, 1)
    await asyncio.to_thread(kill_migration, path, statements, journal)
    if journal == "WAL":  # which is how it is done; the other is how an older SQLite file may come to us
        reader = await SqliteLog.open_read_only(path)
        assert shown(await reader.state_at(2900)) == state
        await reader.close()
    log = await SqliteLog.open(path)
    assert shown(await log.state_at(2900)) == state
    assert await log.append(list(history(1))) == 3001
    await log.close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT count(*) FROM keyframes").fetchone()[0] > 1


def kill_migration(path: Path, statements: int, journal: str) -> None:
    """Runs the migration in a process that dies at its nth statement."""
    script = f"""
import os, signal, sqlite3
from kstream.logs import schema
connection = sqlite3.connect({str(path)!r}, isolation_level=None)
connection.execute("PRAGMA journal_mode = {journal}")
connection.execute("PRAGMA cache_spill = 1")
connection.execute("PRAGMA cache_size = 1")  # what is changed goes to the disk at once, not at the end
left = {statements}
def count(statement):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
connection.set_trace_callback(count)
schema.migrate(connection)
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
