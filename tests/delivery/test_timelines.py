"""Private timelines: who moves which, and what everyone is told."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from kstream.core.errors import InvalidMessageError
from kstream.core.timeline.events import Verb, WatchEvent
from kstream.core.timeline.health import Cleared, ErrorCode, Fault
from kstream.core.timeline.timepoint import timestamp
from kstream.delivery.driving import bounded_speed
from kstream.logs.memory import MemoryLog
from kstream.logs.replay import ReplayLog
from tests.delivery.timetravel import Stage, live
from tests.hubs import running
from tests.making import START, body_of, pod_key


async def test_one_goes_back_and_comes_home_without_a_new_state() -> None:
    async with live() as stage:
        someone = await stage.someone()
        assert someone.hear() == ["connection", "initial_state"]
        await someone.do("seek", at="seq:4")
        assert someone.hear() == ["playback", "initial_state"]
        assert (someone.fold.seq, len(someone.fold.objects)) == (4, 4)
        data = someone.playback
        assert data is not None
        assert (data["state"], data["speed"], data["at"], data["start"], data["end"]) == (
            "playing",
            1.0,
            timestamp(START + 3),
            timestamp(START),
            timestamp(START + 10),
        )
        await stage.clock.advance(1.1)
        assert (someone.hear(), someone.fold.seq) == (["pod_event"], 5)
        await someone.do("live")
        assert someone.hear() == ["playback", "batch"]
        assert ((someone.playback or {})["state"], someone.fold.seq, someone.fold.states) == ("live", 10, 2)
        assert (len(stage.timelines), len(stage.hub.branches), len(stage.hub)) == (0, 0, 1)
        await stage.pods(1)
        assert (someone.hear(), someone.fold.seq) == (["pod_event"], 11)


async def test_whoever_stops_the_present_keeps_what_is_shown() -> None:
    async with live() as stage:
        someone = await stage.someone()
        someone.hear()
        await someone.do("pause")
        assert someone.hear() == ["playback"], "it has the state already"
        await stage.pods(5)
        assert [type_ for type_ in someone.hear() if type_ != "metrics"] == []
        assert (someone.fold.seq, (someone.playback or {})["state"]) == (10, "paused")
        await someone.do("step")
        assert (someone.hear(), someone.fold.seq) == (["playback", "pod_event"], 11)
        await someone.do("play", speed="max")
        await stage.clock.advance(1)
        someone.hear()
        assert (someone.fold.seq, someone.fold.states, someone.played[-1]) == (15, 1, "live")


async def test_those_who_stop_in_one_moment_share_a_state_that_is_copied_when_it_moves() -> None:
    async with live() as stage:
        several = [await stage.someone() for _ in range(3)]
        for someone in several:
            await someone.do("pause")
        states = [someone.viewer.hub.state for someone in several]
        kept = {id(state._kinds) for state in states}
        assert len(kept) == 1
        assert kept != {id(stage.hub.state._kinds)}
        await stage.pods(3)
        await several[0].do("step")
        assert len({id(state._kinds) for state in states}) == 2
        for someone, seq in zip(several, (11, 10, 10), strict=True):
            await stage.check(someone)
            assert someone.fold.seq == seq
        for someone in several:
            someone.leave()
        del states, several, someone
        await stage.clock.advance(1)
        assert stage.timelines._copied() is None, "a copy that nobody needs is not kept"


async def test_who_stops_or_comes_home_waits_for_its_turn_and_finds_itself_where_it_is_by_then() -> None:
    async with live() as stage:
        someone, guest = await stage.someone(), await stage.someone()
        async with stage.timelines._work.turn():  # another one is served
            stopping = asyncio.ensure_future(someone.do("pause"))
            await stage.clock.advance(1)
            assert len(stage.timelines) == 0
        await stage.clock.advance(2)
        await stopping
        owner = someone.viewer.timeline
        assert owner is not None
        stage.timelines.follow(guest.viewer, owner)
        async with stage.timelines._work.turn():
            coming = asyncio.ensure_future(guest.do("live"))
            await stage.clock.advance(1)
            someone.leave()
            await stage.clock.advance(1)
        await stage.clock.advance(2)
        await coming
        guest.hear()
        assert (guest.played, guest.viewer.timeline) == (["paused", "live"], None)


async def test_a_step_in_the_present_waits_for_what_comes() -> None:
    async with live() as stage:
        someone = await stage.someone()
        await someone.do("step")
        someone.hear()
        await stage.pods(2)
        await someone.do("step")
        someone.hear()
        assert someone.fold.seq == 12, "two steps were asked for"


async def test_in_the_present_there_is_nothing_to_play() -> None:
    async with live() as stage:
        someone = await stage.someone()
        someone.hear()
        for action in ("play", "live"):
            await someone.do(action)
            assert (someone.hear(), (someone.playback or {})["state"]) == (["playback"], "live")
        assert len(stage.timelines) == 0


async def test_those_who_follow_see_what_the_owner_sees_until_it_goes() -> None:
    async with live() as stage:
        owner, guest, other = [await stage.someone() for _ in range(3)]
        await owner.do("seek", at="seq:4")
        owner.hear()
        name = (owner.playback or {})["id"]
        stage.timelines.follow(guest.viewer, stage.timelines.following(name))
        await stage.clock.advance(0)
        guest.hear()
        assert (guest.fold.seq, (guest.playback or {})["id"]) == (4, name)
        await owner.do("pause")
        await owner.do("step")
        for each in (owner, guest):
            each.hear()
            assert (each.fold.seq, (each.playback or {})["state"]) == (5, "paused")
        other.hear()
        assert (other.fold.seq, other.playback) == (10, None)
        assert (len(stage.hub), len(stage.timelines)) == (3, 1)
        owner.leave()
        owner.leave()
        await stage.clock.advance(0.1)
        guest.hear()
        assert (guest.fold.seq, (guest.playback or {})["state"], guest.fold.states) == (10, "live", 2)
        assert (len(stage.hub), len(stage.timelines), len(stage.hub.branches)) == (2, 0, 0)
        with pytest.raises(InvalidMessageError, match="no such timeline"):
            stage.timelines.following(name)


async def test_who_moves_what_another_owns_goes_its_own_way() -> None:
    async with live() as stage:
        owner, guest = await stage.someone(), await stage.someone()
        await owner.do("seek", at="seq:4")
        owner.hear()
        stage.timelines.follow(guest.viewer, stage.timelines.following((owner.playback or {})["id"]))
        await guest.do("pause")
        await stage.clock.advance(3.1)
        for each in (owner, guest):
            each.hear()
        assert (owner.fold.seq, guest.fold.seq) == (7, 4)
        assert (owner.playback or {})["id"] != (guest.playback or {})["id"]
        await guest.do("live")
        await stage.clock.advance(0.1)
        guest.hear()
        assert (guest.fold.seq, len(stage.timelines)) == (10, 1)
        guest.leave()
        assert len(stage.timelines) == 1


async def test_there_are_so_many_at_most() -> None:
    async with live(most=2) as stage:
        several = [await stage.someone() for _ in range(3)]
        for someone in several[:2]:
            await someone.do("pause")
        with pytest.raises(InvalidMessageError, match="as many private timelines as it may") as refused:
            await several[2].do("pause")
        assert refused.value.details == "At most 2 at once (--max-timelines)"
        opened = None
        several[0].leave()
        await stage.clock.advance(0)
        opened = await stage.timelines.open(at="seq:1", wanted=lambda: True)
        await several[2].do("pause")
        late = await stage.someone()
        with pytest.raises(InvalidMessageError, match="as many private timelines"):
            stage.timelines.enter(late.viewer, opened)
    async with live(most=0) as stage:
        with pytest.raises(InvalidMessageError, match="offers no private timelines"):
            await (await stage.someone()).do("pause")


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"action": "seek"}, "no place to go to"),
        ({"action": "seek", "at": "seq:99"}, "not there yet"),
        ({"action": "seek", "at": "soon"}, "no point of a timeline"),
        ({"action": "play", "speed": 0.05}, "no speed of a private timeline"),
        ({"action": "play", "speed": 1001}, "no speed of a private timeline"),
        ({"action": "play", "speed": -1}, "no speed"),
    ],
)
async def test_what_cannot_be_is_refused_and_nothing_is_done(fields: dict[str, Any], says: str) -> None:
    async with live() as stage:
        home, away = await stage.someone(), await stage.someone()
        await away.do("seek", at="seq:3")
        for someone in (home, away):
            with pytest.raises(InvalidMessageError, match=says):
                await someone.do(**fields)
        assert len(stage.timelines) == 1
        away.hear()
        assert ((away.playback or {})["state"], away.fold.seq) == ("playing", 3)


@pytest.mark.parametrize("speed", [0.1, 1000, "max", "2.5"])
def test_speeds_of_a_private_timeline_are_bounded(speed: float | str) -> None:
    assert bounded_speed(speed) > 0


async def test_who_left_while_its_timeline_was_opened_gets_none() -> None:
    async with live() as stage:
        someone = await stage.someone()
        going = asyncio.ensure_future(someone.do("seek", at="seq:3"))
        await asyncio.sleep(0)
        someone.leave()
        await stage.clock.advance(1)
        await going
        assert (len(stage.timelines), len(stage.hub)) == (0, 0)


async def test_what_is_wrong_with_the_cluster_now_is_told_on_every_timeline_with_the_time_of_now() -> None:
    async with live() as stage:
        someone = await stage.someone()
        await someone.do("seek", at="seq:3")
        someone.hear()
        stage.hub.report(Fault(ErrorCode.WATCH_ERROR, "lost", "cause", "cluster", stale=True))
        await stage.clock.advance(0.1)
        assert "error" in someone.hear()
        wrong = {kind: someone.stamps[kind] for kind in ("error", "connection")}
        assert set(wrong.values()) == {timestamp(START + 10)}
        late = await stage.someone()
        await late.do("seek", at="seq:3")
        late.hear()
        assert late.stamps["error"] == wrong["error"], "it has not begun anew"
        stage.hub.report(Cleared("cluster"))
        await stage.clock.advance(0.1)
        assert "cleared" in someone.hear()
        assert someone.stamps["cleared"] == timestamp(START + 10.1)
        assert someone.stamps["playback"] < timestamp(START + 3), "of the timeline"


@pytest.mark.parametrize("whose", ["that of all", "that of another", "its own"])
async def test_whoever_plays_at_the_end_of_a_recording_plays_it_again_from_its_start(whose: str) -> None:
    log = MemoryLog(epoch="epoch-1")
    keys = [pod_key(f"p{number}") for number in range(20)]
    await log.append(
        [WatchEvent(Verb.ADDED, key, "1", START + n, body_of(key)) for n, key in enumerate(keys)]
    )
    async with running(state=await log.state_at(20)) as (hub, clock):
        shared = await ReplayLog.open(log, clock, start="seq:5", at="seq:20")
        follower = asyncio.create_task(anext(shared.follow(20), None))
        stage = Stage(hub, clock, log, shared, most=3)
        await clock.advance(1)
        someone, other = await stage.someone(), await stage.someone()
        if whose != "that of all":
            await someone.do("seek", at="seq:20")
            await clock.advance(1)
        mover = someone
        if whose == "that of another":
            mover = other
            assert someone.viewer.timeline is not None
            stage.timelines.follow(other.viewer, someone.viewer.timeline)
        mover.hear()
        assert shared.playback["state"] == "ended"
        await mover.do("play")
        await clock.advance(1.1)
        mover.hear()
        assert ((mover.playback or {})["state"], mover.fold.seq) == ("playing", 6)
        await stage.check(mover)
        follower.cancel()
        await stage.timelines.close()


async def test_a_recording_that_all_watch_has_private_timelines_too() -> None:
    log = MemoryLog(epoch="epoch-1")
    keys = [pod_key(f"p{number}") for number in range(20)]
    await log.append(
        [WatchEvent(Verb.ADDED, key, "1", START + n, body_of(key)) for n, key in enumerate(keys)]
    )
    async with running(state=await log.state_at(5)) as (hub, clock):
        shared = await ReplayLog.open(log, clock, start="seq:5", paused=True, speed=2.0)
        stage = Stage(hub, clock, log, shared, most=3)
        someone = await stage.someone()
        await someone.do("play")
        await clock.advance(1.1)
        someone.hear()
        data = someone.playback or {}
        assert (data["state"], data["speed"], someone.fold.seq) == ("playing", 2.0, 7)
        await clock.advance(30)
        someone.hear()
        assert ((someone.playback or {})["state"], someone.fold.seq) == ("ended", 20)
        await someone.do("live")
        await clock.advance(0.1)
        someone.hear()
        assert ((someone.playback or {})["state"], someone.fold.seq) == ("paused", 5)
        assert "id" not in (someone.playback or {})
        await someone.do("seek", at="seq:9")
        someone.hear()
        assert ((someone.playback or {})["state"], someone.fold.seq) == ("paused", 9), (
            "as the one that it left"
        )
        await stage.timelines.close()
