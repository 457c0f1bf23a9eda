"""The columns of `kubectl get nodes,pods,namespaces` and their cells, as the API server prints them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from kstream.core.kube.objects import Pod
from kstream.core.kube.podstatus import pod_status
from kstream.core.timeline.events import Kind
from simulator.apiserver.store import Entry

Cell = str | int

_NONE: Final = "<none>"
_UNKNOWN: Final = "<unknown>"
_ROLE: Final = "node-role.kubernetes.io/"
_COLUMNS: Final[
    Mapping[Kind, Sequence[tuple[str, int, str]]]
] = {  # name, priority (1: -o wide only), what it is
    Kind.POD: (
        ("Name", 0, "Name of the pod, unique within its namespace."),
        ("Ready", 0, "The aggregate readiness state of this pod for accepting traffic."),
        ("Status", 0, "The aggregate status of the containers in this pod."),
        ("Restarts", 0, "How often its containers were restarted, and when the last one was."),
        ("Age", 0, "Time since creationTimestamp."),
        ("IP", 1, "The address of the pod, empty if it has none yet."),
        ("Node", 1, "The node that the pod is scheduled to."),
        ("Nominated Node", 1, "The node that the pod may get once others are preempted."),
        ("Readiness Gates", 1, "The gates that are passed, of those that are set."),
    ),
    Kind.NODE: (
        ("Name", 0, "Name of the node."),
        ("Status", 0, "The status of the node."),
        ("Roles", 0, "The roles of the node."),
        ("Age", 0, "Time since creationTimestamp."),
        ("Version", 0, "The version of the kubelet."),
        ("Internal-IP", 1, "The address within the cluster."),
        ("External-IP", 1, "The address from outside."),
        ("OS-Image", 1, "The operating system."),
        ("Kernel-Version", 1, "The kernel."),
        ("Container-Runtime", 1, "The container runtime and its version."),
    ),
    Kind.NAMESPACE: (
        ("Name", 0, "Name of the namespace."),
        ("Status", 0, "The status of the namespace."),
        ("Age", 0, "Time since creationTimestamp."),
    ),
}


class _Bare(msgspec.Struct):
    metadata: msgspec.Raw


def columns(kind: Kind) -> bytes:
    return msgspec.json.encode(
        [
            {
                "name": name,
                "type": "string",
                "format": "name" if name == "Name" else "",
                "description": text,
                "priority": priority,
            }
            for name, priority, text in _COLUMNS[kind]
        ]
    )


def metadata(entry: Entry) -> bytes:
    """The metadata of an object, as it stands in its bytes."""
    return bytes(msgspec.json.decode(entry.body, type=_Bare).metadata)


def empty_cells(kind: Kind) -> Sequence[Cell]:
    """The row of an object without content, which is what a bookmark shows."""
    return _cells(kind, {"metadata": {}}, b"{}", now=0)


def cells(kind: Kind, entry: Entry, *, now: float) -> Sequence[Cell]:
    """One row; ages are counted to `now`, seconds since the epoch."""
    return _cells(kind, msgspec.json.decode(entry.body), entry.body, now=now)


def age(stamp: str | None, *, now: float) -> str:
    """How long ago a timestamp was, as kubectl writes it: 8m41s, 3d4h."""
    if not stamp:
        return _UNKNOWN
    return duration(int(now - datetime.fromisoformat(stamp).timestamp()))


def duration(seconds: int) -> str:
    """The two leading units, and only one where the second says little."""
    if seconds < -1:
        return "<invalid>"
    if seconds < 120:
        return f"{max(0, seconds)}s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if minutes < 10:
        return _two(minutes, "m", seconds % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return _two(days, "d", hours % 24, "h")
    if days < 365 * 2:
        return f"{days}d"
    years = days // 365
    return _two(years, "y", days % 365, "d") if years < 8 else f"{years}y"


def _two(first: int, unit: str, second: int, small: str) -> str:
    return f"{first}{unit}{second}{small}" if second else f"{first}{unit}"


def _cells(kind: Kind, content: Mapping[str, Any], body: bytes, *, now: float) -> Sequence[Cell]:
    meta = content["metadata"]
    name, since = meta.get("name", ""), age(meta.get("creationTimestamp"), now=now)
    match kind:
        case Kind.NAMESPACE:
            return [name, (content.get("status") or {}).get("phase", ""), since]
        case Kind.NODE:
            return _node(content, name, since)
        case Kind.POD:
            text = pod_status(msgspec.json.decode(body, type=Pod))
            return _pod(content, name, text, since, now=now)


def _node(content: Mapping[str, Any], name: str, since: str) -> Sequence[Cell]:
    meta, status = content["metadata"], content.get("status") or {}
    ready = [item for item in status.get("conditions") or () if item.get("type") == "Ready"]
    words = ["Unknown" if not ready else "Ready" if ready[0].get("status") == "True" else "NotReady"]
    if (content.get("spec") or {}).get("unschedulable"):
        words.append("SchedulingDisabled")
    labels = meta.get("labels") or {}
    roles = {label.removeprefix(_ROLE) for label in labels if label.startswith(_ROLE)} - {""}
    if labels.get("kubernetes.io/role"):
        roles.add(labels["kubernetes.io/role"])
    info = status.get("nodeInfo") or {}
    addresses = {item.get("type"): item.get("address") for item in reversed(status.get("addresses") or ())}
    return [
        name,
        ",".join(words),
        ",".join(sorted(roles)) or _NONE,
        since,
        info.get("kubeletVersion", ""),
        addresses.get("InternalIP") or _NONE,
        addresses.get("ExternalIP") or _NONE,
        info.get("osImage") or _UNKNOWN,
        info.get("kernelVersion") or _UNKNOWN,
        info.get("containerRuntimeVersion") or _UNKNOWN,
    ]


def _pod(content: Mapping[str, Any], name: str, text: str, since: str, *, now: float) -> Sequence[Cell]:
    spec, status = content.get("spec") or {}, content.get("status") or {}
    sidecars = {
        item["name"] for item in spec.get("initContainers") or () if item.get("restartPolicy") == "Always"
    }
    total = len(spec.get("containers") or ()) + len(sidecars)
    inits = status.get("initContainerStatuses") or []
    mains = status.get("containerStatuses") or []
    helpers = [item for item in inits if item.get("name") in sidecars]
    # While init containers still run, restarts are theirs; afterwards those of the main ones and the sidecars.
    counted = [*helpers, *mains] if not text.startswith("Init:") else inits
    gates = spec.get("readinessGates") or ()
    true = {item.get("type") for item in status.get("conditions") or () if item.get("status") == "True"}
    passed = sum(gate["conditionType"] in true for gate in gates)
    return [
        name,
        f"{sum(_is_up(item) for item in [*helpers, *mains])}/{total}",
        text,
        _restarts(counted, now=now),
        since,
        ((status.get("podIPs") or [{}])[0].get("ip") or status.get("podIP")) or _NONE,
        spec.get("nodeName") or _NONE,
        status.get("nominatedNodeName") or _NONE,
        f"{passed}/{len(gates)}" if gates else _NONE,
    ]


def _is_up(item: Mapping[str, Any]) -> bool:
    return bool(item.get("ready") and (item.get("state") or {}).get("running") is not None)


def _restarts(statuses: Sequence[Mapping[str, Any]], *, now: float) -> str:
    count = sum(item.get("restartCount") or 0 for item in statuses)
    ends = [((item.get("lastState") or {}).get("terminated") or {}).get("finishedAt") for item in statuses]
    last = max((end for end in ends if end), default="")
    return f"{count} ({age(last, now=now)} ago)" if count and last else str(count)
