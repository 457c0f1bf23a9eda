"""A replay as a log: what it says of its recording and of itself, who may follow it, and what commands leave behind."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any

import pytest

from kstream.clock import VirtualClock
from kstream.core.errors import InvalidMessageError, LogError
from kstream.core.timeline.events import Event
from kstream.core.timeline.health import ClusterInfo
from kstream.core.timeline.state import ClusterState
from kstream.core.timeline.timepoint import timestamp
from kstream.logs.memory import MemoryLog
from kstream.logs.replay import ReplayLog
from kstream.ports import Jump
from tests.logs.facts import START, history, shown
from tests.logs.recordings import at, recorded, seqs
from tests.logs.staging import STEP, Stage, folded, staged

BEGIN, END = timestamp(START + STEP), timestamp(START + 100 * STEP)  # of the first and the last of 100 events


async def test_it_is_the_log_that_was_recorded() -> None:
    recording = await recorded()
    await recording.trim(5)
    log = await ReplayLog.open(recording, VirtualClock())
    assert (log.epoch, log.terms, log.oldest, log.head) == ("e1", recording.terms, 5, 4)
    assert (log.cluster, log.versions) == (ClusterInfo("prod", "v1.36.0", "uid-a"), {"pods": "7"})


async def test_it_says_where_it_is() -> None:
    async with staged() as stage:
        await stage.clock.advance(2.2)
        whole = {"start": BEGIN, "end": END}
        assert stage.log.playback == {"state": "playing", "speed": 1.0, "at": timestamp(START + 2.7)} | whole
        assert stage.log.time() == pytest.approx(START + 2.7)
        stage.log.set_speed("max")
        assert stage.log.playback["speed"] == "max"
        await stage.clock.advance(1)
        assert stage.log.playback == {"state": "ended", "speed": "max", "at": END} | whole


async def test_every_command_is_told_until_nobody_listens() -> None:
    async with staged() as stage:
        told: list[Any] = []
        end = stage.log.listen(told.append)
        stage.log.pause()
        stage.log.play()
        stage.log.set_speed(2.0)
        stage.log.step()
        await stage.log.seek("seq:50")
        assert [(each["state"], each["speed"], each["at"]) for each in told] == [
            ("paused", 1.0, BEGIN),
            ("playing", 1.0, BEGIN),
            ("playing", 2.0, BEGIN),
            ("paused", 2.0, BEGIN),
            ("paused", 2.0, at(50)),
        ]
        assert told == stage.told
        end()
        stage.log.play()
        assert len(told) == 5
        assert len(stage.told) == 6


async def test_up_to_when_all_is_shown_is_not_known_before_it_has_read_ahead() -> None:
    clock = VirtualClock()
    log = await ReplayLog.open(await recorded(), clock)
    assert log.watermark() is None
    log = await ReplayLog.open(await recorded(), clock, start="seq:100")
    assert log.watermark() == (START + 100 * STEP, 100)


async def test_all_is_shown_up_to_now_but_not_past_an_event_that_was_not_shown_yet() -> None:
    async with staged() as stage:
        await stage.clock.advance(2.2)
        time, seq = stage.log.watermark() or (0.0, 0)
        assert seq == 5
        assert time == pytest.approx(START + 2.7)
        stage.clock._now += 1.0  # and nobody had a turn since
        assert stage.log.time() == pytest.approx(START + 3.7)
        assert stage.log.watermark() == (START + 6 * STEP, 5)
        await stage.clock.advance(1000)
        assert stage.log.watermark() == (START + 100 * STEP, 100)


@pytest.mark.parametrize(
    "points",
    [
        {"start": "seq:100"},
        {"start": "seq:100", "end": "seq:100"},
        {"start": END, "end": END},
        {"start": END},
        {"start": "+3200ms", "end": "+3200ms"},
    ],
)
async def test_a_span_of_no_length_ends_at_once(points: dict[str, Any]) -> None:
    async with staged(**points) as stage:
        assert stage.watcher.batches == []
        assert (stage.log.playback["state"], stage.log.playback["start"]) == (
            "ended",
            stage.log.playback["end"],
        )


async def test_a_span_that_ends_before_it_begins_is_refused_though_no_event_is_between() -> None:
    recording = await recorded()
    with pytest.raises(InvalidMessageError) as refused:
        await ReplayLog.open(recording, VirtualClock(), start="+3200ms", end="+3100ms")
    assert refused.value.details == (
        f"to: '+3100ms' is before from '+3200ms': the log has {BEGIN} to {END} (seq:1 to seq:100)"
    )


async def test_a_recording_of_one_event_has_one_and_one_that_is_trimmed_away_has_its_state() -> None:
    recording = await recorded(1)
    for holds in (
        f"the log has {BEGIN} to {BEGIN} (seq:1 to seq:1)",
        f"the log has no events, only the state of {BEGIN}",
    ):
        with pytest.raises(InvalidMessageError) as refused:
            await ReplayLog.open(recording, VirtualClock(), start="seq:2")
        assert refused.value.details == f"from: 'seq:2' is after its end: {holds}"
        await recording.trim(2)


async def test_a_moment_before_all_time_is_the_beginning() -> None:
    log = await ReplayLog.open(await recorded(), VirtualClock(), start="-63000000000s")
    assert (log.head, log.playback["start"]) == (0, BEGIN)


async def test_the_end_of_a_span_does_not_grow_with_the_recording() -> None:
    async with staged(20, end="seq:20") as stage:
        await stage.recording.append(list(history(40))[20:])
        await stage.clock.advance(1000)
        assert (stage.seq, stage.log.playback["state"], stage.log.playback["end"]) == (20, "ended", at(20))


async def test_the_end_of_a_whole_recording_grows_with_it() -> None:
    async with staged(20) as stage:
        await stage.clock.advance(5.0)
        await stage.recording.append(list(history(40))[20:])
        await stage.clock.advance(9.6)
        assert (stage.seq, stage.log.playback["end"], stage.log.playback["state"]) == (30, at(40), "playing")
        await stage.clock.advance(5.0)
        assert (stage.seq, stage.log.playback["state"]) == (40, "ended")


async def test_a_span_that_ends_after_its_last_event_is_played_to_its_end() -> None:
    async with staged(end="+2200ms") as stage:
        await stage.clock.advance(2.1)
        assert (stage.seq, stage.log.playback["state"]) == (5, "playing")
        await stage.clock.advance(0.2)
        assert (stage.seq, stage.log.playback["state"]) == (5, "ended")


class Counting(VirtualClock):
    """A clock that counts how often somebody waits for something."""

    waits = 0

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        self.waits += 1
        return await super().wait(event, seconds)


async def test_a_timeline_that_stands_still_waits_once_for_a_command() -> None:
    clock, recording = Counting(), await recorded()
    log = await ReplayLog.open(recording, clock)
    stage = Stage(clock, recording, log)
    running = asyncio.ensure_future(stage.watcher.run())
    await clock.advance(2.0)
    log.pause()
    await clock.advance(0)
    before = clock.waits
    await clock.advance(1000)
    assert clock.waits == before
    log.play()
    await clock.advance(0.6)
    assert clock.waits == before + 2
    await log.close()
    await clock.advance(0)
    await running


async def test_a_beginning_in_the_middle_counts_from_either_end_of_the_recording() -> None:
    for point, seq in (("+10s", 21), ("-10s", 80), ("seq:40", 40)):
        log = await ReplayLog.open(await recorded(), VirtualClock(), at=point)
        assert (log.head, log.playback["at"]) == (seq, at(seq))


async def test_a_step_that_was_not_taken_is_forgotten_by_play_and_by_seek() -> None:
    async with staged() as stage:
        await stage.clock.advance(2.0)
        for _ in range(3):
            stage.log.step()
        stage.log.play()
        await stage.clock.advance(0)
        assert stage.seq == 5
        for _ in range(3):
            stage.log.step()
        await stage.log.seek("seq:50")
        await stage.clock.advance(0)
        assert stage.seq == 50


async def test_as_many_steps_are_taken_as_were_asked_for_up_to_a_thousand() -> None:
    async with staged(3000, paused=True) as stage:
        for _ in range(3):
            stage.log.step()
        await stage.clock.advance(0)
        assert stage.seq == 3
        for _ in range(1003):
            stage.log.step()
        await stage.clock.advance(0)
        assert stage.seq == 1003


async def test_a_step_at_the_end_is_none() -> None:
    async with staged(20) as stage:
        await stage.clock.advance(1000)
        stage.log.step()
        await stage.clock.advance(10)
        assert (stage.seq, stage.log.playback["state"]) == (20, "ended")
        stage.log.play()
        await stage.clock.advance(0)
        assert stage.seq == 1


async def test_who_is_behind_the_timeline_gets_what_it_missed_first() -> None:
    log = await ReplayLog.open(await recorded(3000), VirtualClock(), at="seq:2500")
    async with aclosing(log.follow(100)) as batches:
        found = [seqs(await anext(batches)) for _ in range(3)]
    assert found == [(101, 1100), (1101, 2100), (2101, 2500)]


async def test_who_is_ahead_of_the_timeline_jumps_back_to_it() -> None:
    log = await ReplayLog.open(await recorded(), VirtualClock(), at="seq:50", speed="max")
    async with aclosing(log.follow(60)) as batches:
        jump = await anext(batches)
        assert isinstance(jump, Jump)
        assert shown(jump.state) == shown(folded(50))
        assert seqs(await anext(batches)) == (51, 100)


async def test_when_one_follower_has_left_another_may_come() -> None:
    clock = VirtualClock()
    log = await ReplayLog.open(await recorded(), clock)
    async with aclosing(log.follow(0)) as batches:
        assert seqs(await anext(batches)) == (1, 1)
        with pytest.raises(LogError, match="has a follower already"):
            await anext(log.follow(0))
    async with aclosing(log.follow(0)) as batches:
        assert seqs(await anext(batches)) == (1, 1)


async def test_at_full_speed_others_have_their_turn_after_each_batch() -> None:
    log, turns, seen = await ReplayLog.open(await recorded(5000), VirtualClock(), speed="max"), 0, []

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.ensure_future(count())
    async with aclosing(log.follow(0)) as batches:
        for _ in range(5):
            await anext(batches)
            seen.append(turns)
    counting.cancel()
    assert seen == sorted(set(seen))


class Slow(MemoryLog):
    """One whose states take as long as the gate is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.gate.set()

    async def state_at(self, seq: int) -> ClusterState:
        await self.gate.wait()
        return await super().state_at(seq)


async def test_a_seek_during_a_seek_is_not_lost() -> None:
    clock, recording = VirtualClock(), Slow()
    await recording.append(list(history(100)))
    log = await ReplayLog.open(recording, clock, paused=True)
    stage = Stage(clock, recording, log)
    running = asyncio.ensure_future(stage.watcher.run())
    await clock.advance(0)
    recording.gate.clear()
    await log.seek("seq:50")
    await clock.advance(0)
    await log.seek("seq:10")
    await clock.advance(0)
    recording.gate.set()
    await clock.advance(0)
    assert (stage.watcher.jumps, stage.seq) == ([50, 10], 10)
    await log.close()
    await clock.advance(0)
    await running


async def test_what_was_asked_for_is_done_once_the_follower_asks_for_more() -> None:
    log = await ReplayLog.open(await recorded(), VirtualClock(), paused=True)
    await log.obeyed()  # nobody follows: nobody is waited for
    async with aclosing(log.follow(0)) as batches:

        async def more() -> Sequence[Event] | Jump:
            return await anext(batches)

        await log.seek("seq:50")
        jump = await more()
        assert isinstance(jump, Jump)
        obeyed = asyncio.create_task(log.obeyed())
        following = asyncio.create_task(more())
        await obeyed
        assert not following.done(), "it waits for a command"
        log.step()
        stepped = asyncio.create_task(log.obeyed())
        assert seqs(await following) == (51, 51)
        assert not stepped.done(), "what came of it is still being handled"
    await stepped  # whoever followed has left
