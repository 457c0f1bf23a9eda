"""The timeline of one client: where it begins, when it shows what, and how it comes to the present."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager, nullcontext
from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kstream.clock import VirtualClock
from kstream.core.errors import InvalidMessageError
from kstream.core.timeline.events import Verb, WatchEvent
from kstream.core.timeline.playback import MAX
from kstream.core.timeline.state import ClusterState
from kstream.core.timeline.timepoint import timestamp
from kstream.logs.memory import MemoryLog
from kstream.logs.privatelog import Beginning, PrivateLog
from kstream.logs.replay import ReplayLog
from kstream.logs.spans import Spans
from kstream.ports import EventLog, Jump
from tests.making import START, body_of, pod_key
from tests.virtual import in_virtual_time
from tests.world.loop import LoopClock

_ERROR = 0.101  # seconds by which something may be shown late


def made(name: str, time: float) -> WatchEvent:
    key = pod_key(name)
    return WatchEvent(Verb.ADDED, key, "1", time, body_of(key))


async def recorded(times: Sequence[float]) -> MemoryLog:
    log = MemoryLog(epoch="e")
    await log.append([made(f"p{number}", START + time) for number, time in enumerate(times)])
    return log


class Seen(NamedTuple):
    at: float  # monotonic
    what: list[int] | str


class Stage:
    def __init__(self, log: PrivateLog, clock: VirtualClock) -> None:
        self.log = log
        self.clock = clock
        self.seen: list[Seen] = []
        self.task = asyncio.create_task(self._follow())

    async def _follow(self) -> None:
        async with aclosing(self.log.follow(self.log.head)) as batches:
            async for batch in batches:
                what = (
                    f"state {batch.state.seq}" if isinstance(batch, Jump) else [event.seq for event in batch]
                )
                self.seen.append(Seen(self.clock.monotonic(), what))

    @property
    def shown(self) -> list[int | str]:
        """The events, and the states where it went elsewhere; forgets them."""
        seen, self.seen = self.seen, []
        return [each for at in seen for each in (at.what if isinstance(at.what, list) else [at.what])]


@asynccontextmanager
async def staged(
    log: EventLog,
    *,
    clock: VirtualClock | None = None,
    at: str | None = None,
    here: tuple[int, float] = (0, START),
    speed: float = 1.0,
    paused: bool = False,
    held: int | None = None,
    live: bool = False,
) -> AsyncIterator[Stage]:
    """`live`: the wall clock is that of what is recorded."""
    clock = clock or VirtualClock(START)
    if not (live or isinstance(log, ReplayLog)) and log.head:
        log = await ReplayLog.open(log, clock, paused=True)
    private = await PrivateLog.begin(
        log,
        clock,
        begin=Beginning(at, speed, paused, held),
        here=here,
        present=clock.time if live else None,
        turn=nullcontext,
        beside=ClusterState,
        spans=Spans(log.recording if isinstance(log, ReplayLog) else log),
    )
    stage = Stage(private, clock)
    try:
        await clock.advance(0)
        yield stage
    finally:
        await private.close()
        await clock.advance(1)
        await stage.task


async def test_it_begins_at_a_point_or_where_one_is() -> None:
    log = await recorded([0, 10, 20, 30])
    for at, seq, time in (
        (None, 3, START + 25),
        (timestamp(START + 12), 2, START + 12),
        ("seq:1", 1, START),
        ("-5s", 3, START + 20),
        ("+10s", 2, START + 10),
        ("-1h", 0, START),
    ):
        async with staged(log, at=at, here=(3, START + 25), paused=True) as stage:
            assert (stage.log.head, stage.log.time()) == (seq, time), at


@pytest.mark.parametrize("live", [True, False])
async def test_one_that_saw_some_of_what_happened_in_a_millisecond_comes_back_to_just_these(
    live: bool,
) -> None:
    log, clock = await recorded([0, 1, 1.0002, 1.0004, 1.0011, 9]), VirtualClock(START + 60)
    place = timestamp(START + 1)
    for held, at, head in (
        (None, place, 2),
        (2, place, 2),
        (3, place, 3),
        (4, place, 4),
        (5, place, 2),  # that was a millisecond later: it says nothing of this one
        (6, place, 2),
        (7, place, 2),
        (0, place, 2),
        (4, "seq:3", 3),
    ):
        async with staged(log, clock=clock, at=at, held=held, paused=True, live=live) as stage:
            assert stage.log.head == head, (held, at)
            stage.log.step()
            await stage.clock.advance(1)
            assert stage.shown == [head + 1]
    await log.trim(4)
    async with staged(log, clock=clock, at=place, held=3, paused=True, live=live) as stage:
        assert stage.log.head == 3


@pytest.mark.parametrize(("at", "says"), [("seq:5", "the last one is seq:4"), ("noon", "at: 'noon': give")])
async def test_a_point_that_is_not_there_is_refused(at: str, says: str) -> None:
    log = await recorded([0, 10, 20, 30])
    with pytest.raises(InvalidMessageError) as refused:
        async with staged(log, at=at):
            pass
    assert says in refused.value.details
    async with staged(log, paused=True) as stage:
        with pytest.raises(InvalidMessageError) as refused:
            await stage.log.seek(at)
        assert says in refused.value.details


async def test_where_nothing_is_recorded_there_is_no_past() -> None:
    with pytest.raises(InvalidMessageError, match="Nothing is recorded yet"):
        async with staged(MemoryLog(epoch="e"), live=True):
            pass


@given(
    gaps=st.lists(st.floats(0.0, 20.0), min_size=1, max_size=30),
    speed=st.sampled_from([0.1, 0.5, 1.0, 3.0, 40.0, 1000.0]),
)
@settings(max_examples=60, deadline=None)
def test_what_happened_is_shown_when_it_happened_at_any_speed(gaps: list[float], speed: float) -> None:
    async def story() -> None:
        times = [sum(gaps[:count]) for count in range(len(gaps) + 1)]
        log, clock = await recorded(times), LoopClock()
        private = await PrivateLog.begin(
            await ReplayLog.open(log, clock, paused=True),
            clock,
            begin=Beginning("seq:1", speed, False),
            here=(0, 0.0),
            present=None,
            turn=nullcontext,
            beside=ClusterState,
            spans=Spans(log),
        )
        began, shown = clock.monotonic(), 1
        async with aclosing(private.follow(1)) as batches:
            async for batch in batches:
                assert not isinstance(batch, Jump)
                passed = clock.monotonic() - began
                for event in batch:
                    late = passed - (event.change.time - START) / speed
                    assert -0.002 <= late <= _ERROR, (event.seq, late)
                shown += len(batch)
                if shown == len(times):
                    return

    in_virtual_time(story())


async def test_it_looks_at_what_is_due_some_times_a_second_and_loses_nothing() -> None:
    log = await recorded([number / 1000 for number in range(1000)])
    async with staged(log, at="seq:1") as stage:
        for _ in range(200):
            await stage.clock.advance(0.01)
        assert len(stage.seen) <= 11
        assert all(after.at - before.at >= 0.1 - 1e-6 for before, after in pairwise(stage.seen))
        assert stage.shown == list(range(2, 1001))


async def test_what_was_due_when_it_is_paused_is_shown() -> None:
    log = await recorded([0, 1.0, 1.02, 1.03, 1.5])
    async with staged(log, at="seq:1") as stage:
        await stage.clock.advance(1.0)
        assert stage.shown == [2]
        await stage.clock.advance(0.025)
        stage.log.pause()
        await stage.clock.advance(5)
        assert (stage.shown, stage.log.time()) == ([3], START + 1.025)
        stage.log.play()
        await stage.clock.advance(0.02)
        stage.log.step()
        await stage.clock.advance(5)
        assert (stage.shown, stage.log.playback["state"]) == ([4, 5], "paused"), (
            "one was due, and one is the step"
        )


async def test_another_speed_goes_on_from_where_it_is() -> None:
    log = await recorded(list(range(100)))
    async with staged(log, at="seq:1") as stage:
        await stage.clock.advance(10)
        assert stage.shown == list(range(2, 12))
        stage.log.set_speed(10.0)
        assert stage.log.time() == START + 10
        await stage.clock.advance(1.01)
        assert stage.shown == list(range(12, 22))


async def test_a_seek_begins_anew_from_the_state_there() -> None:
    log = await recorded(list(range(100)))
    async with staged(log, at="seq:1") as stage:
        await stage.log.seek("seq:50")
        await stage.clock.advance(1)
        assert stage.shown == ["state 50", 51]
        await stage.log.seek("-11s")
        stage.log.pause()
        await stage.clock.advance(1)
        assert (stage.shown, stage.log.time()) == (["state 40"], START + 39)


@pytest.mark.parametrize("speed", [2.0, 10.0, 1000.0, MAX])
async def test_it_goes_on_into_the_present_and_ends_there(speed: float) -> None:
    clock = VirtualClock(START + 100)
    log = await recorded(list(range(100)))
    async with staged(log, clock=clock, at="seq:1", speed=speed, live=True) as stage:
        for number in range(100, 300):
            await clock.advance(1)
            if stage.log.arrived:
                break
            await log.append([made(f"p{number}", clock.time())])
        assert stage.shown == list(range(2, log.head + 1))
        assert stage.log.head == log.head
        assert clock.time() - START == pytest.approx(200 if speed == 2.0 else 100 + 100 / speed, abs=12)


async def test_one_that_is_behind_stays_as_far_behind_however_long_it_is_quiet() -> None:
    clock = VirtualClock(START + 60)
    log = await recorded([0, 1])
    async with staged(log, clock=clock, at="-30s", here=(2, START + 60), live=True) as stage:
        for _ in range(20):
            await clock.advance(10)
            assert stage.log.time() == pytest.approx(clock.time() - 30, abs=0.01)
        await log.append([made("late", clock.time())])
        await clock.advance(29.9)
        assert stage.shown == []
        await clock.advance(31)
        assert (stage.shown, stage.log.arrived) == ([3], False)


async def test_what_comes_while_it_is_paused_can_be_stepped_and_gone_to() -> None:
    clock = VirtualClock(START + 60)
    log = await recorded([0, 1])
    async with staged(log, clock=clock, here=(2, START + 60), paused=True, live=True) as stage:
        await clock.advance(10)
        await log.append([made("c", START + 65), made("d", START + 66)])
        assert stage.log.playback["end"] == timestamp(START + 60)
        stage.log.step()
        await clock.advance(10)
        assert (stage.shown, stage.log.playback["end"]) == ([3], timestamp(START + 70))
        await stage.log.seek("seq:4")
        await clock.advance(1)
        assert stage.shown == ["state 4"]
        stage.log.play()
        await clock.advance(5)
        assert not stage.log.arrived, "fifteen seconds behind"


async def test_one_beside_a_replay_has_its_bounds_and_a_clock_of_its_own() -> None:
    recording, clock = await recorded(list(range(100))), VirtualClock(START)
    shared = await ReplayLog.open(recording, clock, start="seq:10", end="seq:20", paused=True)
    async with staged(shared, clock=clock, at="seq:1", here=(shared.head, shared.time())) as stage:
        assert stage.log.head == 10
        await clock.advance(30)
        assert (stage.shown, stage.log.playback["state"]) == (list(range(11, 21)), "ended")
        assert (shared.head, stage.log.arrived) == (10, False)


async def test_beside_a_replay_silences_are_as_short_as_there_and_it_ends_where_that_one_begins_anew() -> (
    None
):
    recording, clock = await recorded([0, 1, 500, 501]), VirtualClock(START)
    shared = await ReplayLog.open(recording, clock, max_gap=5.0, loop=True, paused=True)
    async with staged(shared, clock=clock, at="seq:2") as stage:
        await clock.advance(4.8)
        assert stage.shown == []
        await clock.advance(0.4)
        assert stage.shown == [3]
        await clock.advance(2)
        assert (stage.shown, stage.log.playback["state"]) == ([4], "ended")


async def test_where_retention_has_dropped_what_comes_next_it_goes_on_with_what_is_left() -> None:
    clock = VirtualClock(START + 100)
    log = await recorded(list(range(100)))
    async with staged(log, clock=clock, at="seq:1", live=True) as stage:
        await clock.advance(1)
        await log.trim(50)
        stage.log._ahead.clear()
        await clock.advance(1)
        assert stage.shown == [2, "state 49", 50]
        assert stage.log.playback["start"] == timestamp(START + 49)


@pytest.mark.parametrize(("command", "shown"), [("pause", ["state 50"]), ("step", ["state 50", 51])])
async def test_what_was_read_of_another_place_is_not_due_after_a_seek(
    command: str, shown: list[object]
) -> None:
    log = await recorded(list(range(100)))
    async with staged(log, at="seq:1") as stage:
        await stage.clock.advance(0.5)
        await stage.log.seek("seq:50")
        getattr(stage.log, command)()
        await stage.clock.advance(5)
        assert (stage.shown, stage.log.head) == (shown, shown[-1] if shown[-1] == 51 else 50)


async def test_it_stands_where_what_is_shown_ends_if_not_all_that_was_due_was_read() -> None:
    log = await recorded([number / 100 for number in range(2000)])
    async with staged(log, at="seq:1", speed=1000.0) as stage:
        stage.clock._now += 0.015
        stage.log.pause()
        await stage.clock.advance(5)
        state = await log.state_at(stage.log.head)
        assert stage.log.time() == pytest.approx(state.time, abs=0.001)


async def test_a_step_at_full_speed_is_one_event() -> None:
    log = await recorded(list(range(2000)))
    async with staged(log, at="seq:1", speed=MAX) as stage:
        stage.log.step()
        await stage.clock.advance(5)
        head = stage.log.head
        stage.log.step()
        await stage.clock.advance(5)
        assert stage.log.head == head + 1
