"""The contract's resources (contract, "Initial State"; PROTOCOL 9 to 11) made of what objects.py reads.

Each function returns compact JSON with the fields in a fixed order, so that equal resources are equal bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from kstream.core.kube import objects as k8s
from kstream.core.kube.podstatus import is_sidecar, pod_status
from kstream.core.kube.quantity import binary_bytes, millicores
from kstream.core.timeline.shapes import Capacity, Container, Namespace, Node, NodeCondition, Owner, Pod

_ROLE: Final = "node-role.kubernetes.io/"


_encode: Final = msgspec.json.Encoder().encode
_NO_LABELS: Final[Mapping[str, str]] = {}
_NO_CAPACITY: Final = k8s.Capacity()
_NO_SPEC: Final = k8s.PodSpec()
_NO_STATUS: Final = k8s.PodStatus()


def pod_body(pod: k8s.Pod, metadata: k8s.Metadata) -> bytes:
    """`containers`: the main ones, then the sidecars: those that kubectl's READY column counts."""
    spec, status = pod.spec or _NO_SPEC, pod.status or _NO_STATUS
    containers = _containers(spec.containers, status.container_statuses)
    if spec.init_containers:
        sidecars = [container for container in spec.init_containers if is_sidecar(container)]
        containers += _containers(sidecars, status.init_container_statuses)
    return _encode(
        Pod(
            metadata.name or "",
            metadata.uid or "",
            metadata.namespace or "",
            spec.node_name or None,
            status.phase or "",
            pod_status(pod),
            containers,
            metadata.labels or _NO_LABELS,
            metadata.creation_timestamp,
            _owner(metadata),
        )
    )


def _owner(metadata: k8s.Metadata) -> Owner | None:
    """The controller; of a ReplicaSet that a Deployment made, the Deployment (PROTOCOL 31).

    Such a ReplicaSet is named after it and the hash that its pods have for a label; one that a person wrote has none.
    """
    for owner in metadata.owner_references or ():
        if owner.controller and owner.kind and owner.name:
            if owner.kind == "ReplicaSet" and metadata.labels:
                made_of = metadata.labels.get("pod-template-hash")
                name, dash, suffix = owner.name.rpartition("-")
                if made_of and dash and name and suffix == made_of:
                    return Owner("Deployment", name)
            return Owner(owner.kind, owner.name)
    return None


def _containers(
    declared: list[k8s.Container] | None, statuses: list[k8s.ContainerStatus] | None
) -> list[Container]:
    """The declared containers, in the order of the spec, with what is known of each.

    Before the kubelet has said anything, a container waits: not ready, never restarted, for no stated reason.
    """
    if not declared:
        return []
    if not statuses:
        return [_waiting(container) for container in declared]
    if len(declared) == len(statuses) == 1 and declared[0].name == statuses[0].name:
        return [_container(declared[0], statuses[0])]
    known = {status.name: status for status in statuses}
    return [
        _container(container, known[container.name]) if container.name in known else _waiting(container)
        for container in declared
    ]


def _waiting(declared: k8s.Container) -> Container:
    return Container(declared.name or "", declared.image or "", False, 0, "waiting", None)


def _container(declared: k8s.Container, status: k8s.ContainerStatus) -> Container:
    what: Literal["running", "waiting", "terminated"] = "waiting"
    reason = None
    if (state := status.state) is not None:
        if state.running is not None:
            what = "running"
        elif state.terminated is not None:
            what, reason = "terminated", state.terminated.reason
        elif state.waiting is not None:
            reason = state.waiting.reason
    return Container(
        declared.name or "",
        declared.image or "",
        status.ready or False,
        status.restart_count or 0,
        what,
        reason or None,
    )


def node_body(node: k8s.Node, metadata: k8s.Metadata) -> bytes:
    """A node. One that has not yet reported its capacity offers none: "0m", "0", "0"."""
    status = node.status
    conditions = (status.conditions if status is not None else None) or []
    capacity = (status.capacity if status is not None else None) or _NO_CAPACITY
    labels = metadata.labels or _NO_LABELS
    return _encode(
        Node(
            metadata.name or "",
            metadata.uid or "",
            _node_status(node, conditions),
            _role(labels),
            Capacity(
                millicores(_text(capacity.cpu)),
                binary_bytes(_text(capacity.memory)),
                _text(capacity.pods),
            ),
            [
                NodeCondition(each.type or "", each.status or "", each.reason or "", each.message or "")
                for each in conditions
            ],
            labels,
            metadata.creation_timestamp,
        )
    )


def _text(quantity: str | float | None) -> str:
    return "0" if quantity is None or quantity == "" else str(quantity)


def _node_status(node: k8s.Node, conditions: list[k8s.Condition]) -> str:
    """As kubectl prints it: "Unknown" is a node without a Ready condition; a Ready that is not True is NotReady."""
    text = "Unknown"
    for condition in conditions:
        if condition.type == "Ready":
            text = "Ready" if condition.status == "True" else "NotReady"
    if node.spec is not None and node.spec.unschedulable:
        return f"{text},SchedulingDisabled"
    return text


def _role(labels: Mapping[str, str]) -> str:
    roles = sorted(name for label in labels if (name := label.removeprefix(_ROLE)) != label and name)
    return ",".join(roles) or "worker"


def namespace_body(namespace: k8s.Namespace, metadata: k8s.Metadata) -> bytes:
    """A namespace without `podCount`, which depends on the pods and is added when it is told."""
    phase = namespace.status.phase if namespace.status is not None else None
    return _encode(Namespace(metadata.name or "", metadata.uid or "", phase or ""))
