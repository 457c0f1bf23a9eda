"""ReplicaSets: as many pods as asked for; of too many, the least useful go first."""

from __future__ import annotations

from simulator.cluster import bounds
from simulator.cluster.objects import Pod, Workload
from simulator.cluster.storage import Cluster
from simulator.cluster.workloads import ReplicaSet


class ReplicaSetController:
    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        cluster.reconcilers[ReplicaSet.kind] = self.reconcile

    def reconcile(self, workload: Workload) -> None:
        assert isinstance(workload, ReplicaSet)
        pods = workload.alive()
        missing = workload.replicas - len(pods)
        if missing > 0:
            for _ in range(self._cluster.room(workload, missing)):
                self._cluster.add_pod(workload)
        elif missing < 0:
            # Of many, the rest at the next looks: each pod that goes asks for one.
            for pod in sorted(pods, key=_usefulness)[: min(-missing, bounds.AT_ONCE)]:
                self._cluster.delete_pod(pod)
        self._cluster.enqueue(workload.deployment)  # what is available may have changed


def _usefulness(pod: Pod) -> tuple[bool, bool, bool, int, int]:
    """The order in which pods go: unbound, pending, not ready, much restarted, young."""
    restarts = sum(c.restarts for c in pod.containers)
    return (pod.node is not None, pod.phase == "Running", pod.ready, -restarts, -pod.created)
