"""Deployments: a ReplicaSet for each template, and the rolling update between them.

The numbers follow the real controller: never more than replicas + maxSurge pods, never fewer available than
replicas - maxUnavailable, and old pods that are not available go first.
"""

from __future__ import annotations

from simulator.cluster.objects import Pod, Workload
from simulator.cluster.storage import LOOKED_AT, Cluster
from simulator.cluster.templates import Template
from simulator.cluster.workloads import Deployment, ReplicaSet, rounded


class DeploymentController:
    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        cluster.reconcilers[Deployment.kind] = self.reconcile

    def roll_out(self, deployment: Deployment, template: Template) -> None:
        """Ask for another template."""
        deployment.template = template
        self._cluster.enqueue(deployment)

    def roll_back(self, deployment: Deployment) -> bool:
        """Back to the revision before the current one; False when there is none."""
        sets = sorted(deployment.replica_sets.values(), key=lambda rs: rs.revision)
        if len(sets) < 2:
            return False
        self.roll_out(deployment, sets[-2].template)
        return True

    def scale(self, deployment: Deployment, replicas: int) -> None:
        deployment.replicas = replicas
        self._cluster.enqueue(deployment)

    def delete(self, deployment: Deployment) -> None:
        self._cluster.delete_pods(self.forget(deployment))

    def forget(self, deployment: Deployment) -> list[Pod]:
        """Delete it and its ReplicaSets, and leave their pods: those are returned."""
        pods: list[Pod] = []
        for replica_set in deployment.replica_sets.values():
            self._cluster.forget_workload(replica_set)
            pods += replica_set.pods.values()
        self._cluster.forget_workload(deployment)
        return pods

    def current(self, deployment: Deployment) -> ReplicaSet:
        """The ReplicaSet of the current template: a new one, or an old one again (a rollback)."""
        found = deployment.replica_sets.get(deployment.template.hash)
        newest = max((rs.revision for rs in deployment.replica_sets.values()), default=0)
        if found is None:
            found = ReplicaSet(
                deployment=deployment,
                uid=self._cluster.new_uid(),
                template=deployment.template,
                revision=newest + 1,
            )
            deployment.replica_sets[deployment.template.hash] = found
            self._cluster.add_workload(found)
        elif found.revision != newest:
            found.revision = newest + 1
        # The behaviour of a template is no part of its hash: the same image may have learned to crash.
        found.template = deployment.template
        return found

    def reconcile(self, workload: Workload) -> None:
        assert isinstance(workload, Deployment)
        new = self.current(workload)
        pods = sum(len(rs.pods) for rs in workload.replica_sets.values())
        self._cluster.engine.effort += pods // LOOKED_AT
        old = [rs for rs in workload.replica_sets.values() if rs is not new and rs.replicas]
        if not old:
            self._set(new, workload.replicas)
        else:
            surge = rounded(workload.max_surge, workload.replicas, up=True)
            unavailable = rounded(workload.max_unavailable, workload.replicas, up=False)
            if surge == 0 and unavailable == 0:
                unavailable = 1  # as the API server defaults it, or nothing would ever move
            self._scale_up(workload, new, old, surge)
            self._scale_down(workload, new, old, unavailable)
        self._forget_old(workload, new)

    def _scale_up(self, workload: Deployment, new: ReplicaSet, old: list[ReplicaSet], surge: int) -> None:
        room = workload.replicas + surge - new.replicas - sum(rs.replicas for rs in old)
        wanted = min(workload.replicas, new.replicas + max(room, 0))
        if new.replicas > workload.replicas:
            wanted = workload.replicas
        self._set(new, wanted)

    def _scale_down(
        self, workload: Deployment, new: ReplicaSet, old: list[ReplicaSet], unavailable: int
    ) -> None:
        least = workload.replicas - unavailable
        total = new.replicas + sum(rs.replicas for rs in old)
        budget = total - least - (new.replicas - min(_available(new), new.replicas))
        for rs in old:  # those that serve nobody first
            if budget <= 0:
                return
            sick = min(budget, rs.replicas - min(_available(rs), rs.replicas))
            if sick > 0:
                self._set(rs, rs.replicas - sick)
                budget -= sick
        spare = _available(new) + sum(_available(rs) for rs in old) - least
        for rs in old:
            if spare <= 0:
                return
            going = min(spare, rs.replicas)
            if going > 0:
                self._set(rs, rs.replicas - going)
                spare -= going

    def _set(self, replica_set: ReplicaSet, replicas: int) -> None:
        if replica_set.replicas != replicas:
            replica_set.replicas = replicas
            self._cluster.enqueue(replica_set)

    def _forget_old(self, workload: Deployment, new: ReplicaSet) -> None:
        """revisionHistoryLimit: 10 empty ReplicaSets are kept."""
        empty = [
            rs for rs in workload.replica_sets.values() if rs is not new and not rs.replicas and not rs.pods
        ]
        for rs in sorted(empty, key=lambda rs: rs.revision)[:-10]:
            del workload.replica_sets[rs.template.hash]
            self._cluster.remove_workload(rs)


def _available(replica_set: ReplicaSet) -> int:
    return sum(p.ready and p.deletion is None for p in replica_set.pods.values())
