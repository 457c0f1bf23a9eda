"""The simulated cluster as a feed."""

from __future__ import annotations

from collections.abc import Iterable

from simulator.apiserver.dressing import Dressing
from simulator.apiserver.store import Store
from simulator.cluster.objects import Change
from simulator.simulation import Simulation


class SimulatedFeed:
    """A run of a scenario; the cluster that it starts with stands at the first instant.

    Its objects are as large as those of a real cluster: see `dressing`.
    """

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._start = simulation.time
        self._begun = False
        self._dress = Dressing().dress

    def load(self, store: Store) -> None:
        """Put the cluster that it starts with into a store, without history: nobody can have watched it being built.

        The rest follows from the first instant on, as if it had not been loaded.
        """
        simulation = self._simulation
        while not simulation.built:
            simulation.step(0)
            for change in simulation.take():  # a step at a time: the objects of 150,000 pods take a gigabyte
                store.apply(self._dress(change))
        store.compact()

    def next_time(self) -> float | None:
        if not self._begun:
            return self._start
        if self._simulation.cluster.changes:
            return self._simulation.time
        due = self._simulation.engine.next_due
        return None if due is None else self._start + due / 1000

    def until(self, time: float) -> Iterable[Change]:
        self._begun = True
        upto = int((time - self._start) * 1000 + 0.5)
        while not self._simulation.advance(upto):
            yield from map(self._dress, self._simulation.take())
        yield from map(self._dress, self._simulation.take())
