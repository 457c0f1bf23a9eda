"""The parts of Kubernetes objects that kstream reads, and no others (PROTOCOL 13).

msgspec skips what is not named here while it parses, so an environment variable, an annotation or a volume never
becomes a Python object. Every field may be missing or null, as Go's decoder allows: a null, an absent and an empty
list mean the same. Fields stand in the order in which the API server writes them: msgspec then finds each at once.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

Int32 = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]


class Raw(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """The base of all that is read: nothing in it can be part of a reference cycle."""


class Annotations(Raw, frozen=True, gc=False):
    """The one annotation that is read, of the bookmark that ends the initial events of a WatchList (LISTWATCH 4)."""

    initial_events_end: str | None = msgspec.field(default=None, name="k8s.io/initial-events-end")


class OwnerReference(Raw, frozen=True, gc=False):
    """Who made an object; the one that is its `controller` decides over it."""

    kind: str | None = None
    name: str | None = None
    controller: bool | None = None


class Metadata(Raw, frozen=True, gc=False):
    name: str | None = None
    namespace: str | None = None
    uid: str | None = None
    resource_version: str | None = None
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    labels: dict[str, str] | None = None
    annotations: Annotations | None = None
    owner_references: list[OwnerReference] | None = None


class Condition(Raw, frozen=True, gc=False):
    """Of a node or of a pod; no heartbeat and no transition times (PROTOCOL 9, 12)."""

    type: str | None = None
    status: str | None = None
    reason: str | None = None
    message: str | None = None


class Container(Raw, frozen=True, gc=False):
    """Of a pod's spec; `restart_policy` "Always" makes an init container a sidecar."""

    name: str | None = None
    image: str | None = None
    restart_policy: str | None = None


class Running(Raw, frozen=True, gc=False):
    pass


class Waiting(Raw, frozen=True, gc=False):
    reason: str | None = None


class Terminated(Raw, frozen=True, gc=False):
    exit_code: Int32 | None = None
    signal: Int32 | None = None
    reason: str | None = None


class ContainerState(Raw, frozen=True, gc=False):
    """At most one of the three is there; none of them means waiting."""

    running: Running | None = None
    waiting: Waiting | None = None
    terminated: Terminated | None = None


class ContainerStatus(Raw, frozen=True, gc=False):
    name: str | None = None
    state: ContainerState | None = None
    ready: bool | None = None
    restart_count: Int32 | None = None
    started: bool | None = None


class PodSpec(Raw, frozen=True, gc=False):
    init_containers: list[Container] | None = None
    containers: list[Container] | None = None
    node_name: str | None = None


class PodCondition(Raw, frozen=True, gc=False):
    """Of a pod: what the STATUS column looks at."""

    type: str | None = None
    status: str | None = None
    reason: str | None = None


class PodStatus(Raw, frozen=True, gc=False):
    """`conditions` is the JSON of a list of PodCondition: a pod has half a dozen, and few pods need them read."""

    phase: str | None = None
    conditions: msgspec.Raw = msgspec.Raw(b"null")
    reason: str | None = None
    init_container_statuses: list[ContainerStatus] | None = None
    container_statuses: list[ContainerStatus] | None = None


class Pod(Raw, frozen=True, gc=False):
    metadata: Metadata | None = None
    spec: PodSpec | None = None
    status: PodStatus | None = None


class Capacity(Raw, frozen=True, gc=False):
    """Quantities; Kubernetes reads a bare number as well as a string."""

    cpu: str | int | float | None = None
    memory: str | int | float | None = None
    pods: str | int | float | None = None


class NodeSpec(Raw, frozen=True, gc=False):
    unschedulable: bool | None = None


class NodeStatus(Raw, frozen=True, gc=False):
    capacity: Capacity | None = None
    conditions: list[Condition] | None = None


class Node(Raw, frozen=True, gc=False):
    metadata: Metadata | None = None
    spec: NodeSpec | None = None
    status: NodeStatus | None = None


class NamespaceStatus(Raw, frozen=True, gc=False):
    phase: str | None = None


class Namespace(Raw, frozen=True, gc=False):
    metadata: Metadata | None = None
    status: NamespaceStatus | None = None


class ListMetadata(msgspec.Struct, frozen=True, gc=False):
    version: str | None = msgspec.field(default=None, name="resourceVersion")
    next: str | None = msgspec.field(default=None, name="continue")
    remaining: int | None = msgspec.field(default=None, name="remainingItemCount")


class StatusDetails(Raw, frozen=True, gc=False):
    retry_after_seconds: float | None = None


class Status(Raw, frozen=True, gc=False):
    """How the API server says no (and, in a watch, why it ends)."""

    code: Int32 | None = None
    reason: str | None = None
    message: str | None = None
    details: StatusDetails | None = None
