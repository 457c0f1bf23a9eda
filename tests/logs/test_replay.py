"""A recording that is played: what is due, when it is due, and what commands do to it."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest
from msgspec import structs

from kstream.clock import VirtualClock
from kstream.core.errors import InvalidMessageError, LogError
from kstream.core.timeline.events import Verb
from kstream.core.timeline.health import ClusterInfo
from kstream.core.timeline.timepoint import timestamp
from kstream.logs.memory import MemoryLog
from kstream.logs.replay import ReplayLog
from kstream.ports import Jump
from tests.logs.facts import START, history, shown
from tests.logs.staging import STEP, folded, staged
from tests.making import change, pod_key


async def test_events_come_at_the_pace_at_which_they_were_recorded() -> None:
    async with staged() as stage:
        assert stage.seq == 1
        await stage.clock.advance(0.49)
        assert stage.seq == 1
        await stage.clock.advance(0.02)
        assert stage.seq == 2
        await stage.clock.advance(10)
        assert stage.seq == 22
        assert stage.log.time() == pytest.approx(START + 0.5 + 10.51)


async def test_at_ten_times_the_speed_ten_times_as_much_comes() -> None:
    async with staged(speed=10.0) as stage:
        await stage.clock.advance(1.01)
        assert stage.seq == 21


async def test_at_full_speed_all_of_it_comes_at_once_in_large_batches() -> None:
    async with staged(5000, speed="max") as stage:
        await stage.clock.advance(0.001)
        assert stage.seq == 5000
        assert max(stage.watcher.batches) == 1000
        assert len(stage.watcher.batches) == 5
        assert shown(stage.watcher.state) == shown(folded(5000))
        assert stage.told[-1]["state"] == "ended"


async def test_the_end_waits_for_a_command_and_play_starts_over() -> None:
    async with staged(20) as stage:
        await stage.clock.advance(1000)
        assert (stage.seq, stage.log.playback["state"]) == (20, "ended")
        stage.log.play()
        await stage.clock.advance(1.0)
        assert (stage.watcher.jumps, stage.seq) == ([0], 3)


async def test_a_pause_holds_and_play_goes_on() -> None:
    async with staged() as stage:
        await stage.clock.advance(2.0)
        stage.log.pause()
        await stage.clock.advance(1000)
        assert stage.seq == 5
        stage.log.play()
        await stage.clock.advance(1.0)
        assert stage.seq == 7
        assert [told["state"] for told in stage.told] == ["paused", "playing"]
        assert stage.watcher.jumps == []


async def test_a_start_that_is_paused_shows_nothing_until_play() -> None:
    async with staged(paused=True) as stage:
        await stage.clock.advance(100)
        assert stage.seq == 0
        stage.log.play()
        await stage.clock.advance(0)
        assert stage.seq == 1


async def test_a_step_pauses_and_shows_one_event_more() -> None:
    async with staged() as stage:
        await stage.clock.advance(2.0)
        for seq in (6, 7, 8):
            stage.log.step()
            await stage.clock.advance(100)
            assert (stage.seq, stage.log.playback["state"]) == (seq, "paused")
            assert stage.log.time() == START + seq * STEP
        stage.log.play()
        await stage.clock.advance(0.51)
        assert stage.seq == 9


@pytest.mark.parametrize(
    ("point", "seq"),
    [
        ("seq:50", 50),
        ("seq:0", 0),
        ("2025-06-15T15:06:50Z", 20),
        ("+5s", 15),
        ("-2s", 1),
        ("-1h", 0),
    ],
)
async def test_a_seek_shows_the_state_at_that_point(point: str, seq: int) -> None:
    async with staged() as stage:
        await stage.clock.advance(2.0)
        stage.log.pause()
        await stage.log.seek(point)
        await stage.clock.advance(0)
        assert stage.watcher.jumps == [seq]
        assert shown(stage.watcher.state)[2:] == shown(folded(seq))[2:]
        await stage.clock.advance(100)
        assert stage.seq == seq


async def test_a_seek_to_an_event_that_is_not_there_is_refused_and_moves_nothing() -> None:
    async with staged() as stage:
        await stage.clock.advance(2.0)
        stage.log.pause()
        with pytest.raises(InvalidMessageError) as refused:
            await stage.log.seek("seq:999")
        assert refused.value.details == "at: 'seq:999': the last one is seq:100"
        await stage.clock.advance(0)
        assert stage.watcher.jumps == []


async def test_after_a_seek_the_events_that_follow_come_at_their_pace() -> None:
    async with staged() as stage:
        await stage.log.seek("seq:50")
        await stage.clock.advance(1.0)
        assert stage.seq == 52
        await stage.log.seek("seq:10")
        await stage.clock.advance(1.0)
        assert (stage.seq, stage.watcher.jumps) == (12, [50, 10])


async def test_a_span_is_played_from_its_state_to_its_end_and_no_further() -> None:
    async with staged(start="+10s", end="seq:60") as stage:
        assert stage.log.playback["start"] == "2025-06-15T15:06:50.500Z"
        assert shown(stage.watcher.state) == shown(folded(21))
        await stage.clock.advance(1000)
        assert (stage.seq, stage.log.playback["state"]) == (60, "ended")
        await stage.log.seek("seq:1")
        await stage.clock.advance(0)
        assert stage.watcher.jumps == [21]


async def test_a_loop_jumps_back_to_the_start_and_goes_on() -> None:
    async with staged(20, loop=True) as stage:
        await stage.clock.advance(9.6)
        assert stage.seq == 1
        await stage.clock.advance(9.5)
        assert stage.watcher.jumps == [0, 0]


async def test_a_timeline_may_begin_in_the_middle() -> None:
    async with staged(at="seq:40", paused=True) as stage:
        assert (stage.seq, stage.log.head) == (40, 40)
        assert stage.log.playback["at"] == "2025-06-15T15:07:00.000Z"


async def test_a_relative_beginning_on_a_live_log_counts_from_its_now() -> None:
    async with staged(at="-1m", now=START + 90.0, paused=True) as stage:
        assert stage.seq == 60


async def test_a_long_silence_lasts_only_max_gap() -> None:
    async with staged(10, step=3600.0, max_gap=5.0) as stage:
        assert stage.seq == 1
        await stage.clock.advance(5.1)
        assert stage.seq == 2
        await stage.clock.advance(20)
        assert stage.seq == 6


async def test_speed_changes_while_it_plays() -> None:
    async with staged() as stage:
        await stage.clock.advance(2.0)
        stage.log.set_speed(10.0)
        await stage.clock.advance(1.01)
        assert stage.seq == 25
        stage.log.set_speed("max")
        await stage.clock.advance(0.001)
        assert stage.seq == 100


async def test_only_what_was_shown_can_be_read() -> None:
    async with staged() as stage:
        await stage.clock.advance(2.0)
        assert [event.seq for event in await stage.log.read(2, 5)] == [3, 4, 5]
        with pytest.raises(LogError, match="the timeline is at 5"):
            await stage.log.read(2, 6)
        with pytest.raises(LogError, match="the timeline is at 5"):
            await stage.log.state_at(6)


async def test_a_replay_takes_no_events_and_no_identity() -> None:
    async with staged() as stage:
        with pytest.raises(LogError):
            await stage.log.append(list(history(1)))
        with pytest.raises(LogError):
            await stage.log.identify(ClusterInfo("a", "b"))


async def test_a_second_follower_is_refused() -> None:
    async with staged() as stage:
        with pytest.raises(LogError, match="a follower already"):
            await anext(stage.log.follow(0))


async def test_a_recording_that_grows_is_followed_past_its_old_end() -> None:
    async with staged(20) as stage:
        await stage.clock.advance(5.0)
        await stage.recording.append(list(history(40))[20:])
        await stage.clock.advance(1000)
        assert stage.seq == 40
        assert shown(stage.watcher.state) == shown(folded(40))


async def test_an_empty_recording_has_ended() -> None:
    async with staged(0) as stage:
        assert (stage.seq, stage.log.playback["state"]) == (0, "ended")


@pytest.mark.parametrize("speed", [0, -1, "fast"])
async def test_a_wrong_speed_is_refused_and_does_nothing(speed: float | str) -> None:
    async with staged() as stage:
        with pytest.raises(InvalidMessageError) as refused:
            stage.log.set_speed(speed)
        assert refused.value.details.startswith("speed: ")
        await stage.clock.advance(0.6)
        assert (stage.seq, stage.told, stage.watcher.jumps) == (2, [], [])


async def test_a_seek_to_no_point_is_refused_and_does_nothing() -> None:
    async with staged() as stage:
        with pytest.raises(InvalidMessageError) as refused:
            await stage.log.seek("yesterday")
        assert refused.value.details.startswith("at: ")
        await stage.clock.advance(0.6)
        assert (stage.seq, stage.told, stage.watcher.jumps) == (2, [], [])


@pytest.mark.parametrize(
    ("settings", "details"),
    [
        ({"start": "x"}, "from: "),
        ({"end": "x"}, "to: "),
        ({"start": "seq:9", "end": "seq:3"}, "to: "),
        ({"speed": 0}, "speed: "),
    ],
)
async def test_wrong_settings_are_refused_by_name(settings: dict[str, Any], details: str) -> None:
    recording = MemoryLog()
    await recording.append(list(history(20)))
    with pytest.raises(InvalidMessageError) as refused:
        await ReplayLog.open(recording, VirtualClock(), **settings)
    assert refused.value.details.startswith(details)


async def test_a_trimmed_recording_begins_with_its_oldest_state() -> None:
    clock, recording = VirtualClock(), MemoryLog()
    await recording.append(list(history(100)))
    await recording.trim(31)
    log = await ReplayLog.open(recording, clock, speed="max")
    assert shown(await log.state_at(log.head)) == shown(folded(30))
    async with aclosing(log.follow(log.head)) as batches:
        first = await anext(batches)
        assert not isinstance(first, Jump)
        assert [event.seq for event in first] == list(range(31, 101))


@pytest.mark.parametrize(
    ("settings", "details"),
    [
        ({"start": "2099-01-01T00:00:00Z"}, "from: '2099-01-01T00:00:00Z' is after its end: "),
        ({"start": "+1h"}, "from: '+1h' is after its end: "),
        ({"start": "seq:21"}, "from: 'seq:21' is after its end: "),
        ({"end": "1999-01-01T00:00:00Z"}, "to: '1999-01-01T00:00:00Z' is before the beginning: "),
        ({"start": "seq:9", "end": "seq:3"}, "to: 'seq:3' is before from 'seq:9': "),
    ],
)
async def test_what_is_outside_of_the_log_is_refused_with_what_it_has(
    settings: dict[str, Any], details: str
) -> None:
    recording = MemoryLog()
    events = list(history(20))
    await recording.append(events)
    with pytest.raises(InvalidMessageError) as refused:
        await ReplayLog.open(recording, VirtualClock(), **settings)
    has = f"the log has {timestamp(events[0].time)} to {timestamp(events[-1].time)} (seq:1 to seq:20)"
    assert refused.value.details == details + has


async def test_a_log_without_events_says_so() -> None:
    with pytest.raises(InvalidMessageError, match="The recording ends before that") as refused:
        await ReplayLog.open(MemoryLog(), VirtualClock(), start="2099-01-01T00:00:00Z")
    assert "the log has no events" in refused.value.details


async def test_what_is_before_the_log_begins_with_it() -> None:
    recording = MemoryLog()
    events = list(history(20))
    await recording.append(events)
    log = await ReplayLog.open(recording, VirtualClock(), start="1999-01-01T00:00:00Z")
    assert log.time() == events[0].time


async def test_a_recording_whose_clock_went_back_is_played() -> None:
    recording = MemoryLog()
    events = list(history(3))
    await recording.append([structs.replace(events[0], time=events[2].time + 60), *events[1:]])
    log = await ReplayLog.open(recording, VirtualClock(), speed="max")
    async with aclosing(log.follow(log.head)) as batches:
        assert [event.seq for event in await anext(batches)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("points", "played"),
    [
        ({}, (0, 3)),
        ({"start": "seq:2"}, (2, 3)),
        ({"start": "seq:3"}, (3, 3)),
        ({"start": "seq:2", "end": "seq:3"}, (2, 3)),
        ({"end": "seq:1"}, (0, 1)),
    ],
)
async def test_a_recording_whose_clock_went_back_is_played_by_its_numbers(
    points: dict[str, Any], played: tuple[int, int]
) -> None:
    recording = MemoryLog()
    for number, time in enumerate((100, 300, 50)):
        await recording.append([change(Verb.ADDED, pod_key(f"p{number}"), time=START + time)])
    log = await ReplayLog.open(recording, VirtualClock(), **points)
    assert (log._first, log._last) == played


@pytest.mark.parametrize("times", [(100, 300, 50), (100, 300, 200), (300, 100, 200)])
async def test_a_recording_whose_clock_went_back_is_played_to_its_end_at_any_speed(
    times: tuple[int, int, int],
) -> None:
    clock, recording = VirtualClock(), MemoryLog()
    for number, time in enumerate(times):
        await recording.append([change(Verb.ADDED, pod_key(f"p{number}"), time=START + time)])
    log = await ReplayLog.open(recording, clock)
    seqs: list[int] = []

    async def follow() -> None:
        async for batch in log.follow(0):
            assert not isinstance(batch, Jump)
            seqs.extend(event.seq for event in batch)

    following = asyncio.ensure_future(follow())
    await clock.advance(max(times[0], times[2]) - times[0] + 0.01)
    assert (seqs, log.playback["state"]) == ([1, 2, 3], "ended")
    await log.close()
    await following
