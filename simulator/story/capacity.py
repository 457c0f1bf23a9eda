"""Whether what an action asks for is within the bounds of a cluster. Asked before anything is done."""

from __future__ import annotations

from kstream.core.errors import InvalidMessageError
from simulator.cluster import bounds
from simulator.cluster.objects import Node, Workload
from simulator.cluster.storage import Cluster
from simulator.cluster.workloads import Deployment, Job, ReplicaSet, StatefulSet
from simulator.story.workloads import WorkloadSpec


class Capacity:
    """Every check raises InvalidMessageError whose details begin with the field."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def check_time(self) -> None:
        """There is no action that plans nothing: with too much planned, none is begun."""
        planned = self._cluster.engine.planned
        if planned >= bounds.PLANNED:
            raise InvalidMessageError(
                "The simulation has too much to do already",
                f"do: {planned} steps are planned; go on when some of them are done",
            )

    def check_nodes(self, more: int) -> None:
        """That so many nodes may join, each with its daemons."""
        nodes = len(self._cluster.nodes)
        _check("nodes", "count", nodes + more, bounds.NODES)
        daemons = self._cluster.of_kind.get("DaemonSet", {}).values()
        _check("pods", "count", self._pods() + more * len(daemons), bounds.PODS)
        containers = sum(_containers(daemon) for daemon in daemons)
        _check("containers", "count", self._containers() + more * containers, bounds.CONTAINERS)

    def check_replicas(self, workload: Deployment | StatefulSet, replicas: int) -> None:
        more = max(0, replicas - workload.replicas)
        _check("pods", "replicas", self._pods() + more, bounds.PODS)
        containers = self._containers() + more * _containers(workload)
        _check("containers", "replicas", containers, bounds.CONTAINERS)

    def check_workload(self, spec: WorkloadSpec) -> None:
        """That it may be created, and its namespace with it."""
        there = sum(len(found) for kind, found in self._cluster.of_kind.items() if kind != ReplicaSet.kind)
        _check("workloads", "workload", there + 1, bounds.WORKLOADS)
        pods = spec.pods(len(self._cluster.nodes))
        _check("pods", "workload", self._pods() + pods, bounds.PODS)
        containers = self._containers() + pods * spec.containers_of_a_pod
        _check("containers", "workload", containers, bounds.CONTAINERS)
        if spec.namespace not in self._cluster.namespaces:
            self.check_namespace("workload.namespace")

    def check_namespace(self, field: str = "target") -> None:
        _check("namespaces", field, len(self._cluster.namespaces) + 1, bounds.NAMESPACES)

    def check_label(self, node: Node, key: str) -> None:
        _check("labels of the node", "key", len({*node.labels, key}), bounds.LABELS)

    def _pods(self) -> int:
        """How many pods the workloads ask for, or, if they are more, how many there are."""
        return max(len(self._cluster.pods), sum(self._asked(w) for w in self._cluster.workloads.values()))

    def _containers(self) -> int:
        return sum(self._asked(w) * _containers(w) for w in self._cluster.workloads.values())

    def _asked(self, workload: Workload) -> int:
        match workload:
            case Deployment() | StatefulSet():
                return workload.replicas
            case Job():
                return workload.parallelism
            case ReplicaSet():
                return 0  # its Deployment says it
        return len(self._cluster.nodes)


def _containers(workload: Workload) -> int:
    template = workload.template
    return len(template.containers) + len(template.init)


def _check(what: str, field: str, there: int, most: int) -> None:
    if there > most:
        raise InvalidMessageError(
            f"There would be too many {what}", f"{field}: {there} is too many, {most} is the most"
        )
