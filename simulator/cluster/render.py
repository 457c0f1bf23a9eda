"""The simulated objects as Kubernetes would show them: plain dictionaries, ready to be made JSON."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Any

from simulator.cluster.objects import Container, Namespace, Node, Pod
from simulator.cluster.templates import ContainerSpec, Template

_EPOCH = date(1970, 1, 1).toordinal()
_MESSAGES = {
    "CrashLoopBackOff": "back-off restarting failed container",
    "ErrImagePull": "failed to pull and unpack image: not found",
    "ImagePullBackOff": "Back-off pulling image",
}


@lru_cache(maxsize=512)
def _day(days: int) -> str:
    return date.fromordinal(_EPOCH + days).isoformat()


@lru_cache(maxsize=8192)
def _stamp(seconds: int) -> str:
    days, rest = divmod(seconds, 86_400)
    return f"{_day(days)}T{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}Z"


class Renderer:
    """Makes objects of state; all it knows is when the simulation started (milliseconds since the epoch)."""

    __slots__ = ("start",)

    def __init__(self, start: int) -> None:
        self.start = start

    def stamp(self, at: int) -> str:
        return _stamp((self.start + at) // 1000)

    def namespace(self, namespace: Namespace) -> dict[str, Any]:
        metadata: dict[str, Any] = {
            "name": namespace.name,
            "uid": namespace.uid,
            "resourceVersion": str(namespace.version),
            "creationTimestamp": self.stamp(namespace.created),
            "labels": {"kubernetes.io/metadata.name": namespace.name},
        }
        status: dict[str, Any] = {"phase": "Active"}
        if namespace.deletion is not None:
            metadata["deletionTimestamp"] = self.stamp(namespace.deletion)
            status["phase"] = "Terminating"
        if namespace.swept is not None:
            since = self.stamp(namespace.swept)
            remains = ("False", "ContentRemoved") if namespace.emptied else ("True", "SomeResourcesRemain")
            status["conditions"] = [
                {
                    "type": kind,
                    "status": value,
                    "lastTransitionTime": since,
                    "reason": reason,
                    "message": reason,
                }
                for kind, value, reason in (
                    ("NamespaceDeletionDiscoveryFailure", "False", "ResourcesDiscovered"),
                    ("NamespaceDeletionGroupVersionParsingFailure", "False", "ParsedGroupVersions"),
                    ("NamespaceDeletionContentFailure", "False", "ContentDeleted"),
                    ("NamespaceContentRemaining", *remains),
                    ("NamespaceFinalizersRemaining", "False", "ContentHasNoFinalizers"),
                )
            ]
        return {
            "kind": "Namespace",
            "apiVersion": "v1",
            "metadata": metadata,
            "spec": {"finalizers": ["kubernetes"]},
            "status": status,
        }

    def node(self, node: Node) -> dict[str, Any]:
        spec: dict[str, Any] = {"podCIDR": f"10.{64 + node.index // 256 % 128}.{node.index % 256}.0/24"}
        if node.cordoned:
            spec["unschedulable"] = True
        if node.taints:
            spec["taints"] = [
                {"key": key, "effect": effect, "timeAdded": self.stamp(added)}
                for (key, effect), added in node.taints.items()
            ]
        heartbeat = self.stamp(node.heartbeat)
        return {
            "kind": "Node",
            "apiVersion": "v1",
            "metadata": {
                "name": node.name,
                "uid": node.uid,
                "resourceVersion": str(node.version),
                "creationTimestamp": self.stamp(node.created),
                "labels": dict(node.labels),
                "annotations": {"node.alpha.kubernetes.io/ttl": "0"},
            },
            "spec": spec,
            "status": {
                "capacity": {
                    "cpu": str(node.cpu // 1000) if node.cpu % 1000 == 0 else f"{node.cpu}m",
                    "ephemeral-storage": "101430960Ki",
                    "memory": f"{node.memory >> 10}Ki",
                    "pods": str(node.pods_limit),
                },
                "allocatable": {
                    "cpu": f"{node.cpu}m",
                    "memory": f"{node.memory >> 10}Ki",
                    "pods": str(node.pods_limit),
                },
                "conditions": [
                    {
                        "type": kind,
                        "status": status,
                        "lastHeartbeatTime": heartbeat,
                        "lastTransitionTime": self.stamp(since),
                        "reason": reason,
                        "message": _NODE_MESSAGES[reason],
                    }
                    for kind, (status, reason, since) in node.conditions.items()
                ],
                "addresses": [
                    {"type": "InternalIP", "address": _node_ip(node)},
                    {"type": "Hostname", "address": node.name},
                ],
                "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
                "nodeInfo": {
                    "machineID": node.uid.replace("-", ""),
                    "systemUUID": node.uid,
                    "bootID": node.uid,
                    "kernelVersion": "6.1.0",
                    "osImage": "Debian GNU/Linux 12 (bookworm)",
                    "containerRuntimeVersion": "containerd://1.7.24",
                    "kubeletVersion": node.kubelet,
                    "kubeProxyVersion": "",
                    "operatingSystem": "linux",
                    "architecture": "amd64",
                },
            },
        }

    def pod(self, pod: Pod) -> dict[str, Any]:
        template, owner = pod.template, pod.owner
        metadata: dict[str, Any] = {
            "name": pod.name,
            "namespace": pod.namespace,
            "uid": pod.uid,
            "resourceVersion": str(pod.version),
            "generation": 1 if pod.deletion is None else 2,
            "creationTimestamp": self.stamp(pod.created),
            "labels": _labels(pod),
            "ownerReferences": [
                {
                    "apiVersion": owner.api_version,
                    "kind": owner.kind,
                    "name": owner.name,
                    "uid": owner.uid,
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
        }
        if owner.kind != "StatefulSet":
            metadata["generateName"] = owner.name + "-"
        if pod.deletion is not None:
            metadata["deletionTimestamp"] = self.stamp(pod.deletion)
            metadata["deletionGracePeriodSeconds"] = pod.grace
        status: dict[str, Any] = {"phase": pod.phase}
        if pod.reason:
            status["reason"] = pod.reason
            status["message"] = f"The node was low on resource: memory. {pod.name} was evicted."
        conditions = self._conditions(pod)
        if conditions:
            status["conditions"] = conditions
        spec = template.spec
        node = pod.node
        if node is not None:
            spec = {**spec, "nodeName": node.name}
            if pod.started is not None:
                address = _pod_ip(pod)
                status["hostIP"] = _node_ip(node)
                status["hostIPs"] = [{"ip": status["hostIP"]}]
                status["podIP"] = address
                status["podIPs"] = [{"ip": address}]
                status["startTime"] = self.stamp(pod.started)
        if pod.containers:
            first = len(template.init)
            if first:
                status["initContainerStatuses"] = [
                    self._container(spec_, pod.containers[i]) for i, spec_ in enumerate(template.init)
                ]
            status["containerStatuses"] = [
                self._container(spec_, pod.containers[first + i])
                for i, spec_ in enumerate(template.containers)
            ]
        status["qosClass"] = "Burstable" if template.cpu else "BestEffort"
        return {"kind": "Pod", "apiVersion": "v1", "metadata": metadata, "spec": spec, "status": status}

    def _container(self, spec: ContainerSpec, container: Container) -> dict[str, Any]:
        state: dict[str, Any]
        if container.state == "running":
            state = {"running": {"startedAt": self.stamp(container.since)}}
        elif container.state == "waiting":
            state = {"waiting": {"reason": container.reason}}
            if container.reason in _MESSAGES:
                state["waiting"]["message"] = _MESSAGES[container.reason]
        else:
            state = {
                "terminated": {
                    "exitCode": container.exit_code,
                    "reason": container.reason,
                    "startedAt": self.stamp(container.since),
                    "finishedAt": self.stamp(container.finished),
                }
            }
        last: dict[str, Any] = {}
        if container.last is not None:
            code, reason, since, until = container.last
            last["terminated"] = {
                "exitCode": code,
                "reason": reason,
                "startedAt": self.stamp(since),
                "finishedAt": self.stamp(until),
            }
        return {
            "name": spec.name,
            "state": state,
            "lastState": last,
            "ready": container.ready,
            "restartCount": container.restarts,
            "image": spec.image,
            "imageID": "",
            "started": container.state == "running",
        }

    def _conditions(self, pod: Pod) -> list[dict[str, Any]]:
        if pod.scheduled is None:
            if pod.attempt:
                return [
                    _condition("PodScheduled", "False", self.stamp(pod.created), "Unschedulable"),
                ]
            return []
        made = []
        if pod.started is not None:
            began = self.stamp(pod.started)
            turned = self.stamp(pod.ready_since)
            done = _initialized(pod.template, pod)
            ready = "True" if pod.ready else "False"
            inner = "True" if _containers_ready(pod) else "False"
            why = "PodCompleted" if pod.phase == "Succeeded" else "ContainersNotReady"
            made = [
                _condition("PodReadyToStartContainers", "True", began),
                _condition(
                    "Initialized",
                    "True" if done else "False",
                    began,
                    "" if done else "ContainersNotInitialized",
                ),
                _condition("Ready", ready, turned, "" if pod.ready else why),
                _condition("ContainersReady", inner, turned, "" if inner == "True" else why),
            ]
        made.append(_condition("PodScheduled", "True", self.stamp(pod.scheduled)))
        if pod.disruption:
            made.append(_condition("DisruptionTarget", "True", self.stamp(pod.created), pod.disruption))
        return made


def _labels(pod: Pod) -> dict[str, str]:
    """The template's, what its owner adds, and what befell it since; in order, as the API server has them."""
    labels = dict(pod.template.labels)
    owner = pod.owner
    if owner.kind == "ReplicaSet":
        labels["pod-template-hash"] = pod.template.hash
    elif owner.kind == "Job":
        labels["batch.kubernetes.io/controller-uid"] = labels["controller-uid"] = owner.uid
        labels["batch.kubernetes.io/job-name"] = labels["job-name"] = owner.name
    else:
        labels["controller-revision-hash"] = pod.template.hash
        if owner.kind == "StatefulSet":
            labels["apps.kubernetes.io/pod-index"] = pod.name.rpartition("-")[2]
            labels["statefulset.kubernetes.io/pod-name"] = pod.name
        else:
            labels["pod-template-generation"] = "1"
    if pod.labels:
        labels.update(pod.labels)
    return dict(sorted(labels.items()))


def _condition(kind: str, status: str, since: str, reason: str = "") -> dict[str, Any]:
    made: dict[str, Any] = {
        "type": kind,
        "status": status,
        "lastProbeTime": None,
        "lastTransitionTime": since,
    }
    if reason:
        made["reason"] = reason
    return made


def _initialized(template: Template, pod: Pod) -> bool:
    for spec, container in zip(template.init, pod.containers, strict=False):
        if container.state == "running" and spec.sidecar:
            continue
        if container.state != "terminated" or container.exit_code:
            return False
    return True


def _containers_ready(pod: Pod) -> bool:
    main = pod.containers[len(pod.template.init) :]
    return bool(main) and all(c.ready for c in main)


def _node_ip(node: Node) -> str:
    return f"10.1.{node.index >> 8 & 255}.{node.index & 255}"


def _pod_ip(pod: Pod) -> str:
    return f"10.{64 + (pod.ip >> 16 & 127)}.{pod.ip >> 8 & 255}.{pod.ip & 255}"


_NODE_MESSAGES = {
    "KubeletHasSufficientMemory": "kubelet has sufficient memory available",
    "KubeletHasInsufficientMemory": "kubelet has insufficient memory available",
    "KubeletHasNoDiskPressure": "kubelet has no disk pressure",
    "KubeletHasSufficientPID": "kubelet has sufficient PID available",
    "KubeletReady": "kubelet is posting ready status",
    "KubeletNotReady": "container runtime is down",
    "NodeStatusUnknown": "Kubelet stopped posting node status.",
}
