"""Kubernetes objects made again of what a log keeps of them, so that kubectl and kstream read the same off them. Pure.

A log keeps what a client is shown: the STATUS column, not what it was made of. Here something is found that says the
same: `plan_of` tries the ways in which a real cluster comes to such a text, and takes the first that does.
docs/fake-apiserver.md says what is made up and what is missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple
from uuid import NAMESPACE_URL, uuid5

import msgspec

from kstream.core.kube import objects as k8s
from kstream.core.kube.podstatus import pod_status
from kstream.core.timeline.events import Kind, ObjectKey
from kstream.core.timeline.timepoint import timestamp


class _Container(msgspec.Struct):
    name: str = ""
    image: str = ""
    ready: bool = False
    restartCount: k8s.Int32 = 0  # noqa: N815 - as in the log
    state: str = "waiting"
    reason: str | None = None


class _Owner(msgspec.Struct):
    kind: str
    name: str


class _Pod(msgspec.Struct):
    """Older logs have less of it."""

    nodeName: str | None = None  # noqa: N815 - as in the log
    phase: str = ""
    status: str = ""
    containers: list[_Container] = []
    labels: dict[str, str] = {}
    creationTimestamp: str | None = None  # noqa: N815 - as in the log
    owner: _Owner | None = None


class _Node(msgspec.Struct):
    status: str = ""
    capacity: dict[str, str] = {}
    conditions: list[dict[str, str]] = []
    labels: dict[str, str] = {}
    creationTimestamp: str | None = None  # noqa: N815 - as in the log


class _Namespace(msgspec.Struct):
    status: str = ""


class Shape(NamedTuple):
    """What the text of a pod's status depends on."""

    phase: str
    status: str
    containers: tuple[tuple[str, str, bool], ...]  # state, reason ("" for none) and ready of each


class Plan(NamedTuple):
    """What makes a pod of a shape say its status."""

    reason: str = ""  # the pod's own
    deleted: bool = False  # it has a deletionTimestamp
    gated: bool = False
    ready: bool = False  # its condition Ready
    failing: bool = True  # containers that ended have an exit code
    sidecars: int = 0  # how many containers, the last ones, are sidecars that are through with starting
    init: tuple[int, int, str] = (
        0,
        0,
        "",
    )  # of init containers: how many are done, of how many, why not the next


_ENDS: Final = re.compile(r"(?:Signal:(\d{1,3})|ExitCode:(\d{1,9}))")
_INIT: Final = re.compile(r"Init:(\d{1,2})/(\d{1,2})")
_API_VERSIONS: Final = {
    "DaemonSet": "apps/v1",
    "Deployment": "apps/v1",
    "ReplicaSet": "apps/v1",
    "StatefulSet": "apps/v1",
    "CronJob": "batch/v1",
    "Job": "batch/v1",
}
_TERMINAL: Final = ("Failed", "Succeeded")
_decode_pod: Final = msgspec.json.Decoder(_Pod).decode
_decode_node: Final = msgspec.json.Decoder(_Node).decode
_decode_namespace: Final = msgspec.json.Decoder(_Namespace).decode


def rebuilt(key: ObjectKey, body: bytes, *, version: int, time: float) -> dict[str, Any]:
    """The object whose body in the log is `body`, as at `time`, seconds since the Unix epoch.

    Raises msgspec.DecodeError, UnicodeDecodeError or RecursionError for a body that is none.
    """
    metadata: dict[str, Any] = {"name": key.name}
    if key.namespace:
        metadata["namespace"] = key.namespace
    metadata |= {"uid": key.uid, "resourceVersion": str(version)}
    match key.kind:
        case Kind.POD:
            return _pod(_decode_pod(body), metadata, now=time)
        case Kind.NODE:
            return _node(_decode_node(body), metadata)
        case Kind.NAMESPACE:
            return _namespace(_decode_namespace(body), metadata, now=time)


def _pod(pod: _Pod, metadata: dict[str, Any], *, now: float) -> dict[str, Any]:
    shape = Shape(
        pod.phase, pod.status, tuple((each.state, each.reason or "", each.ready) for each in pod.containers)
    )
    plan = plan_of(shape)
    _describe(metadata, pod.creationTimestamp, pod.labels)
    if plan.deleted:
        metadata["deletionTimestamp"] = _stamp(now)
    if pod.owner is not None:
        metadata["ownerReferences"] = [_reference(pod.owner, pod.labels, metadata["namespace"])]
    return {"metadata": metadata, **_content(plan, pod)}


def _describe(metadata: dict[str, Any], created: str | None, labels: Mapping[str, str]) -> None:
    if created is not None:
        metadata["creationTimestamp"] = created
    if labels:
        metadata["labels"] = labels


def _reference(owner: _Owner, labels: Mapping[str, str], namespace: str) -> dict[str, Any]:
    """Of a Deployment the ReplicaSet, which is named after it and the hash that its pods have for a label."""
    kind, name = owner.kind, owner.name
    if kind == "Deployment" and (made_of := labels.get("pod-template-hash")):
        kind, name = "ReplicaSet", f"{name}-{made_of}"
    return {
        "apiVersion": _API_VERSIONS.get(kind, "v1"),
        "kind": kind,
        "name": name,
        "uid": str(uuid5(NAMESPACE_URL, f"{namespace}/{kind}/{name}")),
        "controller": True,
        "blockOwnerDeletion": True,
    }


@lru_cache(maxsize=4096)
def plan_of(shape: Shape) -> Plan:
    """How a pod of this shape says its status: as a real one would if that says it, else by its own reason.

    Where nothing says it (no API server makes such a pod), the last one, whose containers are right.
    """
    made = Plan()
    for made in _plans(shape):
        pod = msgspec.convert(_bare(shape, made), k8s.Pod)
        if pod_status(pod) == shape.status:
            return made
    return made


def _plans(shape: Shape) -> Iterator[Plan]:
    """From what is usual to what says anything. Sidecars that have started, or ended well, say nothing at all."""
    status, some = shape.status, len(shape.containers)
    if status == "Terminating":
        yield Plan(deleted=True, ready=_all_ready(shape))
    if status == "Unknown":
        yield Plan(deleted=True, reason="NodeLost")
    if status == "SchedulingGated":
        yield Plan(gated=True)
    if status.startswith("Init:"):
        steps = _INIT.fullmatch(status)
        yield Plan(init=(int(steps[1]), int(steps[2]), "") if steps else (0, 1, status.removeprefix("Init:")))
    for ready in (_all_ready(shape), True, False):
        for failing in (True, False):
            for sidecars in range(some + 1):
                yield Plan(ready=ready, failing=failing, sidecars=sidecars)
    for sidecars in range(some + 1):
        yield Plan(reason=status, sidecars=sidecars)


def _all_ready(shape: Shape) -> bool:
    return bool(shape.containers) and all(ready for _, _, ready in shape.containers)


def _bare(shape: Shape, plan: Plan) -> dict[str, Any]:
    """A pod of which only the shape is known, for the judgement of its status."""
    containers = [
        _Container(name=str(number), state=state, reason=reason or None, ready=ready)
        for number, (state, reason, ready) in enumerate(shape.containers)
    ]
    metadata = {"deletionTimestamp": "deleted"} if plan.deleted else {}
    pod = _content(plan, _Pod(phase=shape.phase, status=shape.status, containers=containers))
    conditions = msgspec.Raw(msgspec.json.encode(pod["status"]["conditions"]))
    return {**pod, "metadata": metadata, "status": pod["status"] | {"conditions": conditions}}


def _content(plan: Plan, pod: _Pod) -> dict[str, Any]:
    """Its spec and its status."""
    mains = pod.containers[: len(pod.containers) - plan.sidecars]
    sidecars = pod.containers[len(mains) :]
    done, of, why = plan.init
    inits = [f"init-{number}" for number in range(of)]
    spec: dict[str, Any] = {"containers": [{"name": each.name, "image": each.image} for each in mains]}
    helpers = [
        *({"name": name} for name in inits),
        *({"name": each.name, "image": each.image, "restartPolicy": "Always"} for each in sidecars),
    ]
    if helpers:
        spec["initContainers"] = helpers
    if pod.nodeName is not None:
        spec["nodeName"] = pod.nodeName
    status: dict[str, Any] = {"phase": pod.phase, "conditions": _conditions(plan, pod)}
    if plan.reason:
        status["reason"] = plan.reason
    if helpers:
        status["initContainerStatuses"] = [
            *(_init_status(name, done=number < done, why=why) for number, name in enumerate(inits)),
            *(_container_status(each, failing=False, started=True) for each in sidecars),
        ]
    if mains:
        status["containerStatuses"] = [
            _container_status(
                each, failing=plan.failing, started=each.state == "running", end=_ENDS.fullmatch(pod.status)
            )
            for each in mains
        ]
    return {"spec": spec, "status": status}


def _conditions(plan: Plan, pod: _Pod) -> list[dict[str, Any]]:
    if plan.gated:
        return [{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]
    if pod.nodeName is None and not pod.containers:
        return []
    truths = {"PodScheduled": pod.nodeName is not None}
    if pod.nodeName is not None:
        truths |= {"Initialized": not plan.init[1], "ContainersReady": plan.ready, "Ready": plan.ready}
    elif plan.ready:
        truths["Ready"] = True
    return [{"type": name, "status": str(true)} for name, true in truths.items()]


def _init_status(name: str, *, done: bool, why: str) -> dict[str, Any]:
    """`why` the next one is not done: "" is that it has not begun."""
    if done:
        state: dict[str, Any] = {"terminated": {"exitCode": 0, "reason": "Completed"}}
    elif why:
        state = {"waiting": {"reason": why}}
        if ended := _ENDS.fullmatch(why):
            state = {"terminated": _end(ended)}
    else:
        state = {"waiting": {"reason": "PodInitializing"}}
    return {"name": name, "image": "", "ready": done, "restartCount": 0, "state": state}


def _container_status(
    container: _Container, *, failing: bool, started: bool, end: re.Match[str] | None = None
) -> dict[str, Any]:
    """`end`: how one ended for whose end no reason is known."""
    reason = container.reason or ""
    state: dict[str, Any] = {}
    match container.state:
        case "running":
            state = {"running": {}}
        case "terminated":
            completed = reason == "Completed" or not failing
            how = {"exitCode": 0 if completed else 1, "reason": reason}
            state = {"terminated": _end(end) if end is not None and not reason and failing else how}
        case _ if reason:
            state = {"waiting": {"reason": reason}}
    return {
        "name": container.name,
        "image": container.image,
        "ready": container.ready,
        "restartCount": container.restartCount,
        "started": started,
        "state": state,
    }


def _end(ended: re.Match[str]) -> dict[str, int]:
    return (
        {"exitCode": 128 + int(ended[1]), "signal": int(ended[1])}
        if ended[1]
        else {"exitCode": int(ended[2])}
    )


def _node(node: _Node, metadata: dict[str, Any]) -> dict[str, Any]:
    _describe(metadata, node.creationTimestamp, node.labels)
    cordoned = node.status.endswith(",SchedulingDisabled")
    return {
        "metadata": metadata,
        "spec": {"unschedulable": True} if cordoned else {},
        "status": {"capacity": node.capacity, "allocatable": node.capacity, "conditions": node.conditions},
    }


def _namespace(namespace: _Namespace, metadata: dict[str, Any], *, now: float) -> dict[str, Any]:
    metadata["labels"] = {"kubernetes.io/metadata.name": metadata["name"]}  # every one has it
    if namespace.status == "Terminating":
        metadata["deletionTimestamp"] = _stamp(now)
    return {
        "metadata": metadata,
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": namespace.status},
    }


def _stamp(time: float) -> str:
    """As Kubernetes writes it: whole seconds."""
    return f"{timestamp(time)[:19]}Z"
