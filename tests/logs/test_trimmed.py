"""Retention while others read: whoever needs what was dropped is told, and never sees a wrong state."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager, closing, suppress
from pathlib import Path

import pytest

from kstream.clock import VirtualClock
from kstream.core.errors import LogFormatError, LogTrimmedError
from kstream.core.timeline.events import Event, Verb
from kstream.core.timeline.retention import Keep
from kstream.core.timeline.state import ClusterState
from kstream.logs.memory import MemoryLog
from kstream.logs.replay import ReplayLog
from kstream.logs.sqlite import SqliteLog
from kstream.ports import EventLog, Jump
from kstream.retention import trim_to
from tests.logs.facts import churn, history, shown
from tests.making import change, pod_key


def folded(count: int) -> ClusterState:
    state = ClusterState()
    for seq, fact in enumerate(history(count), 1):
        state.apply(Event(seq, fact))
    return state


class Fold:
    """A follower as the hub is one; after every batch its state is compared with the fold of everything."""

    def __init__(self) -> None:
        self.state = ClusterState()
        self.jumps: list[int] = []

    def take(self, batch: Sequence[Event] | Jump) -> None:
        if isinstance(batch, Jump):
            assert batch.state.seq > self.state.seq
            self.jumps.append(batch.state.seq)
            self.state = batch.state
        else:
            for event in batch:
                assert event.seq == self.state.seq + 1
                self.state.apply(event)

    async def follow(self, log: EventLog, upto: int) -> None:
        async with aclosing(log.follow(0)) as batches:
            while self.state.seq < upto:
                self.take(await anext(batches))


@asynccontextmanager
async def written_and_read(path: Path, clock: VirtualClock) -> AsyncIterator[tuple[SqliteLog, SqliteLog]]:
    """The log of one process, with 3000 events, and what another process sees of it."""
    writer = await SqliteLog.open(path)
    await writer.append(list(history(3000)))
    reader = await SqliteLog.open_read_only(path, clock=clock)
    yield writer, reader
    await reader.close()
    await writer.close()


async def test_a_reader_that_does_not_know_of_the_trim_is_told_and_knows_it_then(tmp_path: Path) -> None:
    async with written_and_read(tmp_path / "log.db", VirtualClock()) as (writer, reader):
        await writer.trim(2001)
        assert reader.oldest == 1
        with pytest.raises(
            LogTrimmedError, match="event 101 is no longer kept: the event log begins at 2001"
        ):
            await reader.read(100, 200)
        assert reader.oldest == 2001
        with pytest.raises(LogTrimmedError, match="begins at 2001"):
            await reader.state_at(1999)
        assert shown(await reader.state_at(2000)) == shown(folded(2000))


async def test_a_state_that_was_dropped_unnoticed_is_not_made_up(tmp_path: Path) -> None:
    async with written_and_read(tmp_path / "log.db", VirtualClock()) as (writer, reader):
        await writer.trim(3001)
        for seq in (0, 1, 1000, 2999):
            with suppress(LogTrimmedError):
                await reader.refresh()
                await reader.state_at(seq)
                pytest.fail(f"there is no state at {seq} any more")
        assert shown(await reader.state_at(3000)) == shown(folded(3000))


async def test_a_follower_in_another_process_jumps_over_what_was_dropped(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with written_and_read(tmp_path / "log.db", clock) as (writer, reader):
        fold = Fold()
        async with aclosing(reader.follow(0)) as batches:
            fold.take(await anext(batches))
            assert fold.state.seq == 1000
            await writer.trim(2501)
            assert reader.oldest == 1, "it has not looked since"
            while fold.state.seq < 3000:
                fold.take(await anext(batches))
        assert fold.jumps == [2500]
        assert shown(fold.state) == shown(folded(3000))


async def test_followers_and_trims_at_once_end_with_the_right_state(tmp_path: Path) -> None:
    log = await SqliteLog.open(tmp_path / "log.db")
    changes = list(history(30_000))
    await log.append(changes[:20_000])
    folds = [Fold() for _ in range(4)]
    async with asyncio.TaskGroup() as tasks:
        for fold in folds:
            tasks.create_task(fold.follow(log, 30_000))
        for start in range(20_000, 30_000, 500):
            await asyncio.gather(log.append(changes[start : start + 500]), log.trim(start - 700))
    await log.close()
    expected = shown(folded(30_000))
    for fold in folds:
        assert shown(fold.state) == expected
        assert fold.jumps, "it had 20,000 events to read, and they were dropped before it had"


@pytest.mark.parametrize("kind", ["memory", "file"])
async def test_what_memory_still_holds_for_a_follower_needs_no_jump(kind: str, tmp_path: Path) -> None:
    log = MemoryLog() if kind == "memory" else await SqliteLog.open(tmp_path / "log.db")
    changes = list(history(30))
    fold = Fold()
    await log.append(changes[:1])
    async with aclosing(log.follow(0)) as batches:
        fold.take(await anext(batches))
        await log.append(changes[1:])
        await log.trim(31)
        fold.take(await anext(batches))
    assert (fold.state.seq, fold.jumps) == (30, [])
    await log.close()


@asynccontextmanager
async def played(
    clock: VirtualClock, end: str | None = None
) -> AsyncIterator[tuple[MemoryLog, ReplayLog, Fold]]:
    """A recording of 3000 events, one every 0.5 s, played to a follower."""
    recording = MemoryLog()
    await recording.append(list(history(3000)))
    log = await ReplayLog.open(recording, clock, end=end)
    fold = Fold()
    fold.state = await log.state_at(log.head)
    task = asyncio.create_task(_play(log, fold))
    await clock.advance(0)
    yield recording, log, fold
    await log.close()
    await clock.advance(0)
    await task


async def _play(log: ReplayLog, fold: Fold) -> None:
    async with aclosing(log.follow(log.head)) as batches:
        async for batch in batches:
            if isinstance(batch, Jump):
                fold.state = batch.state
                fold.jumps.append(fold.state.seq)
            else:
                fold.take(batch)
            assert log.head == fold.state.seq


async def test_a_replay_that_retention_overtakes_goes_on_at_the_oldest_state_that_is_kept() -> None:
    clock = VirtualClock()
    async with played(clock) as (recording, log, fold):
        await clock.advance(10)
        assert fold.state.seq == 21
        await recording.trim(2001)
        await clock.advance(485)
        assert (fold.state.seq, fold.jumps) == (991, []), "1000 events are read ahead"
        await clock.advance(5)
        assert fold.jumps == [2000]
        assert shown(fold.state) == shown(folded(fold.state.seq))
        assert fold.state.seq == 2002, "the one that was shown last was 0.5 s ago"
        await clock.advance(10)
        assert fold.state.seq == 2022
        await clock.advance(600)
        assert shown(fold.state) == shown(folded(3000))
        assert log.playback["state"] == "ended"
        log.play()
        await clock.advance(0)
        assert fold.jumps == [2000, 2000], "its start is where the recording begins now"


async def test_a_seek_to_what_was_dropped_shows_the_oldest_state_that_is_kept() -> None:
    clock = VirtualClock()
    async with played(clock) as (recording, log, fold):
        await clock.advance(400)
        await recording.trim(501)
        assert fold.state.seq == 801
        for point in ("seq:3", "-390s"):
            await log.seek(point)
            await clock.advance(0)
            assert shown(fold.state) == shown(folded(501))
        assert log.playback["start"] == "2025-06-15T15:10:50.500Z"


async def test_a_replay_of_which_all_is_dropped_shows_the_last_state_and_ends() -> None:
    clock = VirtualClock()
    async with played(clock, end="seq:1500") as (recording, log, fold):
        await clock.advance(10)
        await recording.trim(3001)
        await clock.advance(500)
        assert shown(fold.state) == shown(folded(3000))
        await clock.advance(500)
        assert log.playback["state"] == "ended"


async def test_a_recording_that_is_trimmed_before_the_replay_begins_begins_later() -> None:
    clock, recording = VirtualClock(), MemoryLog()
    await recording.append(list(history(3000)))
    log = await ReplayLog.open(recording, clock)
    await recording.trim(2001)
    with pytest.raises(LogTrimmedError):
        await log.state_at(0)
    assert log.head == 2000
    assert shown(await log.state_at(2000)) == shown(folded(2000))


async def test_the_file_itself_is_smaller_at_once_though_it_is_open_and_read(tmp_path: Path) -> None:
    path, sizes = tmp_path / "log.db", (6_000_000, 3_000_000, 1_500_000)
    log = await SqliteLog.open(path)
    await log.append(list(churn(40_000)))
    reader = await SqliteLog.open_read_only(path)
    await reader.state_at(40_000)
    for size in sizes:
        assert await trim_to(log, Keep(size=size), now=0.0)
        assert size * 0.9 < path.stat().st_size <= size
        await reader.refresh()
        assert shown(await reader.state_at(40_000)) == shown(await log.state_at(40_000))
    assert log.oldest > 30_000
    await reader.close()
    await log.close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_appends_have_their_turn_while_much_is_dropped(tmp_path: Path) -> None:
    log = await SqliteLog.open(tmp_path / "log.db")
    changes = list(churn(100_000))
    await log.append(changes)
    trimming = asyncio.create_task(log.trim(99_000))
    appended = 0
    while not trimming.done():
        await log.append(changes[:1])
        appended += 1
    assert appended >= 5, "one at least between two steps of 20,000 events"
    assert (log.oldest, log.head) == (99_000, 100_000 + appended)
    await log.close()


@pytest.mark.parametrize("before", [101, 60, 1511])
@pytest.mark.parametrize("column", ["verb = 'DELETED'", "uid = 'another'", "kind = 'node'"])
async def test_what_is_damaged_does_not_become_whole_by_a_trim(
    tmp_path: Path, before: int, column: str
) -> None:
    """The state that a trim leaves is made of rows that are as they were written, or not at all."""
    path, damaged = tmp_path / "log.db", 50 if before <= 101 else 1500
    log = await SqliteLog.open(path)
    added = [change(Verb.ADDED, pod_key(f"p{number}")) for number in range(100)]
    later = [change(Verb.MODIFIED, pod_key(f"p{number % 100}")) for number in range(1900)]
    await log.append(added + later)
    await log.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"UPDATE events SET {column} WHERE seq = {damaged}")
    log = await SqliteLog.open(path)
    with pytest.raises(LogFormatError, match=f"event {damaged} is not as it was written"):
        await log.trim(before)
    assert log.oldest == 1
    await log.close()
