"""The life of a node: lost and found again, tainted and drained of pods, gone and swept up after."""

from __future__ import annotations

from functools import partial

from simulator.cluster.kubelet import Kubelet
from simulator.cluster.objects import Node, Pod
from simulator.cluster.storage import HEALTHY, LOOKED_AT, Cluster

MONITOR_GRACE = 40.0  # seconds without a status until a node is Unknown
STATUS_PERIOD = 300.0  # seconds between two posts of a status in which nothing changed
EVICTION_PERIOD = 10.0  # seconds between two nodes of a zone whose pods are given notice (0.1 a second)
GC_QUARANTINE = 40.0  # seconds that pods outlive their node
UNREACHABLE = "node.kubernetes.io/unreachable"
NOT_READY = "node.kubernetes.io/not-ready"
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
MEMORY = "node.kubernetes.io/memory-pressure"


class NodeController:
    def __init__(self, cluster: Cluster, kubelet: Kubelet) -> None:
        self._cluster = cluster
        self._engine = cluster.engine
        self._kubelet = kubelet
        self._dice = cluster.engine.dice("nodes")
        self._next_eviction: dict[str, int] = {}  # zone → when its next node may be tainted NoExecute
        cluster.hooks.node_added.append(self._on_added)
        cluster.hooks.node_removed.append(self._on_removed)
        cluster.hooks.pod_bound.append(self._on_bound)

    # -- what a kubelet posts

    def _on_added(self, node: Node) -> None:
        self._engine.after(self._dice.between(0, STATUS_PERIOD), self._heartbeat, node, node.turn)

    def _heartbeat(self, node: Node, turn: int) -> None:
        if node.turn == turn and node.alive:
            node.heartbeat = self._engine.now
            self._cluster.update_node(node)
            self._engine.after(STATUS_PERIOD, self._heartbeat, node, turn)

    def kill(self, node: Node) -> None:
        """The kubelet dies without a word; the control plane notices after the grace period."""
        if node.alive:
            node.alive = False
            node.turn += 1
            self._engine.after(MONITOR_GRACE + self._dice.between(0, 5), self._lost, node, node.turn)

    def revive(self, node: Node) -> None:
        """The kubelet posts again, and looks after the pods it finds."""
        if node.alive:
            return
        node.alive = True
        node.turn += 1
        known = node.ready  # nobody has missed it yet
        self.heal(node)
        if known:
            self._kubelet.resume(node)
        self._on_added(node)

    def heal(self, node: Node) -> None:
        """Post that all is well: the controller takes its taints away, its pods are ready again."""
        was_ready = node.ready
        node.heartbeat = self._engine.now
        for kind, (status, reason) in HEALTHY.items():
            self._set(node, kind, status, reason)
        self._cluster.update_node(node)
        for key in (UNREACHABLE, NOT_READY, MEMORY):
            for effect in ("NoSchedule", "NoExecute"):
                if node.taints.pop((key, effect), None) is not None:
                    self._cluster.update_node(node)
        if not was_ready:
            self._kubelet.resume(node)

    def fail(self, node: Node) -> None:
        """The kubelet posts that it is not ready: its container runtime is down."""
        if node.alive and node.ready:
            self._set(node, "Ready", "False", "KubeletNotReady")
            self._cluster.update_node(node)
            self._distrust(node, NOT_READY)

    def press(self, node: Node) -> None:
        """The node runs out of memory: no new pods, and the kubelet evicts."""
        if node.alive:
            self._set(node, "MemoryPressure", "True", "KubeletHasInsufficientMemory")
            self._cluster.update_node(node)
            node.taints[MEMORY, "NoSchedule"] = self._engine.now
            self._cluster.update_node(node)
            self._engine.after(self._dice.between(1, 3), self._evict_one, node, node.turn)

    def _evict_one(self, node: Node, turn: int) -> None:
        if node.turn != turn or node.conditions["MemoryPressure"][0] != "True":
            return
        # The youngest of those that use most goes first; daemons are left alone.
        victims = [
            p for p in node.pods.values() if p.deletion is None and p.phase == "Running" and not _is_daemon(p)
        ]
        if victims:
            self._kubelet.evict(max(victims, key=lambda p: (p.template.memory, p.created)))
            self._engine.after(self._dice.between(5, 10), self._evict_one, node, turn)

    def _set(self, node: Node, kind: str, status: str, reason: str) -> None:
        if node.conditions[kind][:2] != (status, reason):
            node.conditions[kind] = (status, reason, self._engine.now)

    # -- what the control plane makes of it

    def _lost(self, node: Node, turn: int) -> None:
        if node.turn != turn or node.name not in self._cluster.nodes:
            return
        for kind in node.conditions:
            self._set(node, kind, "Unknown", "NodeStatusUnknown")
        self._cluster.update_node(node)
        self._distrust(node, UNREACHABLE)

    def _distrust(self, node: Node, key: str) -> None:
        """Taint the node, say that its pods are not ready, and give them notice (rate-limited per zone)."""
        now = self._engine.now
        node.taints[key, "NoSchedule"] = now
        self._cluster.update_node(node)
        self._engine.spread(list(node.pods.values()), partial(self._doubt, node))
        due = max(now, self._next_eviction.get(node.zone, now))
        self._next_eviction[node.zone] = due + int(EVICTION_PERIOD * 1000)
        self._engine.after((due - now) / 1000 + 0.05, self._give_notice, node, key, node.turn)

    def _doubt(self, node: Node, pod: Pod) -> None:
        if pod.ready and pod.node is node and pod.uid in self._cluster.pods:
            self._cluster.set_ready(pod, False)
            self._cluster.update_pod(pod)

    def _give_notice(self, node: Node, key: str, turn: int) -> None:
        if node.turn != turn or (key, "NoSchedule") not in node.taints:
            return
        node.taints[key, "NoExecute"] = self._engine.now
        self._cluster.update_node(node)
        for pod in list(node.pods.values()):
            self._notice(pod, node)

    def _on_bound(self, pod: Pod) -> None:
        if pod.node is not None and any(effect == "NoExecute" for _, effect in pod.node.taints):
            self._notice(pod, pod.node)

    def _notice(self, pod: Pod, node: Node) -> None:
        if pod.deletion is None and not pod.template.everywhere:
            self._engine.after(pod.template.toleration, self._evict_tainted, pod, node)

    def _evict_tainted(self, pod: Pod, node: Node) -> None:
        tainted = [key for key, effect in node.taints if effect == "NoExecute"]
        if tainted and pod.uid in self._cluster.pods and pod.node is node and pod.deletion is None:
            self._cluster.delete_pod(pod, disruption="DeletionByTaintManager")

    # -- what an administrator does

    def cordon(self, node: Node) -> None:
        if not node.cordoned:
            node.cordoned = True
            self._cluster.update_node(node)
            node.taints[UNSCHEDULABLE, "NoSchedule"] = self._engine.now
            self._cluster.update_node(node)

    def uncordon(self, node: Node) -> None:
        if node.cordoned:
            node.cordoned = False
            self._cluster.update_node(node)
            node.taints.pop((UNSCHEDULABLE, "NoSchedule"), None)
            self._cluster.update_node(node)

    def drain(self, node: Node) -> None:
        """Cordon it and evict all but its daemons."""
        self.cordon(node)
        pods = [pod for pod in node.pods.values() if not _is_daemon(pod)]
        self._engine.spread(pods, self._drained)

    def _drained(self, pod: Pod) -> None:
        if pod.uid in self._cluster.pods:
            self._cluster.delete_pod(pod, disruption="EvictionByEvictionAPI")

    def remove(self, node: Node) -> None:
        self._cluster.remove_node(node)

    def _on_removed(self, node: Node) -> None:
        delay = GC_QUARANTINE + self._dice.between(0, 20)  # the collector looks every 20 s
        self._engine.after(delay, self._sweep, node)

    def _sweep(self, node: Node) -> None:
        """Pods of a node that is gone: declared failed, then removed, since no kubelet will do it."""
        # Finished pods hold nothing of a node, but they were bound to it all the same.
        self._engine.effort += len(self._cluster.pods) // LOOKED_AT
        self._engine.spread([p for p in self._cluster.pods.values() if p.node is node], self._swept)

    def _swept(self, pod: Pod) -> None:
        if pod.uid not in self._cluster.pods:
            return
        if not pod.finished and pod.deletion is None:
            pod.phase = "Failed"
            pod.disruption = "DeletionByPodGC"
            self._cluster.update_pod(pod)
        self._cluster.remove_pod(pod)


def _is_daemon(pod: Pod) -> bool:
    return pod.owner.kind == "DaemonSet"
