"""Pods and nodes as a judgement of them needs them: what they are, whose they are, and whether that is bad."""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from kstream.core.timeline.events import Kind, ObjectKey
from kstream.core.timeline.wellness import Badness, badness


class Container(msgspec.Struct):
    name: str = ""
    image: str = ""
    ready: bool = False
    restarts: int = msgspec.field(default=0, name="restartCount")


class _Owner(msgspec.Struct):
    kind: str = ""
    name: str = ""


class Pod(msgspec.Struct):
    node: str | None = msgspec.field(default=None, name="nodeName")
    phase: str = ""
    status: str = ""
    containers: list[Container] = []
    labels: dict[str, str] = {}
    owner: _Owner | None = None

    @property
    def restarts(self) -> int:
        return sum(container.restarts for container in self.containers)

    @property
    def images(self) -> str:
        return ", ".join(dict.fromkeys(container.image for container in self.containers))


class _Condition(msgspec.Struct):
    type: str = ""
    status: str = ""


class Node(msgspec.Struct):
    status: str = ""
    conditions: list[_Condition] = []
    labels: dict[str, str] = {}

    @property
    def zone(self) -> str:
        return self.labels.get(_ZONE, "")

    @property
    def lost(self) -> bool:
        return not self.status.startswith("Ready")

    @property
    def cordoned(self) -> bool:
        return self.status.endswith(",SchedulingDisabled")

    @property
    def pressures(self) -> list[str]:
        """The conditions that are bad when they are true."""
        return [each.type for each in self.conditions if each.type != "Ready" and each.status == "True"]


class Workload(NamedTuple):
    """What made a pod, and makes the next one."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


_ZONE: Final = "topology.kubernetes.io/zone"
decode_pod: Final = msgspec.json.Decoder(Pod).decode
decode_node: Final = msgspec.json.Decoder(Node).decode


def node_badness(node: Node) -> Badness:
    """By its conditions, too: a node that is short of something is Ready."""
    if node.lost:
        return Badness.FAILING
    return max(badness(node.status), Badness.PRESSED if node.pressures else Badness.NONE)


def workload_of(key: ObjectKey, pod: Pod) -> Workload:
    """Its owner; in logs that tell none, what its name and the labels of its controller say."""
    if pod.owner is not None:
        return Workload(pod.owner.kind, key.namespace, pod.owner.name)
    labels = pod.labels
    if made_of := labels.get("pod-template-hash"):
        name, found, _ = key.name.rpartition(f"-{made_of}-")
        if found:
            return Workload("Deployment", key.namespace, name)
    if job := labels.get("batch.kubernetes.io/job-name") or labels.get("job-name"):
        return Workload("Job", key.namespace, job)
    if "controller-revision-hash" in labels:
        kind = "StatefulSet" if "statefulset.kubernetes.io/pod-name" in labels else "DaemonSet"
        return Workload(kind, key.namespace, key.name.rpartition("-")[0] or key.name)
    return Workload("Pod", key.namespace, key.name)


def name_of(key: ObjectKey) -> str:
    """As people write it: `pod shop/web-1`, `node node-1`."""
    place = f"{key.namespace}/{key.name}" if key.kind is Kind.POD else key.name
    return f"{key.kind.value} {place}"
