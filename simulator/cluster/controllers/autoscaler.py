"""The cluster autoscaler: pods that are pending bring nodes, and nodes that it brought go when little needs them."""

from __future__ import annotations

from collections.abc import Callable

from simulator.cluster import bounds
from simulator.cluster.objects import Node
from simulator.cluster.scheduler import Scheduler
from simulator.cluster.storage import LOOKED_AT, Cluster

LOOK = 10.0  # seconds between two looks
LITTLE = 0.3  # of a node's processors requested: less is not worth a node


class NodeAutoscaler:
    def __init__(
        self,
        cluster: Cluster,
        scheduler: Scheduler,
        *,
        most: int,
        delay: float,
        idle: float,
        join: Callable[[], Node],
        leave: Callable[[Node], None],
    ) -> None:
        """`join` makes a node, `leave` takes one away; `delay` and `idle` are in seconds."""
        self._cluster = cluster
        self._scheduler = scheduler
        self._most = most
        self._delay = delay
        self._idle = round(idle * 1000)
        self._join = join
        self._leave = leave
        self._coming = 0
        self._brought: dict[str, int] = {}  # node → when it was last seen in use
        cluster.engine.after(LOOK, self._look)

    def _look(self) -> None:
        self._grow()
        self._shrink()
        self._cluster.engine.after(LOOK, self._look)

    def _grow(self) -> None:
        nodes = self._cluster.nodes
        self._cluster.engine.effort += (len(nodes) + len(self._scheduler.pending)) // LOOKED_AT
        cpu = sum(p.template.cpu for p in self._scheduler.pending.values() if p.uid in self._cluster.pods)
        if cpu and nodes and not self._coming:
            one = max(node.cpu for node in nodes.values())
            for _ in range(min(-(-cpu // one), self._most - len(nodes))):
                self._coming += 1
                self._cluster.engine.after(self._delay, self._arrive)

    def _arrive(self) -> None:
        self._coming -= 1
        if len(self._cluster.nodes) >= bounds.NODES:
            return  # others have joined meanwhile
        self._brought[self._join().name] = self._cluster.now

    def _shrink(self) -> None:
        """One node at a time goes, if the others have room for what is on it."""
        now, nodes = self._cluster.now, self._cluster.nodes
        room = sum(_room(node) for node in nodes.values())
        for name, used in list(self._brought.items()):
            node = nodes.get(name)
            if node is None:
                del self._brought[name]
            elif node.cpu_used >= LITTLE * node.cpu:
                self._brought[name] = now
            elif now - used >= self._idle and room - _room(node) >= node.cpu_used:
                del self._brought[name]
                self._leave(node)
                return


def _room(node: Node) -> int:
    """Processors, in millicores, for pods from elsewhere."""
    return node.cpu - node.cpu_used if not node.taints and node.ready else 0
