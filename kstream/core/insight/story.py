"""What befell nodes, workloads and namespaces in a span of events: the fold that findings are made of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from kstream.core.insight.subjects import (
    Node,
    Pod,
    Workload,
    decode_node,
    decode_pod,
    name_of,
    workload_of,
)
from kstream.core.timeline.events import Event, Kind, ObjectKey, Verb
from kstream.core.timeline.state import ClusterState
from kstream.core.timeline.wellness import TOLD_TO_GO, Badness, badness

_KEPT: Final = 400  # of the proofs of one thing: a workload of 100,000 pods may fail a million times
_IMAGES: Final = 20  # that a workload had one after another, and the newest


class Proof(NamedTuple):
    """An event that shows something."""

    seq: int
    time: float  # seconds since the Unix epoch
    what: str  # "pod shop/cart-1: Running → Error"


class Proofs:
    """The first of many, how many there are, and the last."""

    def __init__(self) -> None:
        self.first: list[Proof] = []
        self.last: Proof | None = None
        self.count = 0

    def add(self, proof: Proof) -> None:
        self.count += 1
        self.last = proof
        if len(self.first) < _KEPT:
            self.first.append(proof)

    def __bool__(self) -> bool:
        return self.count > 0


class NodeStory:
    """What befell a node."""

    def __init__(self, name: str, node: Node) -> None:
        self.name = name
        self.node = node  # as it is now
        self.losses: list[tuple[Proof, bool]] = []  # each time it was lost, and whether it was cordoned then
        self.back: Proof | None = None
        self.cordoned: Proof | None = None
        self.pressed: Proof | None = None
        self.pressure = ""
        self.added: Proof | None = None
        self.deleted: Proof | None = None


class WorkloadStory:
    """What befell the pods of a workload."""

    def __init__(self, workload: Workload) -> None:
        self.workload = workload
        self.failures: dict[str, Proofs] = {}  # by reason; not on nodes that were lost
        self.failed: dict[str, int] = {}  # uid → how often its containers were restarted since
        self.failing: set[str] = set()  # uids, now
        self.worst = 0.0  # the most of its pods that were failing at a time, of all, 0 to 1
        self.images: list[tuple[str, Proof | None]] = []  # each newest one, with the first pod that had it
        self.waits = Proofs()  # for a node
        self.evictions = Proofs()
        self.restarts = Proofs()
        self.alive = 0  # pods that neither go nor have ended
        self.began = 0
        self.most = 0
        self.least = 0
        self.added = Proofs()
        self.removed = Proofs()

    def fail(self, uid: str) -> None:
        self.failed.setdefault(uid, 0)
        self.failing.add(uid)
        self.worst = max(self.worst, min(1.0, len(self.failing) / max(1, self.alive)))

    def count(self, step: int) -> None:
        self.alive += step
        self.most, self.least = max(self.most, self.alive), min(self.least, self.alive)


class NamespaceStory:
    def __init__(self, name: str) -> None:
        self.name = name
        self.added: Proof | None = None
        self.terminating: Proof | None = None
        self.deleted: Proof | None = None


class Story:
    """Fold the events of a span into it, in order. What it keeps is bounded by the objects that there are."""

    def __init__(self, state: ClusterState) -> None:
        """`state` is that before the first event; it is moved along."""
        self.state = state
        self.nodes: dict[str, NodeStory] = {}
        self.workloads: dict[Workload, WorkloadStory] = {}
        self.namespaces: dict[str, NamespaceStory] = {}
        self.zones: dict[str, set[str]] = {}  # zone → the nodes that it has had
        self.events = 0
        for entry in state.entries(Kind.NODE):
            self._node(entry.key.name, decode_node(entry.body))
        for entry in state.entries(Kind.POD):
            pod = decode_pod(entry.body)
            story = self._workload(workload_of(entry.key, pod))
            if _is_alive(pod):
                story.alive += 1
                if not story.images:
                    story.images.append((pod.images, None))
        for story in self.workloads.values():
            story.began = story.most = story.least = story.alive

    def take(self, events: Iterable[Event]) -> None:
        """Raises DivergedError for an event that is not the next one."""
        for event in events:
            before = self.state.apply(event)
            self.events += 1
            match event.change.key.kind:
                case Kind.POD:
                    self._take_pod(event, before)
                case Kind.NODE:
                    self._take_node(event, before)
                case Kind.NAMESPACE:  # pragma: no branch - there is no other kind
                    self._take_namespace(event, before)

    def _workload(self, workload: Workload) -> WorkloadStory:
        if workload not in self.workloads:
            self.workloads[workload] = WorkloadStory(workload)
        return self.workloads[workload]

    def _node(self, name: str, node: Node) -> NodeStory:
        if node.zone:
            self.zones.setdefault(node.zone, set()).add(name)
        story = self.nodes.get(name)
        if story is None:
            story = self.nodes[name] = NodeStory(name, node)
        story.node = node
        return story

    def _take_pod(self, event: Event, before: bytes | None) -> None:
        change = event.change
        key, gone = change.key, change.verb is Verb.DELETED
        old = decode_pod(before) if before is not None else None
        new = old if gone and old is not None else decode_pod(change.body)
        story = self._workload(workload_of(key, new))
        was = old is not None and _is_alive(old)
        alive = not gone and _is_alive(new)
        proof = _proof(event, old.status if old is not None else "", "deleted" if gone else new.status)
        if alive and not was:
            story.count(+1)
            story.added.add(proof)
        elif was and not alive:
            story.count(-1)
            story.removed.add(proof)
        if gone or not alive:
            story.failing.discard(key.uid)
        if gone:
            return
        if alive and old is None and (not story.images or story.images[-1][0] != new.images):
            del story.images[_IMAGES:]
            story.images.append((new.images, _proof(event, "", new.images)))
        self._judge(story, key, old, new, proof)

    def _judge(self, story: WorkloadStory, key: ObjectKey, old: Pod | None, new: Pod, proof: Proof) -> None:
        """What is bad of a pod, and was not a moment ago."""
        if old is not None and new.restarts > old.restarts:
            story.restarts.add(proof)
            if key.uid in story.failed:
                story.failed[key.uid] += new.restarts - old.restarts
        if old is not None and old.status == new.status:
            return
        judged = badness(new.status)
        if new.node is None and new.status == "Pending":
            story.waits.add(proof)
        elif new.status in TOLD_TO_GO:
            story.evictions.add(proof)
        elif judged is Badness.FAILING and not self._is_lost(new.node):
            story.failures.setdefault(new.status, Proofs()).add(proof)
            story.fail(key.uid)
        elif judged is Badness.NONE:
            story.failing.discard(key.uid)

    def _is_lost(self, node: str | None) -> bool:
        """What a pod says on a node that nobody hears of, or that is gone, is no failure of its own."""
        known = self.nodes.get(node or "")
        return known is not None and (known.node.lost or known.deleted is not None)

    def _take_node(self, event: Event, before: bytes | None) -> None:
        name = event.change.key.name
        if event.change.verb is Verb.DELETED:
            story = self.nodes[name]
            story.deleted = _proof(event, story.node.status, "deleted")
            return
        node = decode_node(event.change.body)
        old = decode_node(before) if before is not None else None
        story = self._node(name, node)
        proof = _proof(event, old.status if old is not None else "", node.status)
        if old is None:
            story.added, story.deleted = proof, None
            return
        if node.lost and not old.lost:
            story.losses.append((proof, node.cordoned))
        elif old.lost and not node.lost:
            story.back = proof
        if node.cordoned and not old.cordoned and story.cordoned is None:
            story.cordoned = proof
        if (new := [each for each in node.pressures if each not in old.pressures]) and story.pressed is None:
            story.pressed = _proof(event, "", f"{new[0]}=True")
            story.pressure = new[0]

    def _take_namespace(self, event: Event, before: bytes | None) -> None:
        name = event.change.key.name
        story = self.namespaces.setdefault(name, NamespaceStory(name))
        if event.change.verb is Verb.DELETED:
            story.deleted = _proof(event, "", "deleted")
        elif before is None:
            story.added = _proof(event, "", "added")
        elif b'"status":"Terminating"' in event.change.body and b'"status":"Terminating"' not in before:
            story.terminating = _proof(event, "Active", "Terminating")


def _is_alive(pod: Pod) -> bool:
    return pod.status not in ("Terminating", "Unknown") and pod.phase not in ("Succeeded", "Failed")


def _proof(event: Event, before: str, after: str) -> Proof:
    change = f"{before} → {after}" if before else after
    return Proof(event.seq, event.change.time, f"{name_of(event.change.key)}: {change}")
