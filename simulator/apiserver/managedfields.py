"""metadata.managedFields: who wrote which fields and when, in the shape of a real API server. Pure.

A real server keeps track of every write. Here it is told from how an object looks: each field is put down to whoever
writes it in a real cluster, at the newest time that the object itself gives for it.

What differs between two objects of one shape is times, a uid and an address; an entry of a shape is encoded once,
with a %s in each of these places.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import msgspec

Tree = dict[str, Any]

_SHAPES: Final = 4096  # that are kept of each kind: a rolling update makes a new one
_HOLE: Final = "#hole#"
_ZONE: Final = "topology.kubernetes.io/zone"  # a pod gets it as it is bound, from no manager
_TURN: Final = ("lastTransitionTime", "message", "reason", "status")  # what changes in a condition
_SYSTEM: Final = ("default", "kube-node-lease", "kube-public", "kube-system")
CONTROLLER: Final = "kube-controller-manager"


def entry(manager: str, fields: Tree, *, subresource: str = "") -> str:
    """One entry as JSON, ready for `%`: the first hole is its time, then come those of its fields."""
    made: Tree = {"manager": manager, "operation": "Update", "apiVersion": "v1", "time": _HOLE}
    made |= {"fieldsType": "FieldsV1", "fieldsV1": fields}
    if subresource:
        made["subresource"] = subresource
    return msgspec.json.encode(made).decode().replace("%", "%%").replace(_HOLE, "%s")


def tree(value: object) -> Tree:
    """The fields of a part that one manager wrote as a whole; lists are atoms."""
    if not isinstance(value, Mapping) or not value:
        return {}
    return {".": {}, **{f"f:{name}": tree(value[name]) for name in sorted(value)}}


def leaves(names: Iterable[str]) -> Tree:
    return {f"f:{name}": {} for name in sorted(names)}


def keyed(field: str, value: str) -> str:
    """How an item of a list is named whose items have a key."""
    return f"k:{msgspec.json.encode({field: value}).decode()}"


def of_template(spec: Mapping[str, Any], labels: Iterable[str], *, generated: bool) -> str:
    """What the controller wrote that made a pod. Holes: time, uid of the owner."""
    metadata: Tree = {"f:generateName": {}} if generated else {}
    metadata["f:labels"] = {".": {}, **leaves(label for label in labels if label != _ZONE)}
    metadata["f:ownerReferences"] = {".": {}, keyed("uid", _HOLE): {}}
    fields: Tree = {}
    for name, value in spec.items():
        if name in ("containers", "initContainers"):
            items = sorted(value, key=lambda item: str(item["name"]))
            fields[f"f:{name}"] = {keyed("name", item["name"]): tree(item) for item in items}
        elif name not in ("nodeName", "priority", "preemptionPolicy"):  # these are of admission and binding
            fields[f"f:{name}"] = {}
    return entry(CONTROLLER, {"f:metadata": metadata, "f:spec": dict(sorted(fields.items()))})


Conditions = tuple[tuple[str, bool], ...]  # of a pod: the type of each, and whether it has a reason


@lru_cache(_SHAPES)
def of_kubelet(fields: tuple[str, ...], conditions: Conditions) -> str:
    """What a kubelet wrote into the status of a pod that has these fields. Holes: time, address of the pod."""
    status = leaves(name for name in fields if name != "qosClass")
    told = {keyed("type", kind): _condition(reason) for kind, reason in sorted(conditions)}
    told[keyed("type", "PodScheduled")] = leaves(["observedGeneration"])  # the rest is of the binding
    told.pop(keyed("type", "DisruptionTarget"), None)
    status["f:conditions"] = told
    status["f:podIPs"] = {".": {}, keyed("ip", _HOLE): {".": {}, "f:ip": {}}}
    return entry("kubelet", {"f:status": dict(sorted(status.items()))}, subresource="status")


@lru_cache(_SHAPES)
def of_condition(manager: str, kind: str, reason: bool) -> str:
    """A condition of a pod that somebody else than its kubelet wrote. Hole: time."""
    told = {keyed("type", kind): _condition(reason)}
    return entry(manager, {"f:status": {"f:conditions": told}}, subresource="status")


def _condition(reason: bool) -> Tree:
    names = ["lastProbeTime", "lastTransitionTime", "observedGeneration", "status", "type"]
    return {".": {}, **leaves([*names, "reason"] if reason else names)}


def of_node(node: Mapping[str, Any]) -> str:
    """All entries of a node, as a JSON array."""
    metadata, spec, status = node["metadata"], node["spec"], node["status"]
    conditions = status["conditions"]
    joined = metadata["creationTimestamp"]
    changed = max((taint["timeAdded"] for taint in spec.get("taints", ())), default=joined)
    entries = [
        _node_labels(tuple(metadata["labels"])) % joined,
        _node_spec(tuple(metadata["annotations"]), tuple(spec)) % changed,
    ]
    if spec.get("unschedulable"):
        entries.append(_CORDON % changed)
    entries.append(
        _node_status(
            tuple(status["capacity"]),
            tuple(status["allocatable"]),
            tuple(condition["type"] for condition in conditions),
            tuple(address["type"] for address in status["addresses"]),
            tuple(status["nodeInfo"]),
        )
        % conditions[0]["lastHeartbeatTime"]
    )
    if unknown := tuple(c["type"] for c in conditions if c["reason"] == "NodeStatusUnknown"):
        entries.append(_node_lost(unknown) % max(c["lastTransitionTime"] for c in conditions))
    return f"[{','.join(entries)}]"


_CORDON: Final = entry("kubectl-cordon", {"f:spec": leaves(["unschedulable"])})


@lru_cache(_SHAPES)
def _node_labels(labels: Sequence[str]) -> str:
    return entry("kubelet", {"f:metadata": {"f:labels": {".": {}, **leaves(labels)}}})


@lru_cache(_SHAPES)
def _node_spec(annotations: Sequence[str], spec: Sequence[str]) -> str:
    fields: Tree = {"f:metadata": {"f:annotations": {".": {}, **leaves(annotations)}}}
    fields["f:spec"] = leaves(name for name in spec if name != "unschedulable")
    return entry(CONTROLLER, fields)


@lru_cache(_SHAPES)
def _node_status(
    capacity: Sequence[str],
    allocatable: Sequence[str],
    conditions: Sequence[str],
    addresses: Sequence[str],
    info: Sequence[str],
) -> str:
    each = {".": {}, **leaves([*_TURN, "lastHeartbeatTime", "type"])}
    address = {".": {}, **leaves(["address", "type"])}
    fields: Tree = {
        "f:addresses": {".": {}, **{keyed("type", kind): address for kind in sorted(addresses)}},
        "f:allocatable": {".": {}, **leaves(allocatable)},
        "f:capacity": {".": {}, **leaves(capacity)},
        "f:conditions": {".": {}, **{keyed("type", kind): each for kind in sorted(conditions)}},
        "f:daemonEndpoints": {"f:kubeletEndpoint": leaves(["Port"])},
        "f:nodeInfo": leaves(info),
    }
    return entry("kubelet", {"f:status": fields}, subresource="status")


@lru_cache(_SHAPES)
def _node_lost(conditions: Sequence[str]) -> str:
    told = {keyed("type", kind): leaves(_TURN) for kind in sorted(conditions)}
    return entry(CONTROLLER, {"f:status": {"f:conditions": told}}, subresource="status")


def of_namespace(namespace: Mapping[str, Any]) -> str:
    """All entries of a namespace, as a JSON array."""
    metadata = namespace["metadata"]
    form = _namespace(metadata["name"] in _SYSTEM, tuple(metadata["labels"]))
    entries = [form % metadata["creationTimestamp"]]
    if conditions := namespace["status"].get("conditions"):
        swept = _namespace_status(tuple(condition["type"] for condition in conditions))
        entries.append(swept % max(condition["lastTransitionTime"] for condition in conditions))
    return f"[{','.join(entries)}]"


@lru_cache(_SHAPES)
def _namespace(system: bool, labels: Sequence[str]) -> str:
    manager = "kube-apiserver" if system else "kubectl-create"
    return entry(manager, {"f:metadata": {"f:labels": {".": {}, **leaves(labels)}}})


@lru_cache(_SHAPES)
def _namespace_status(conditions: Sequence[str]) -> str:
    each = {".": {}, **leaves([*_TURN, "type"])}
    told = {".": {}, **{keyed("type", kind): each for kind in sorted(conditions)}}
    return entry(CONTROLLER, {"f:status": {"f:conditions": told}}, subresource="status")
