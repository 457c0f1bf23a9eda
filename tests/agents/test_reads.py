"""What a log file tells an agent."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from kstream.agents.reads import LogReads, Reads
from kstream.core.errors import LogTrimmedError, UsageError
from kstream.core.timeline.events import Event
from kstream.core.timeline.state import ClusterState, with_pod_count
from kstream.core.timeline.timepoint import timestamp
from kstream.logs.sqlite import SqliteLog

INCIDENT = Path(__file__).parents[2] / "fixtures" / "incident.db"


@asynccontextmanager
async def of_log(path: Path = INCIDENT, page: str = "") -> AsyncIterator[LogReads]:
    log = await SqliteLog.open_read_only(path)
    try:
        yield LogReads(log, page=page)
    finally:
        await log.close()


async def told(reads: Reads, after: int, upto: int) -> list[Event]:
    return [event async for events in reads.events(after, upto) for event in events]


def bodies(state: ClusterState) -> dict[str, bytes]:
    return {entry.key.uid: entry.body.partition(b',"podCount"')[0] for entry in state}


async def test_a_log_tells_moments_states_and_events() -> None:
    async with of_log() as reads:
        assert await reads.cluster() == "incident"
        first, last = await reads.moment(None, end=False), await reads.moment(None, end=True)
        assert (first.seq, last.seq) == (0, 539)
        assert (await reads.moment("+0s", end=True)).time == first.time
        state = await reads.state(0)
        for event in await told(reads, 0, 539):
            state.apply(event)
        assert bodies(state) == bodies(await reads.state(539))
        with pytest.raises(UsageError, match="the log ends with seq:539"):
            await reads.moment("seq:540", end=True)


async def test_what_retention_has_dropped_is_not_told_as_what_came_later(tmp_path: Path) -> None:
    copy = Path(shutil.copy(INCIDENT, tmp_path / "trimmed.db"))
    async with of_log() as whole:
        dropped, kept = await whole.moment("seq:100", end=True), await whole.moment("seq:400", end=True)
        then = await whole.moment(timestamp(kept.time), end=True)
    log = await SqliteLog.open(copy)
    await log.trim(300)
    await log.close()
    async with of_log(copy) as reads:
        assert await reads.moment(timestamp(kept.time), end=True) == then
        for point in ("seq:100", timestamp(dropped.time)):
            with pytest.raises(LogTrimmedError, match="is no longer kept"):
                await reads.moment(point, end=True)


def test_counts_of_pods_are_left_out_of_what_is_compared() -> None:
    assert with_pod_count(b'{"name":"a"}', 3).partition(b',"podCount"')[0] == b'{"name":"a"'
