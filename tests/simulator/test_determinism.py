"""The same scenario, seed and start: the same events, byte for byte, whatever the speed, the stops and the machine."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kstream.clock import VirtualClock
from kstream.core.errors import InvalidMessageError, LogMismatchError
from kstream.core.timeline.events import Event, Known, WatchEvent
from kstream.core.timeline.health import Identified, Report, Synced
from kstream.core.timeline.state import ClusterState
from simulator.fingerprint import SECONDS, SEEDS, fingerprint, scenario_for_hash
from simulator.pace import MAX
from simulator.source import SimulatorSource
from simulator.story.durations import DEFAULT_START
from simulator.story.scenario import load_scenario, shipped

PINNED = Path(__file__).parents[2] / "fixtures" / "simulator-hashes.json"
TOUR = load_scenario("tour")


class Log:
    """As much of an event log as a source needs: what it was told, and what to go on from."""

    def __init__(self) -> None:
        self.events: list[WatchEvent] = []
        self.versions: dict[str, str] = {}
        self.reports: list[Report] = []
        self.state = ClusterState()

    @property
    def known(self) -> Known:
        return Known(self.state.versions(), dict(self.versions))

    async def record(self, source: SimulatorSource, *, until: int | None = None) -> None:
        """What `service.record` does; stopped, as by a kill, once there are `until` events."""
        async for delivery in source.deliveries(self.known):
            for event in delivery.events:
                self.events.append(event)
                self.state.apply(Event(self.state.seq + 1, event))
            self.versions.update(delivery.versions)
            self.reports.extend(delivery.reports)
            if until is not None and len(self.events) >= until:
                return


BIG = TOUR.adapted(nodes=90, pods=4000)


def source(clock: VirtualClock, **options: Any) -> SimulatorSource:
    return SimulatorSource(TOUR, **{"clock": clock, "seed": 7, "speed": MAX, "duration": 150.0, **options})


@pytest.fixture
async def whole() -> Log:
    log = Log()
    await log.record(source(VirtualClock()))
    return log


@pytest.mark.parametrize("name", shipped())
def test_every_shipped_scenario_tells_what_is_pinned(name: str) -> None:
    pinned = json.loads(PINNED.read_text())
    for seed in SEEDS:
        told = fingerprint(scenario_for_hash(name), seed=seed, seconds=SECONDS)
        assert told == pinned[f"{name}/{seed}"], "run `python -m simulator.fingerprint` if that was meant"


def test_another_seed_is_another_story() -> None:
    assert len(set(json.loads(PINNED.read_text()).values())) == len(shipped()) * len(SEEDS)


@pytest.mark.parametrize("speed", [0.5, 1.0, 37.0])
async def test_the_speed_changes_nothing(speed: float, whole: Log) -> None:
    clock, log = VirtualClock(1000.0), Log()
    running = asyncio.create_task(log.record(source(clock, speed=speed)))
    while not running.done():
        await clock.advance(1.7)
    await running
    assert log.events == whole.events
    assert log.versions == whole.versions


async def test_it_is_paced_by_the_clock() -> None:
    clock, log = VirtualClock(1000.0), Log()
    simulated = source(clock, speed=4.0)
    running = asyncio.create_task(log.record(simulated))
    await clock.advance(10)
    assert simulated.now() == pytest.approx(DEFAULT_START + 40, abs=0.2)
    assert log.events[-1].time <= DEFAULT_START + 40
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


def test_the_cluster_is_identified_first_and_synced_once_it_is_complete(whole: Log) -> None:
    identified, synced = whole.reports
    assert isinstance(identified, Identified)
    assert identified.cluster.name == "sim"
    assert synced == Synced()


async def test_a_run_is_gone_on_with_from_any_event(whole: Log) -> None:
    for events in range(1, len(whole.events), 97):
        log = Log()
        await log.record(source(VirtualClock()), until=events)
        await log.record(source(VirtualClock()))
        assert log.events == whole.events
        assert log.versions == whole.versions


async def controlled(
    simulated: SimulatorSource, clock: VirtualClock, request: dict[str, Any]
) -> Mapping[str, Any]:
    """Act; the answer comes when the log has it, which takes no time."""
    answer = asyncio.ensure_future(simulated.control(request))
    await clock.advance(0)
    return await answer


async def test_a_run_that_was_killed_while_its_cluster_was_built_is_gone_on_with() -> None:
    def big() -> SimulatorSource:
        return SimulatorSource(BIG, clock=VirtualClock(), seed=7, speed=MAX, duration=5.0)

    whole, log = Log(), Log()
    await whole.record(big())
    for events in (1, 1500, 2500, 3500):
        await log.record(big(), until=events)
        assert len(log.events) < 4100, "the cluster is complete"
    await log.record(big())
    assert log.events == whole.events


INJECTIONS = st.lists(
    st.tuples(
        st.integers(1, 30),
        st.sampled_from(
            [
                {"do": "kill-node", "target": "node-2"},
                {"do": "scale", "target": "shop/web", "replicas": 9},
                {"do": "delete-namespace", "target": "shop"},
                {"do": "pause"},
                {"do": "play"},
                {"do": "speed", "speed": 3},
                {"do": "step", "by": "7s"},
                {"do": "step"},
            ]
        ),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=12, deadline=None)
@given(injections=INJECTIONS)
async def test_what_is_injected_is_in_the_log_and_happens_again(
    injections: list[tuple[int, dict[str, Any]]],
) -> None:
    clock, live = VirtualClock(), Log()
    simulated = source(clock, speed=2.0, duration=700.0)
    running = asyncio.create_task(live.record(simulated))
    await clock.advance(1)
    for pause, request in injections:
        await clock.advance(pause)
        try:
            await controlled(simulated, clock, request)
        except InvalidMessageError:
            continue  # the namespace is gone already
    await controlled(simulated, clock, {"do": "play"})
    await controlled(simulated, clock, {"do": "speed", "speed": "max"})
    while not running.done():
        await clock.advance(5)
    await running
    # From the log alone: the same again, and the log can be gone on with.
    longer = await rerun(injected(live.versions), 800.0)
    assert longer[: len(live.events)] == live.events
    await live.record(source(VirtualClock(), duration=800.0))
    assert live.events == longer


def injected(versions: Mapping[str, str]) -> list[tuple[float, dict[str, Any]]]:
    """What a log says was injected: (elapsed seconds, action), in order."""
    records = [json.loads(v) for k, v in versions.items() if k.startswith("simulation-action-")]
    return [(record["elapsed"] / 1000, record["action"]) for record in records]


async def rerun(actions: list[tuple[float, dict[str, Any]]], duration: float) -> list[WatchEvent]:
    """The same run anew, with the same actions at the same simulated moments, stepped instead of paced."""
    clock, log = VirtualClock(), Log()
    simulated = source(clock, paused=True, speed=1.0, duration=duration)
    running = asyncio.create_task(log.record(simulated))
    await clock.advance(1)
    elapsed = 0.0
    for moment, action in actions:
        if moment > elapsed:
            await controlled(simulated, clock, {"do": "step", "by": moment - elapsed})
            elapsed = moment
        await controlled(simulated, clock, action)
    await controlled(simulated, clock, {"do": "play"})
    await controlled(simulated, clock, {"do": "speed", "speed": "max"})
    while not running.done():
        await clock.advance(5)
    await running
    return log.events


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({"seed": 8}, "seed is 7, not 8"),
        ({"start": DEFAULT_START + 5}, "start"),
    ],
)
async def test_a_log_of_another_run_is_refused(other: dict[str, Any], named: str) -> None:
    log = Log()
    await log.record(source(VirtualClock()), until=1)
    with pytest.raises(LogMismatchError, match=named):
        await log.record(source(VirtualClock(), **other))


async def test_a_log_of_a_real_cluster_is_refused(whole: Log) -> None:
    log = Log()
    log.state = whole.state
    log.versions = {"pods": "9186"}
    with pytest.raises(LogMismatchError, match="not of a simulation"):
        await log.record(source(VirtualClock()))


async def test_a_start_of_now_goes_on_with_the_start_that_the_log_has(whole: Log) -> None:
    log = Log()
    await log.record(source(VirtualClock()), until=200)
    await log.record(source(VirtualClock(), start=DEFAULT_START + 86_400, adopt_start=True))
    assert log.events == whole.events
