"""Jobs: pods that run to completion, some at a time, and are tried again when they fail."""

from __future__ import annotations

from simulator.cluster.objects import Workload
from simulator.cluster.storage import Cluster
from simulator.cluster.workloads import Job


class JobController:
    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        cluster.reconcilers[Job.kind] = self.reconcile

    def reconcile(self, workload: Workload) -> None:
        assert isinstance(workload, Job)
        pods = workload.pods.values()
        succeeded = sum(p.phase == "Succeeded" for p in pods)
        failed = sum(p.phase == "Failed" for p in pods)
        # Pods that were deleted meanwhile have been counted: what is done stays done.
        workload.succeeded = max(workload.succeeded, succeeded)
        workload.failed = max(workload.failed, failed)
        active = workload.alive()
        if workload.failed > workload.backoff_limit:
            self._cluster.delete_pods(active)
            self._expire(workload)
            return
        left = workload.completions - workload.succeeded
        if left <= 0:
            self._expire(workload)
            return
        missing = min(workload.parallelism, left) - len(active)
        if missing > 0:
            for _ in range(self._cluster.room(workload, missing)):
                self._cluster.add_pod(workload)

    def _expire(self, workload: Job) -> None:
        if workload.ttl is not None:
            self._cluster.engine.after(workload.ttl, self._remove, workload)
            workload.ttl = None

    def _remove(self, workload: Job) -> None:
        if not workload.deleted:
            self._cluster.remove_workload(workload)
