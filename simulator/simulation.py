"""A whole run: a scenario and a seed, made to happen. Pure: it knows neither a clock nor a log."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from kstream.core.errors import InvalidMessageError
from kstream.core.timeline.health import ClusterInfo
from simulator.cluster import bounds
from simulator.cluster.controllers.autoscaler import NodeAutoscaler
from simulator.cluster.controllers.daemonsets import DaemonSetController
from simulator.cluster.controllers.deployments import DeploymentController
from simulator.cluster.controllers.jobs import JobController
from simulator.cluster.controllers.namespaces import NamespaceController
from simulator.cluster.controllers.nodes import NodeController
from simulator.cluster.controllers.replicasets import ReplicaSetController
from simulator.cluster.controllers.statefulsets import StatefulSetController
from simulator.cluster.engine import Engine
from simulator.cluster.kubelet import Kubelet
from simulator.cluster.objects import Change
from simulator.cluster.scheduler import Scheduler
from simulator.cluster.storage import Cluster
from simulator.story.actions import Action
from simulator.story.churn import Churn
from simulator.story.construction import Construction
from simulator.story.director import Director
from simulator.story.durations import DEFAULT_START
from simulator.story.scenario import Scenario

_log = logging.getLogger(__name__)
PODS_PER_EVENT = 200  # the default churn: an event a second for so many pods


class Simulation:
    """Steps through a scenario. The same scenario, seed and start give the same changes, however it is stepped.

    Between two steps the state and the changes agree: that is where a run may be left and gone on from.
    """

    def __init__(self, scenario: Scenario, *, seed: int, start: float = DEFAULT_START) -> None:
        """`start`: seconds since the Unix epoch."""
        self.scenario = scenario
        self.seed = seed
        self.engine = Engine(seed)
        self.cluster = Cluster(self.engine, start=round(start * 1000))
        scheduler = Scheduler(self.cluster)
        kubelet = Kubelet(self.cluster)
        deployments = DeploymentController(self.cluster)
        ReplicaSetController(self.cluster)
        StatefulSetController(self.cluster)
        DaemonSetController(self.cluster)
        JobController(self.cluster)
        self._churn = Churn(self.cluster, kubelet)
        self._construction = Construction(
            self.cluster, scenario, scheduler=scheduler, kubelet=kubelet, deployments=deployments
        )
        self._director = Director(
            self.cluster,
            construction=self._construction,
            nodes=NodeController(self.cluster, kubelet),
            namespaces=NamespaceController(self.cluster, deployments),
            deployments=deployments,
            kubelet=kubelet,
            churn=self._churn,
        )
        self._scheduler = scheduler
        self._told: set[int] = set()  # actions of the timeline that could not be done, by id
        self._building: Iterator[None] | None = self._construction.steps()

    @property
    def info(self) -> ClusterInfo:
        """Which cluster it is: known once the first step is done."""
        spec = self.scenario.cluster
        return ClusterInfo(spec.name, spec.version, self._construction.identity)

    @property
    def built(self) -> bool:
        """The initial cluster is complete."""
        return self._building is None

    @property
    def time(self) -> float:
        """Where the simulation is, in seconds since the Unix epoch."""
        return self.cluster.time

    @property
    def elapsed(self) -> int:
        """Where the simulation is, in milliseconds since its start."""
        return self.engine.now

    def step(self, until: int) -> bool:
        """Do the next thing that is due by `until` (milliseconds since the start, inclusive).

        False when nothing is: then it is `until`.
        """
        if self._building is not None:
            self.engine.effort += 1
            if next(self._building, self) is self:
                self._building = None
                self._begin()
            return True
        return self.engine.run_next(until)

    def advance(self, until: int, *, most: int = 1000, effort: int = bounds.EFFORT) -> bool:
        """Step until `until`, or until about `most` changes wait to be taken, or for about so much `effort`, of which a
        step is 1, some 10 µs; True when `until` was reached."""
        changes = self.cluster.changes
        enough = self.engine.effort + effort
        while len(changes) < most and self.engine.effort < enough:
            if not self.step(until):
                return True
        return False

    def take(self) -> list[Change]:
        """The changes since the last time, in order."""
        taken, self.cluster.changes = self.cluster.changes, []
        return taken

    def perform(self, action: Action) -> None:
        """Do it now. Raises InvalidMessageError when its target is not there, or when the cluster would grow past its
        bounds; then nothing has been done."""
        self._director.perform(action)

    def _begin(self) -> None:
        """The cluster stands: from here on, things happen."""
        for action in self.scenario.timeline:
            self.engine.after(action.at, self._timeline, action)
        rate = self.scenario.churn
        if rate is None:
            rate = len(self.cluster.pods) / PODS_PER_EVENT
        self._churn.start(self._construction.background, rate)
        scaler = self.scenario.cluster.autoscaler
        if scaler is not None:
            NodeAutoscaler(
                self.cluster,
                self._scheduler,
                most=scaler.most,
                delay=scaler.delay,
                idle=scaler.idle,
                join=self._director.join,
                leave=self._director.leave,
            )

    def _timeline(self, action: Action) -> None:
        try:
            self._director.perform(action)
        except InvalidMessageError as error:
            # What it is about was taken away meanwhile, perhaps by hand: the show goes on. To say it once is enough.
            if id(action) not in self._told:
                self._told.add(id(action))
                fields = {
                    "scenario": self.scenario.name,
                    "action": action.do,
                    "at": action.at,
                    "message": str(error),
                    "details": error.details,
                }
                _log.warning("not acted", extra={"fields": fields})  # as kstream's lines have them
        if action.every is not None:
            self.engine.after(action.every, self._timeline, action)
