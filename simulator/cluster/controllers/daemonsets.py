"""DaemonSets: one pod on every node, whatever the node's taints; updated one node at a time."""

from __future__ import annotations

from simulator.cluster.objects import Node, Pod, Workload
from simulator.cluster.scheduler import RETRY, fits
from simulator.cluster.storage import LOOKED_AT, Cluster
from simulator.cluster.workloads import DaemonSet


class DaemonSetController:
    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._dice = cluster.engine.dice("daemonsets")
        self._meant: dict[str, str] = {}  # pod not yet bound → the node it is for
        cluster.reconcilers[DaemonSet.kind] = self.reconcile
        cluster.hooks.node_added.append(self._on_node)

    def _on_node(self, _: Node) -> None:
        for workload in self._cluster.of_kind.get(DaemonSet.kind, {}).values():
            self._cluster.enqueue(workload)

    def reconcile(self, workload: Workload) -> None:
        assert isinstance(workload, DaemonSet)
        cluster = self._cluster
        served: set[str] = set()
        outdated: list[Pod] = []
        unavailable = 0
        for pod in list(workload.pods.values()):
            node = pod.node
            if pod.finished and pod.deletion is None:
                cluster.delete_pod(pod)
                continue
            served.add(node.name if node is not None else self._meant.get(pod.uid, ""))
            if pod.deletion is not None or not pod.ready:
                unavailable += 1
            if pod.deletion is None and pod.template.hash != workload.template.hash:
                outdated.append(pod)
        selector = workload.template.node_selector
        lacking = [
            node
            for node in cluster.nodes.values()
            if node.name not in served and all(node.labels.get(k) == v for k, v in selector.items())
        ]
        cluster.engine.effort += len(cluster.nodes) // LOOKED_AT
        for node in lacking[: cluster.room(workload, len(lacking))] if lacking else ():
            pod = cluster.add_pod(workload)
            self._meant[pod.uid] = node.name
            cluster.engine.after(self._dice.between(0.002, 0.02), self._bind, pod, node)
        # maxUnavailable: 1. One that is not ready is replaced at no further loss.
        cluster.delete_pods([pod for pod in outdated if not pod.ready])
        if outdated and unavailable == 0:
            cluster.delete_pod(outdated[0])

    def _bind(self, pod: Pod, node: Node) -> None:
        if pod.uid not in self._cluster.pods or pod.node is not None:
            self._meant.pop(pod.uid, None)
            return
        if self._cluster.nodes.get(node.name) is not node:
            del self._meant[pod.uid]
            self._cluster.delete_pod(pod)
        elif fits(pod.template, node):
            del self._meant[pod.uid]
            self._cluster.bind(pod, node)
        else:  # it waits for this node and no other
            self._cluster.engine.after(RETRY, self._bind, pod, node)
