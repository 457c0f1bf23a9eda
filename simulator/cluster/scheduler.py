"""The scheduler: filters nodes by what a pod needs and tolerates, then takes the emptiest of those it looked at."""

from __future__ import annotations

from kstream.core.timeline.events import Verb
from simulator.cluster.objects import Node, Pod
from simulator.cluster.storage import LOOKED_AT, Cluster
from simulator.cluster.templates import Template

# Looking at every node for every pod is quadratic; the real scheduler samples too (percentageOfNodesToScore).
ENOUGH = 24
LOOKS = 20_000  # nodes and pods that are looked at in one step
RETRY = 1.0  # seconds from the first thing that may help to another look at what is pending


def fits(template: Template, node: Node) -> bool:
    """Whether a pod of the template may be bound to the node now."""
    if (
        node.cpu_used + template.cpu > node.cpu
        or node.memory_used + template.memory > node.memory
        or len(node.pods) >= node.pods_limit
    ):
        return False
    if node.cordoned and not template.everywhere:
        return False
    for key, effect in node.taints:
        if effect != "PreferNoSchedule" and not template.tolerates(key, effect):
            return False
    selector = template.node_selector
    return not selector or all(node.labels.get(key) == value for key, value in selector.items())


class Scheduler:
    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._dice = cluster.engine.dice("scheduler")
        self._order: list[Node] = []
        self._next = 0
        self._flush_planned = self._helped = False
        self._hopeless: dict[
            int, Template
        ] = {}  # by id: fitted nowhere, and nothing that may help has happened
        self._looked = 0  # at nodes and pods, ever
        self.pending: dict[str, Pod] = {}  # by uid: nothing fitted so far
        hooks = cluster.hooks
        hooks.pod_added.append(self._on_added)
        hooks.node_added.append(self._on_node)
        hooks.node_removed.append(self._on_node_removed)
        hooks.node_changed.append(self._may_help)
        hooks.pod_freed.append(self._may_help)

    def _on_added(self, pod: Pod) -> None:
        if pod.owner.kind != "DaemonSet":  # its controller names the node
            self._cluster.engine.after(self._dice.between(0.002, 0.02), self._try, pod)

    def _on_node(self, node: Node) -> None:
        self._order.append(node)
        self._may_help(node)

    def _on_node_removed(self, node: Node) -> None:
        self._order.remove(node)

    def _may_help(self, _: Node | Pod) -> None:
        # Whatever it changes besides, it does before anything else is looked at.
        self._hopeless.clear()
        if self.pending and not self._flush_planned:
            self._flush_planned = True
            self._cluster.engine.after(RETRY, self._flush)
        self._helped = self._flush_planned

    def _flush(self) -> None:
        self._helped = False
        self._look_again(list(self.pending.values()), 0)

    def _look_again(self, pods: list[Pod], first: int) -> None:
        """Try those that are pending, from `first` on, so many in a step."""
        enough = self._looked + LOOKS
        for at in range(first, len(pods)):
            if self._looked >= enough:
                self._cluster.engine.after(0.001, self._look_again, pods, at)
                return
            self._looked += 1
            pod = pods[at]
            if pod.uid not in self._cluster.pods:
                self.pending.pop(pod.uid, None)
            elif id(pod.template) not in self._hopeless:
                self._try(pod)
        self._flush_planned = False
        if self._helped and self.pending:
            self._flush_planned = True
            self._cluster.engine.after(RETRY, self._flush)

    def _try(self, pod: Pod) -> bool:
        if pod.uid not in self._cluster.pods or pod.node is not None:
            self.pending.pop(pod.uid, None)
            return True
        node = self.choose(pod)
        if node is not None:
            self.pending.pop(pod.uid, None)
            pod.attempt = 0
            self._cluster.bind(pod, node)
            return True
        if pod.uid not in self.pending:
            self.pending[pod.uid] = pod
            pod.attempt = 1  # of scheduling: the Unschedulable condition
            self._cluster.write_pod(Verb.MODIFIED, pod)
        return False

    def choose(self, pod: Pod) -> Node | None:
        """The best node of the first ENOUGH that fit, from where the last search ended."""
        order, template, owner = self._order, pod.template, pod.owner.uid
        if id(template) in self._hopeless:
            return None
        count = len(order)
        best: Node | None = None
        best_score = -1.0
        found = step = 0
        for step in range(count):
            node = order[(self._next + step) % count]
            if not fits(template, node):
                continue
            # Least allocated, and away from its own kind: as the default plugins weigh it.
            free = 2 - node.cpu_used / node.cpu - node.memory_used / node.memory
            score = free + 2 / (1 + node.owners.get(owner, 0))
            if score > best_score:
                best, best_score = node, score
            found += 1
            if found >= ENOUGH:
                self._next = (self._next + step + 1) % count
                break
        else:
            step = count
        self._looked += step
        self._cluster.engine.effort += step // LOOKED_AT
        if best is None:
            self._hopeless[id(template)] = template
        return best
