"""The simulated API server's storage: every write goes through here and becomes a Change.

Controllers never call each other: they write, and hear of writes through `hooks`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from kstream.core.timeline.events import Kind, Verb
from simulator.cluster import bounds
from simulator.cluster.engine import Engine
from simulator.cluster.names import new_suffix, new_uid
from simulator.cluster.objects import Change, Namespace, Node, Pod, Workload
from simulator.cluster.render import Renderer

PodHook = Callable[[Pod], None]
NodeHook = Callable[[Node], None]

HEALTHY = {
    "MemoryPressure": ("False", "KubeletHasSufficientMemory"),
    "DiskPressure": ("False", "KubeletHasNoDiskPressure"),
    "PIDPressure": ("False", "KubeletHasSufficientPID"),
    "Ready": ("True", "KubeletReady"),
}
RECONCILE_DELAY = 0.01  # seconds from a write to the controller that acts on it
ROOM_DELAY = 10.0  # seconds until a controller looks again whether there is room for the pods that it lacks
LOOKED_AT = 50  # objects that a controller looks at in the time of a step


@dataclass(slots=True)
class Hooks:
    """Who hears of what, in the order of subscription."""

    pod_added: list[PodHook] = field(default_factory=list)
    pod_bound: list[PodHook] = field(default_factory=list)
    pod_deleting: list[PodHook] = field(default_factory=list)
    pod_freed: list[PodHook] = field(default_factory=list)  # it no longer holds resources of its node
    node_added: list[NodeHook] = field(default_factory=list)
    node_changed: list[NodeHook] = field(default_factory=list)
    node_removed: list[NodeHook] = field(default_factory=list)
    namespace_emptied: list[Callable[[str], None]] = field(default_factory=list)


class Cluster:
    """Nodes, pods, namespaces and workloads as they are now, and the changes not yet taken."""

    def __init__(self, engine: Engine, *, start: int) -> None:
        """`start`: milliseconds since the Unix epoch."""
        self.engine = engine
        self.start = start
        self.hooks = Hooks()
        self.nodes: dict[str, Node] = {}
        self.namespaces: dict[str, Namespace] = {}
        self.pods: dict[str, Pod] = {}  # by uid
        self.pod_names: dict[tuple[str, str], Pod] = {}
        self.pods_of: dict[str, int] = {}  # namespace → number of pods
        self.workloads: dict[tuple[str, str, str], Workload] = {}  # namespace, kind, name
        self.of_kind: dict[str, dict[tuple[str, str, str], Workload]] = {}  # the same by kind
        self.reconcilers: dict[str, Callable[[Workload], None]] = {}  # kind → its controller
        self.node_count = 0  # ever made: an index is never used again
        self.written = 0  # changes ever made
        self.quiet = False  # count changes but do not render them (going on from a log)
        self.changes: list[Change] = []
        self._version = 1000
        self._addresses = 0
        self._short: dict[str, Workload] = {}  # by uid: there was no room for more pods
        self._render = Renderer(start)
        self._uids = engine.dice("uid")
        self._names = engine.dice("names")

    # -- writes

    def _next_version(self) -> int:
        self._version += 1
        return self._version

    def write_pod(self, verb: Verb, pod: Pod) -> None:
        pod.version = self._next_version()
        self.written += 1
        if not self.quiet:
            self.changes.append(Change(self.time, verb, Kind.POD, self._render.pod(pod)))

    def write_node(self, verb: Verb, node: Node) -> None:
        node.version = self._next_version()
        self.written += 1
        if not self.quiet:
            self.changes.append(Change(self.time, verb, Kind.NODE, self._render.node(node)))

    def write_namespace(self, verb: Verb, namespace: Namespace) -> None:
        namespace.version = self._next_version()
        self.written += 1
        if not self.quiet:
            self.changes.append(Change(self.time, verb, Kind.NAMESPACE, self._render.namespace(namespace)))

    def snapshot(self) -> list[Change]:
        """All objects as they are now, as ADDED changes; nothing is written."""
        made = [
            Change(self.time, Verb.ADDED, Kind.NAMESPACE, self._render.namespace(n))
            for n in self.namespaces.values()
        ]
        made += [Change(self.time, Verb.ADDED, Kind.NODE, self._render.node(n)) for n in self.nodes.values()]
        made += [Change(self.time, Verb.ADDED, Kind.POD, self._render.pod(p)) for p in self.pods.values()]
        return made

    @property
    def now(self) -> int:
        return self.engine.now

    @property
    def time(self) -> float:
        """Seconds since the Unix epoch."""
        return (self.start + self.engine.now) / 1000

    def new_uid(self) -> str:
        return new_uid(self._uids)

    # -- namespaces

    def add_namespace(self, name: str, *, age: int = 0) -> Namespace:
        made = Namespace(name=name, uid=self.new_uid(), now=self.now - age)
        self.namespaces[name] = made
        self.write_namespace(Verb.ADDED, made)
        return made

    def remove_namespace(self, namespace: Namespace) -> None:
        del self.namespaces[namespace.name]
        self.write_namespace(Verb.DELETED, namespace)

    # -- nodes

    def add_node(self, node: Node) -> None:
        # In the usual order, whatever was set before.
        node.conditions = {
            kind: node.conditions.get(kind, (*healthy, node.created)) for kind, healthy in HEALTHY.items()
        }
        self.nodes[node.name] = node
        self.write_node(Verb.ADDED, node)
        for hook in self.hooks.node_added:
            hook(node)

    def update_node(self, node: Node) -> None:
        self.write_node(Verb.MODIFIED, node)
        for hook in self.hooks.node_changed:
            hook(node)

    def remove_node(self, node: Node) -> None:
        del self.nodes[node.name]
        node.alive = False
        node.turn += 1
        self.write_node(Verb.DELETED, node)
        for hook in self.hooks.node_removed:
            hook(node)

    # -- pods

    def add_pod(self, owner: Workload, *, name: str = "") -> Pod:
        """Create a pod of `owner`; it gets a generated name unless it has one of its own."""
        pod = self.new_pod(owner, name=name)
        self.announce_pod(pod)
        return pod

    def new_pod(self, owner: Workload, *, name: str = "") -> Pod:
        """A pod that nobody knows of yet: `announce_pod` must follow."""
        namespace = owner.namespace
        while not name or (namespace, name) in self.pod_names:
            name = f"{owner.name}-{new_suffix(self._names)}"
        return Pod(
            name=name,
            namespace=namespace,
            uid=self.new_uid(),
            owner=owner,
            template=owner.template,
            now=self.now,
        )

    def announce_pod(self, pod: Pod, *, bound: bool = False) -> None:
        """Store it and tell; one that is bound already needs no scheduler."""
        self.pods[pod.uid] = pod
        self.pod_names[pod.namespace, pod.name] = pod
        self.pods_of[pod.namespace] = self.pods_of.get(pod.namespace, 0) + 1
        pod.owner.pods[pod.uid] = pod
        self.write_pod(Verb.ADDED, pod)
        if not bound:
            for hook in self.hooks.pod_added:
                hook(pod)

    def place(self, pod: Pod, node: Node) -> None:
        """Let the pod hold resources of the node."""
        pod.node = node
        pod.scheduled = self.now
        node.pods[pod.uid] = pod
        node.cpu_used += pod.template.cpu
        node.memory_used += pod.template.memory
        owner = pod.owner.uid
        node.owners[owner] = node.owners.get(owner, 0) + 1

    def new_address(self) -> int:
        self._addresses += 1
        return self._addresses

    def bind(self, pod: Pod, node: Node) -> None:
        self.place(pod, node)
        pod.labels = {**(pod.labels or {}), "topology.kubernetes.io/zone": node.zone}
        self.write_pod(Verb.MODIFIED, pod)
        for hook in self.hooks.pod_bound:
            hook(pod)

    def update_pod(self, pod: Pod) -> None:
        """Something visible of the pod changed; its owner has a look when it is over."""
        self.write_pod(Verb.MODIFIED, pod)
        if pod.finished:
            self._free(pod)
            self.enqueue(pod.owner)

    def set_ready(self, pod: Pod, ready: bool) -> None:
        """The Ready condition: its owner has a look. The caller writes."""
        if pod.ready != ready:
            pod.ready = ready
            pod.ready_since = self.now
            self.enqueue(pod.owner)

    def delete_pod(self, pod: Pod, *, grace: int | None = None, disruption: str = "") -> None:
        """Ask for its removal, as the API server does: at once when no kubelet has anything to stop."""
        if disruption and not pod.disruption:
            pod.disruption = disruption
            self.write_pod(Verb.MODIFIED, pod)
        if pod.node is None or pod.finished or grace == 0:
            self.remove_pod(pod)
            return
        if pod.deletion is not None:
            return
        pod.grace = pod.template.grace if grace is None else grace
        pod.deletion = self.now + pod.grace * 1000
        pod.turn += 1
        self.write_pod(Verb.MODIFIED, pod)
        self.enqueue(pod.owner)
        for hook in self.hooks.pod_deleting:
            hook(pod)

    def remove_pod(self, pod: Pod) -> None:
        """The last two words about a pod: grace period 0, and gone."""
        if self.pods.pop(pod.uid, None) is None:
            return
        pod.deletion, pod.grace = self.now, 0
        pod.turn += 1
        self.write_pod(Verb.MODIFIED, pod)
        self.write_pod(Verb.DELETED, pod)
        self._free(pod)
        if self.pod_names.get((pod.namespace, pod.name)) is pod:
            del self.pod_names[pod.namespace, pod.name]
        left = self.pods_of[pod.namespace] - 1
        if left:
            self.pods_of[pod.namespace] = left
        else:
            del self.pods_of[pod.namespace]
        pod.owner.pods.pop(pod.uid, None)
        self.enqueue(pod.owner)
        if not left:
            for hook in self.hooks.namespace_emptied:
                hook(pod.namespace)

    def _free(self, pod: Pod) -> None:
        node = pod.node
        if node is None or node.pods.pop(pod.uid, None) is None:
            return
        node.cpu_used -= pod.template.cpu
        node.memory_used -= pod.template.memory
        owner = pod.owner.uid
        left = node.owners[owner] - 1
        if left:
            node.owners[owner] = left
        else:
            del node.owners[owner]
        for hook in self.hooks.pod_freed:
            hook(pod)

    # -- workloads

    def add_workload(self, workload: Workload) -> None:
        key = (workload.namespace, workload.kind, workload.name)
        self.workloads[key] = self.of_kind.setdefault(workload.kind, {})[key] = workload

    def forget_workload(self, workload: Workload) -> None:
        """Delete it, and leave its pods."""
        workload.deleted = True
        key = (workload.namespace, workload.kind, workload.name)
        self.workloads.pop(key, None)
        self.of_kind.get(workload.kind, {}).pop(key, None)

    def remove_workload(self, workload: Workload) -> None:
        """Delete it and, as the garbage collector does, its pods."""
        self.forget_workload(workload)
        self.delete_pods(list(workload.pods.values()))

    def delete_pods(self, pods: list[Pod]) -> None:
        """Ask for the removal of those that are still there, so many in a step."""
        self.engine.spread(pods, self._delete_if_there)

    def _delete_if_there(self, pod: Pod) -> None:
        if pod.uid in self.pods:
            self.delete_pod(pod)

    def room(self, workload: Workload, missing: int) -> int:
        """How many of the `missing` pods its controller may make now; for the rest, it looks again later."""
        most = min(bounds.PODS - len(self.pods), bounds.PODS_OF_A_WORKLOAD - len(workload.pods))
        if missing > most:
            if not self._short:
                self.engine.after(ROOM_DELAY, self._look_for_room)
            self._short[workload.uid] = workload
        elif missing > bounds.AT_ONCE:
            self.enqueue(workload)
        return max(0, min(missing, most, bounds.AT_ONCE))

    def _look_for_room(self) -> None:
        waiting, self._short = list(self._short.values()), {}
        for workload in waiting:
            self.enqueue(workload)

    def find_workload(self, namespace: str, name: str, *kinds: str) -> Workload | None:
        """The workload of one of these kinds, the first named first."""
        for kind in kinds:
            found = self.workloads.get((namespace, kind, name))
            if found is not None:
                return found
        return None

    def enqueue(self, workload: Workload) -> None:
        """Let its controller look at it soon; once, however often it is asked for."""
        if not workload.queued and not workload.deleted:
            workload.queued = True
            self.engine.after(RECONCILE_DELAY, self._reconcile, workload)

    def _reconcile(self, workload: Workload) -> None:
        workload.queued = False
        self.engine.effort += len(workload.pods) // LOOKED_AT
        if not workload.deleted:
            self.reconcilers[workload.kind](workload)
