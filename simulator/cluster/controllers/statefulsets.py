"""StatefulSets: name-0, name-1, … in order, one at a time, each name with its own history."""

from __future__ import annotations

from simulator.cluster.objects import Workload
from simulator.cluster.storage import Cluster
from simulator.cluster.workloads import StatefulSet


class StatefulSetController:
    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        cluster.reconcilers[StatefulSet.kind] = self.reconcile

    def reconcile(self, workload: Workload) -> None:
        """OrderedReady: one step, and only when everything before it is ready."""
        assert isinstance(workload, StatefulSet)
        cluster = self._cluster
        names = cluster.pod_names
        for ordinal in range(workload.replicas):
            name = f"{workload.name}-{ordinal}"
            pod = names.get((workload.namespace, name))
            if pod is None:
                if cluster.room(workload, 1):
                    cluster.add_pod(workload, name=name)
                return
            if pod.finished and pod.deletion is None:
                cluster.delete_pod(pod)  # it frees its name; the next look makes another
                return
            if pod.deletion is not None or not pod.ready:
                # A pod that never got ready may still be replaced by a newer template: that is how one
                # gets out of a bad rollout.
                if pod.deletion is None and pod.template.hash != workload.template.hash:
                    cluster.delete_pod(pod)
                return
        pods = sorted(workload.pods.values(), key=lambda p: -int(p.name.rpartition("-")[2]))
        for pod in pods:
            if pod.deletion is not None:
                return
            beyond = int(pod.name.rpartition("-")[2]) >= workload.replicas
            if beyond or pod.template.hash != workload.template.hash:
                cluster.delete_pod(pod)
                return
