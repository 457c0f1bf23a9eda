"""A recording that is trimmed while it is played."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from kstream.clock import VirtualClock
from kstream.core.errors import LogTrimmedError
from kstream.logs.replay import ReplayLog
from kstream.ports import Jump
from tests.logs.facts import shown
from tests.logs.recordings import at, recorded, seqs
from tests.logs.staging import folded, staged


async def test_what_was_dropped_before_anyone_follows_moves_the_beginning() -> None:
    clock, recording = VirtualClock(), await recorded()
    log = await ReplayLog.open(recording, clock, end="seq:40")
    told: list[Any] = []
    log.listen(told.append)
    await recording.trim(21)
    with pytest.raises(LogTrimmedError, match="event 1 is no longer kept: the event log begins at 21"):
        await log.state_at(0)
    assert (log.head, log.playback["start"], log.playback["at"], log.playback["end"]) == (
        20,
        at(21),
        at(21),
        at(40),
    )
    assert told == [log.playback]
    assert shown(await log.state_at(20)) == shown(folded(20))
    with pytest.raises(LogTrimmedError):
        await log.read(3, 20)
    assert (log.head, log.playback["start"]) == (20, at(21))


async def test_what_is_dropped_before_where_it_is_leaves_it_there() -> None:
    clock, recording = VirtualClock(), await recorded()
    log = await ReplayLog.open(recording, clock, at="seq:60")
    await recording.trim(21)
    with pytest.raises(LogTrimmedError):
        await log.read(10, 30)
    assert (log.head, log.playback["start"], log.playback["at"]) == (60, at(21), at(60))
    assert seqs(await log.read(20, 60)) == (21, 60)


async def test_with_a_follower_what_was_dropped_is_found_by_that_one() -> None:
    async with staged() as stage:
        await stage.clock.advance(2.0)
        await stage.recording.trim(21)
        with pytest.raises(LogTrimmedError):
            await stage.log.state_at(2)
        assert (stage.log.head, stage.told) == (5, [])


async def test_all_of_a_span_may_be_dropped() -> None:
    clock, recording = VirtualClock(), await recorded()
    log = await ReplayLog.open(recording, clock, end="seq:40", speed="max")
    await recording.trim(61)
    async with aclosing(log.follow(0)) as batches:
        jump = await anext(batches)
        assert isinstance(jump, Jump)
        assert shown(jump.state) == shown(folded(60))
        waiting = asyncio.ensure_future(anext(batches))
        await clock.advance(100)
        assert (log.head, log.playback["state"], log.playback["end"]) == (60, "ended", at(61))
        await log.close()
        with pytest.raises(StopAsyncIteration):
            await waiting


@pytest.mark.parametrize("oldest", [2, 31])
@pytest.mark.parametrize("point", ["seq:0", "-1h"])
async def test_a_seek_before_what_is_kept_goes_to_where_it_begins(point: str, oldest: int) -> None:
    async with staged() as stage:
        await stage.clock.advance(20.0)
        await stage.recording.trim(oldest)
        await stage.log.seek(point)
        await stage.clock.advance(0)
        assert stage.watcher.jumps == [oldest - 1]
        assert stage.log.playback["start"] == at(oldest)


async def test_a_seek_to_what_is_dropped_right_after_goes_to_where_the_recording_begins_then() -> None:
    async with staged() as stage:
        await stage.clock.advance(47.1)
        assert stage.seq == 95
        await stage.log.seek("seq:80")
        await stage.recording.trim(91)
        await stage.clock.advance(0)
        assert stage.watcher.jumps == [90]


async def test_a_seek_in_a_span_that_was_dropped_shows_what_is_left_and_is_told_once() -> None:
    async with staged(end="seq:40") as stage:
        await stage.recording.trim(61)
        await stage.log.seek("seq:20")
        await stage.clock.advance(0)
        assert stage.watcher.jumps == [60]
        stage.told.clear()
        await stage.log.seek("seq:20")
        await stage.clock.advance(0)
        assert (stage.watcher.jumps, [told["state"] for told in stage.told]) == (
            [60, 60],
            ["playing", "ended"],
        )


async def test_a_seek_where_nothing_was_dropped_is_told_once() -> None:
    async with staged() as stage:
        await stage.log.seek("seq:50")
        assert [told["at"] for told in stage.told] == [at(50)]
