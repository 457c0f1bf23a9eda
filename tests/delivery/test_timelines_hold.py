"""Private timelines under whatever many do: each client holds the state at its seq, and nothing is left."""

from __future__ import annotations

import asyncio
import gc
import random
import re
import weakref
from collections.abc import Sequence
from typing import Any

import pytest

from kstream.core.errors import InvalidMessageError, LogFormatError
from kstream.core.timeline.events import Event, ObjectKey, Verb
from kstream.core.timeline.timepoint import timestamp
from kstream.delivery.viewers import PrivateTimeline
from kstream.logs.memory import MemoryLog
from kstream.logs.replay import ReplayLog
from kstream.ports import EventLog
from tests.delivery.timetravel import Stage, live
from tests.hubs import running
from tests.making import START, change, pod_key


async def test_what_cannot_be_read_sends_everyone_home_and_says_why(caplog: pytest.LogCaptureFixture) -> None:
    async with live() as stage:
        someone = await stage.someone()
        await someone.do("seek", at="seq:3")
        timeline = someone.viewer.timeline
        assert timeline is not None
        broken = LogFormatError("the event log is damaged: event 4 is not as it was written")
        _breaks(timeline, broken)
        await someone.do("seek", at="seq:4")
        await stage.clock.advance(0.1)
        someone.hear()
        (error,) = someone.errors
        assert (error["code"], error["details"]) == ("WATCH_ERROR", str(broken))
        assert timestamp(START + 3) <= someone.stamps["error"] < timestamp(START + 4), "there it was found"
        assert (someone.fold.seq, (someone.playback or {})["state"]) == (10, "live")
        assert (len(stage.timelines), len(stage.hub)) == (0, 1)
    (line,) = [line for line in caplog.records if line.name == "kstream.delivery.timelines"]
    assert line.getMessage() == "timeline failed"
    caplog.clear()


@pytest.mark.parametrize("own", [False, True])
async def test_who_asks_for_what_cannot_be_read_is_told_so_and_stays(
    own: bool, caplog: pytest.LogCaptureFixture
) -> None:
    log = Damaged(epoch="epoch-1")
    async with live(log=log) as stage:
        someone = await stage.someone()
        if own:
            await someone.do("seek", at="seq:7")
            await someone.do("pause")
        someone.hear()
        log.broken = True
        await someone.do("seek", at="-2s")
        assert someone.hear() == ["error"]
        (error,) = someone.errors
        assert (error["code"], error["details"]) == ("WATCH_ERROR", "event 4 is not as it was written")
        assert (someone.fold.seq, len(stage.timelines)) == ((7, 1) if own else (10, 0))
        someone.leave()
        await someone.do("seek", at="-2s")
        assert someone.hear() == [], "it is gone"
        log.broken = False
        other = await stage.someone()
        await other.do("seek", at="seq:3")
        await stage.check(other)
    assert {line.getMessage() for line in caplog.records} == {"log not read"}


class Damaged(MemoryLog):
    """A log in which a moment cannot be found."""

    broken = False

    async def reached(self, times: Sequence[float], after: int, upto: int) -> Sequence[int]:
        if self.broken:
            raise LogFormatError("event 4 is not as it was written")
        return await super().reached(times, after, upto)


def _breaks(timeline: PrivateTimeline, error: Exception) -> None:
    async def state_at(seq: int) -> Any:
        raise error

    timeline.log._recording = _Broken(timeline.log._recording, state_at)


class _Broken:
    """A log of which one method fails."""

    def __init__(self, log: EventLog, state_at: Any) -> None:
        self._log = log
        self.state_at = state_at

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)


async def test_one_whose_socket_is_full_goes_elsewhere_when_it_has_read() -> None:
    async with live() as stage:
        someone = await stage.someone()
        someone.hear()
        someone.socket.room = 0
        await stage.pods(1)
        assert len(stage.hub.slow) == 1
        await someone.do("seek", at="seq:4")
        assert len(stage.hub.slow) == 0
        await stage.clock.advance(1)
        someone.socket.room = None
        someone.socket.read(0)
        await stage.clock.advance(1)
        await stage.check(someone)
        assert someone.fold.seq in (4, 5, 6)


@pytest.mark.parametrize("seed", range(12))
async def test_whatever_many_do_each_holds_the_state_at_its_seq(seed: int) -> None:
    dice = random.Random(seed)
    async with live() as stage:
        crowd = [await stage.someone() for _ in range(6)]
        alive: dict[ObjectKey, None] = dict.fromkeys(pod_key(f"p{n}") for n in range(10))
        for turn in range(150):
            someone = dice.choice(crowd)
            action = dice.choice(
                ("pause", "play", "seek", "seek", "step", "live", "follow", "write", "wait", "leave")
            )
            try:
                if action == "follow":
                    owner = dice.choice(crowd).viewer.timeline
                    if owner is not None and owner is not someone.viewer.timeline:
                        stage.timelines.follow(someone.viewer, owner)
                elif action == "write":
                    key = dice.choice([*alive, pod_key(f"q{turn}")])
                    verb = Verb.ADDED if key not in alive else dice.choice((Verb.MODIFIED, Verb.DELETED))
                    alive.pop(key, None)
                    if verb is not Verb.DELETED:
                        alive[key] = None
                    await stage.write(change(verb, key, note=f"{turn}", time=stage.clock.time()))
                elif action == "wait":
                    await stage.clock.advance(dice.choice((0.01, 0.3, 5.0)))
                elif action == "leave":
                    someone.leave()
                    crowd[crowd.index(someone)] = await stage.someone()
                else:
                    at = f"seq:{dice.randint(0, stage.log.head)}" if action == "seek" else None
                    await someone.do(action, at=at, speed=dice.choice((None, None, 0.5, 20.0, "max")))
            except InvalidMessageError as refused:
                if not re.search("as many private timelines|Nobody waits", str(refused)):
                    raise
        await stage.clock.advance(1)
        for someone in crowd:
            await stage.check(someone)
        for someone in crowd:
            someone.leave()
        await stage.clock.advance(1)
        assert (len(stage.hub), len(stage.timelines), stage.hub.branches) == (0, 0, {})


async def test_events_of_a_large_batch_are_folded_some_at_a_time() -> None:
    async with live() as stage:
        someone = await stage.someone()
        await someone.do("pause")
        keys = [pod_key(f"many{number}") for number in range(900)]
        await stage.write(*[change(Verb.ADDED, key, time=stage.clock.time()) for key in keys])
        sizes: list[int] = []
        timeline = someone.viewer.timeline
        assert timeline is not None
        publish = timeline.hub.publish

        def counted(events: list[Event]) -> None:
            sizes.append(len(events))
            publish(events)

        timeline.hub.publish = counted  # type: ignore[method-assign, assignment]
        await someone.do("play", speed="max")
        await stage.clock.advance(2)
        assert (sum(sizes), max(sizes)) == (900, 200)


async def test_of_timelines_that_ended_nothing_is_left_also_without_a_garbage_collector() -> None:
    gc.collect()
    gc.disable()
    try:
        async with live() as stage:
            someone = await stage.someone()
            gone: list[weakref.ref[object]] = []
            for at in ("seq:3", "seq:5", None):
                await someone.do("seek" if at else "pause", at=at)
                timeline = someone.viewer.timeline
                assert timeline is not None
                gone += [
                    weakref.ref(timeline.hub),
                    weakref.ref(timeline.log),
                    weakref.ref(timeline.hub.state),
                ]
                del timeline
                await stage.clock.advance(1)
                await someone.do("live")
                await stage.clock.advance(1)
            assert [each() for each in gone if each() is not None] == []
    finally:
        gc.enable()


async def test_those_who_wait_to_begin_count_and_one_who_has_gone_is_passed_over() -> None:
    async with live(most=2) as stage:
        async with stage.timelines._reading.turn():  # another one's state is read
            opening = [
                asyncio.ensure_future(stage.timelines.open(at="seq:3", wanted=lambda: False))
                for _ in range(2)
            ]
            await stage.clock.advance(1)
            with pytest.raises(InvalidMessageError, match="as many private timelines"):
                await stage.timelines.open(at="seq:3", wanted=lambda: True)
        await stage.clock.advance(5)
        for each in opening:
            assert "Nobody waits" in str(each.exception())
        assert await stage.timelines.open(at="seq:3", wanted=lambda: True)


async def test_one_that_stands_still_keeps_what_it_shows_and_is_told_when_what_comes_next_was_dropped() -> (
    None
):
    async with live() as stage:
        owner, guest = await stage.someone(), await stage.someone()
        await owner.do("pause")
        owner.hear()
        stage.timelines.follow(guest.viewer, stage.timelines.following((owner.playback or {})["id"]))
        await stage.pods(6)
        await stage.log.trim(15)
        await stage.clock.advance(1)
        for each in (owner, guest):
            each.hear()
            assert (each.fold.seq, (each.playback or {})["state"]) == (10, "paused")
        await owner.do("step")
        await stage.clock.advance(1)
        for each in (owner, guest):
            assert [kind for kind in each.hear() if kind != "metrics"][-2:] == ["playback", "initial_state"]
            assert (each.fold.seq, (each.playback or {})["start"]) == (15, timestamp(START + 14))
            await stage.check(each)


async def test_on_a_private_timeline_nothing_is_known_that_is_not_known_of_the_present() -> None:
    mark = [START + 5.0]
    log = MemoryLog(epoch="epoch-1")
    async with running(watermark=lambda: (mark[0], log.head)) as (hub, clock):
        stage = Stage(hub, clock, log, log, most=3)
        await stage.pods(10)
        someone = await stage.someone()
        await clock.advance(10)
        await someone.do("seek", at="-10s")
        timeline = someone.viewer.timeline
        assert timeline is not None
        assert timeline.hub.as_of == START + 5.0
        mark[0] = clock.time()
        await clock.advance(1)
        assert timeline.hub.as_of == pytest.approx(clock.time() - 10, abs=0.2)
        await stage.timelines.close()


async def test_metrics_of_the_present_do_not_follow_into_the_past() -> None:
    async with live() as stage:
        someone = await stage.someone()
        someone.viewer.member.session.offer_metrics(b'{"type":"metrics"}')
        await someone.do("seek", at="seq:2")
        assert "metrics" not in someone.hear()


@pytest.mark.parametrize("speed", [5000.0, 0.05])
async def test_a_replay_of_any_speed_can_be_rewound(speed: float) -> None:
    log = MemoryLog(epoch="epoch-1")
    await log.append([change(Verb.ADDED, pod_key(f"p{number}"), time=START + number) for number in range(20)])
    async with running(state=await log.state_at(5)) as (hub, clock):
        shared = await ReplayLog.open(log, clock, start="seq:5", paused=True, speed=speed)
        stage = Stage(hub, clock, log, shared, most=3)
        someone = await stage.someone()
        await someone.do("seek", at="seq:7")
        someone.hear()
        assert (someone.playback or {})["speed"] == min(max(speed, 0.1), 1000.0)
        await stage.timelines.close()
