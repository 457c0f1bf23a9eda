"""A simulated cluster that lives in real time behind a fake server, for clients that no one here wrote."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import yaml

from kstream.clock import SystemClock
from kstream.core.timeline.events import Kind
from simulator.apiserver.faults import parse_script
from simulator.apiserver.feed import Pacing
from simulator.apiserver.requests import Seen
from simulator.apiserver.server import FakeApiServer
from simulator.apiserver.simulated import SimulatedFeed
from simulator.apiserver.store import Store
from simulator.simulation import Simulation
from simulator.story.actions import parse_action
from simulator.story.scenario import load_scenario

SPEED = 20.0  # seconds of the cluster in a second


class Living(NamedTuple):
    """The cluster, its server, and a kubeconfig for it."""

    server: FakeApiServer
    simulation: Simulation | None  # None: a recording is played
    config: Path

    def perform(self, do: str, target: str | None = None, **options: object) -> None:
        """Let something happen to the cluster now."""
        aim = {} if target is None else {"target": target}
        assert self.simulation is not None
        self.simulation.perform(parse_action({"do": do, **aim, **options}))

    def names(self, kind: Kind) -> list[str]:
        """As "namespace/name", or the name alone, in order."""
        return list(self.server.store.snapshot(kind).keys)

    def asked(self, resource: str) -> list[Seen]:
        """The lists and watches of a resource."""
        return [
            seen
            for seen in self.server.requests
            if seen.resource == resource and seen.verb in ("list", "watch")
        ]

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():  # noqa: ASYNC110 - of requests and of writes, whatever they are
            await asyncio.sleep(0.01)

    async def until_written(self, writes: int) -> None:
        """Let the cluster change that often."""
        goal = self.server.store.writes + writes
        await self.until(lambda: self.server.store.writes >= goal)


@asynccontextmanager
async def living(folder: Path, *, faults: str = "", churn: float = 5.0) -> AsyncIterator[Living]:
    """Five nodes and sixty pods that come and go."""
    scenario = await asyncio.to_thread(load_scenario, "calm-day")
    simulation = Simulation(scenario.adapted(nodes=5, pods=60, churn=churn), seed=1)
    store, clock, feed = Store(), SystemClock(), SimulatedFeed(simulation)
    feed.load(store)
    pacing = Pacing(feed, store, clock, speed=SPEED)
    script = parse_script(f"faults:\n{faults}") if faults else None
    async with FakeApiServer(store, clock=clock, pacing=pacing, faults=script) as server:
        config = folder / "config"
        await asyncio.to_thread(config.write_text, yaml.safe_dump(server.kubeconfig()))
        yield Living(server, simulation, config)
        assert not server.unused_faults, "each has happened"
