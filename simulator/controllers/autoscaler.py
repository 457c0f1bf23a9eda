"""The cluster autoscaler: pods that are pending bring nodes, one batch at a time."""

from __future__ import annotations

from collections.abc import Callable

from simulator.cluster import Cluster
from simulator.scheduler import Scheduler

LOOK = 10.0  # seconds between two looks


class NodeAutoscaler:
    def __init__(
        self,
        cluster: Cluster,
        scheduler: Scheduler,
        *,
        most: int,
        delay: float,
        join: Callable[[], object],
    ) -> None:
        self._cluster = cluster
        self._scheduler = scheduler
        self._most = most
        self._delay = delay
        self._join = join
        self._coming = 0
        cluster.engine.after(LOOK, self._look)

    def _look(self) -> None:
        cpu = sum(p.template.cpu for p in self._scheduler.pending.values() if p.uid in self._cluster.pods)
        if cpu and not self._coming:
            one = max(node.cpu for node in self._cluster.nodes.values()) if self._cluster.nodes else cpu
            wanted = min(-(-cpu // one), self._most - len(self._cluster.nodes))
            for _ in range(max(wanted, 0)):
                self._coming += 1
                self._cluster.engine.after(self._delay, self._arrive)
        self._cluster.engine.after(LOOK, self._look)

    def _arrive(self) -> None:
        self._coming -= 1
        self._join()
