"""Logs as files: written, measured, looked into."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from kstream.core.timeline.events import Event, WatchEvent
from kstream.core.timeline.health import ClusterInfo
from kstream.core.timeline.state import ClusterState
from kstream.logs import reading
from kstream.logs.connections import connect_for_reading
from kstream.logs.sqlite import SqliteLog
from kstream.logs.store import Change, Store
from kstream.logs.verification import verify
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


def stored(path: Path, changes: Iterable[WatchEvent], *, before: int = 1, term: bool = True) -> None:
    """Written, or written on, without an event loop around it; then trimmed. Without `term` only the latter."""
    store = Store(path, epoch="e1", meta={"scenario": '"calm"'}, only_trim=not term)
    some = list(changes)
    if some:
        store.commit([Change(some, {"pods": some[-1].version})])
    if term:
        store.identify(ClusterInfo("prod", "v1.36.0", "uid-a"))
    store.trim(before)
    store.close()


def state_at(path: Path, seq: int) -> ClusterState:
    with closing(connect_for_reading(path)) as connection:
        return reading.state_at(connection, seq)


def contents(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """All that is kept in a log, but its keyframes, whose places depend on where it began."""
    return {name: table(path, name) for name in ("events", "baseline", "meta", "versions", "terms")}


def is_whole(path: Path) -> bool:
    return not [each for each in verify(path) if each.wrong]
