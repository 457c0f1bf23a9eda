"""The simulated cluster as a feed."""

from __future__ import annotations

from collections.abc import Iterable

from simulator.objects import Change
from simulator.simulation import Simulation


class SimulatedFeed:
    """A run of a scenario; the cluster that it starts with stands at the first instant."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._start = simulation.time
        while not simulation.built:
            simulation.step(0)

    def next_time(self) -> float | None:
        if self._simulation.cluster.changes:
            return self._simulation.time
        due = self._simulation.engine.next_due
        return None if due is None else self._start + due / 1000

    def until(self, time: float) -> Iterable[Change]:
        upto = int((time - self._start) * 1000 + 0.5)
        while not self._simulation.advance(upto):
            yield from self._simulation.take()
        yield from self._simulation.take()
