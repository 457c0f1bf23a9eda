"""Logs as files: written, measured, looked into."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from kstream.core.timeline.events import Event
from kstream.core.timeline.health import ClusterInfo
from kstream.core.timeline.state import ClusterState
from kstream.logs.sqlite import SqliteLog
from tests.logs.facts import history


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


def size(path: Path) -> int:
    return path.stat().st_size
