"""Pausing, stepping and injecting while a simulation runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from kstream.clock import VirtualClock
from kstream.core.errors import InvalidMessageError
from kstream.core.timeline.events import Known
from simulator.pace import MAX, Pace
from simulator.source import SimulatorSource
from simulator.story.scenario import load_scenario

TOUR = load_scenario("tour")


class Stage:
    """A source that is recorded by nobody but a list, on a clock that a test moves."""

    def __init__(self, **options: Any) -> None:
        self.clock = VirtualClock(50.0)
        self.source = SimulatorSource(TOUR, clock=self.clock, seed=3, **options)
        self.times: list[float] = []
        self.task = asyncio.create_task(self._record())

    async def _record(self) -> None:
        async for delivery in self.source.deliveries(Known({}, {})):
            self.times.extend(event.time for event in delivery.events)

    async def act(self, **request: Any) -> dict[str, Any]:
        answer = asyncio.ensure_future(self.source.control(request))
        await self.clock.advance(0)
        assert answer.done(), "an answer waits for the commit and for no clock"
        return dict(answer.result())

    @property
    def last(self) -> float:
        """The simulated moment of the last event, in seconds since the start."""
        return self.times[-1] - 1737712800


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    stage = Stage()
    await stage.clock.advance(1)
    yield stage
    stage.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stage.task


async def test_nothing_happens_while_it_is_paused(stage: Stage) -> None:
    before = await stage.act(do="pause")
    heard = len(stage.times)
    await stage.clock.advance(500)
    assert len(stage.times) == heard
    assert (await stage.act(do="status")) == before
    assert stage.source.now() == pytest.approx(1737712800 + before["elapsed"])


async def test_it_goes_on_from_where_it_was_paused(stage: Stage) -> None:
    before = await stage.act(do="pause")
    await stage.clock.advance(500)
    await stage.act(do="play")
    await stage.clock.advance(10)
    after = await stage.act(do="status")
    assert after["elapsed"] == pytest.approx(before["elapsed"] + 10, abs=2)


async def test_a_step_goes_so_far_and_stands_still(stage: Stage) -> None:
    before = await stage.act(do="pause")
    after = await stage.act(do="step", by="30s")
    assert after["elapsed"] == before["elapsed"] + 30
    assert after["paused"] is True
    assert before["elapsed"] < stage.last <= after["elapsed"], "what happened is handed over"


async def test_a_step_without_a_span_goes_to_the_next_change(stage: Stage) -> None:
    before = await stage.act(do="pause")
    heard = len(stage.times)
    after = await stage.act(do="step")
    assert after["changes"] > before["changes"]
    assert set(stage.times[heard:]) == {1737712800 + after["elapsed"]}


async def test_the_speed_can_be_changed(stage: Stage) -> None:
    await stage.act(do="speed", speed=10)
    before = (await stage.act(do="status"))["elapsed"]
    await stage.clock.advance(6)
    await stage.act(do="pause")
    assert (await stage.act(do="status"))["elapsed"] == pytest.approx(before + 60, abs=2)


async def test_an_injected_action_happens_now_and_is_counted(stage: Stage) -> None:
    await stage.act(do="pause")
    heard = len(stage.times)
    after = await stage.act(do="cordon", target="node-1")
    assert after["injected"] == 1
    assert set(stage.times[heard:]) == {1737712800 + after["elapsed"]}


@pytest.mark.parametrize(
    ("request_", "details"),
    [
        ({"do": "speed", "speed": 0}, "speed: 0 is neither"),
        ({"do": "speed", "speed": "nan"}, "speed: 'nan' is neither"),
        ({"do": "speed", "speed": None}, "speed: None is neither"),
        ({"do": "step", "by": "soon"}, "by: 'soon' is not a span"),
        ({"do": "step", "by": [1]}, "by: "),
        ({"do": "step", "by": -5}, "by: "),
        ({"do": "step", "by": "25h"}, "by: at most 24h"),
        ({"do": "step", "by": 1e308}, "by: at most 24h"),
        ({"do": "kill-node", "target": "node-1", "at": "5s"}, "at: a live action happens now"),
        ({"do": "pause", "now": True}, "do: "),
        ({"do": 5}, "do: "),
        ({}, "do: "),
    ],
)
async def test_a_request_that_makes_no_sense_is_refused_and_changes_nothing(
    stage: Stage, request_: dict[str, Any], details: str
) -> None:
    before = await stage.act(do="pause")
    with pytest.raises(InvalidMessageError) as caught:
        await stage.act(**request_)
    assert caught.value.details.startswith(details)
    assert await stage.act(do="status") == before


async def test_it_begins_at_a_moment_paused() -> None:
    stage = Stage(at=60.0, paused=True)
    await stage.clock.advance(100)
    status = await stage.act(do="status")
    assert (status["elapsed"], status["paused"]) == (60, True)
    assert 55 < stage.last <= 60
    stage.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stage.task


async def test_before_it_is_ready_and_after_its_end_nothing_can_be_done() -> None:
    stage = Stage(speed=MAX, duration=5.0)
    with pytest.raises(InvalidMessageError, match="not ready"):
        await stage.source.control({"do": "pause"})
    await stage.clock.advance(10)
    await stage.task
    assert stage.source.ended.is_set()
    with pytest.raises(InvalidMessageError, match="has ended"):
        await stage.source.control({"do": "pause"})


def test_pace_is_arithmetic() -> None:
    pace = Pace(speed=4.0, now=100.0)
    assert pace.at(102.5) == 10_000
    assert pace.until(20_000, 102.5) == 2.5
    pace.anchor(10_000, 102.5)
    pace.speed = 1.0
    assert pace.at(103.5) == 11_000
    pace.paused = True
    assert pace.at(500.0) == 10_000
    assert pace.until(20_000, 500.0) == MAX
    assert Pace(speed=MAX, now=0.0).at(5.0) is None


async def test_a_step_that_is_refused_does_not_pause(stage: Stage) -> None:
    with pytest.raises(InvalidMessageError):
        await stage.act(do="step", by="soon")
    assert (await stage.act(do="status"))["paused"] is False


async def test_a_step_may_be_long_and_other_tasks_run_meanwhile(stage: Stage) -> None:
    await stage.act(do="set-churn", rate=200)
    answer = asyncio.ensure_future(stage.source.control({"do": "step", "by": "60s"}))
    turns = 0
    while not answer.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 10, "it goes in batches"
    assert (await answer)["elapsed"] == pytest.approx(61, abs=2)
    assert len(stage.times) > 3000
