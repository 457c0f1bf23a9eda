"""What a real cluster adds to the objects of the simulated one: managedFields, and what admission and kubelets write.

kstream's own stream shows nothing of it, so `kstream simulate` does without; a client of the fake API server has to
cope with it, and its memory and time are measured with it. The same objects are dressed the same. What is equal for
all pods of a template is encoded once; a pod's own names and times are put into that text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple

import msgspec

from kstream.core.timeline.events import Kind
from simulator.apiserver import managedfields
from simulator.cluster.objects import Change

_TEMPLATES: Final = 4096  # that are kept: a rolling update makes a new one
_LETTERS: Final = str.maketrans("0123456789abcdef", "bcdfghjklmnpqrst")
_SUFFIX: Final = "#####"
_VOLUME: Final = f"kube-api-access-{_SUFFIX}"
_ACCOUNT: Final = "/var/run/secrets/kubernetes.io/serviceaccount"
_TOKEN_VOLUME: Final = {
    "name": _VOLUME,
    "projected": {
        "sources": [
            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {
                "downwardAPI": {
                    "items": [
                        {
                            "path": "namespace",
                            "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"},
                        }
                    ]
                }
            },
        ],
        "defaultMode": 420,
    },
}
_MOUNT: Final = {"name": _VOLUME, "readOnly": True, "mountPath": _ACCOUNT}
_MOUNTED: Final = msgspec.json.encode(
    [{"name": _VOLUME, "mountPath": _ACCOUNT, "readOnly": True, "recursiveReadOnly": "Disabled"}]
).decode()
_USER: Final = msgspec.Raw('{"linux":{"uid":0,"gid":0,"supplementalGroups":[0]}}')
_AFTER: Final = "securityContext"  # the first field of a pod spec after those of the account and the node


class _Template(NamedTuple):
    """What the pods of one template have in common."""

    containers: Sequence[Mapping[str, Any]]  # of its spec: the same list for all of its pods
    head: str  # of the spec, up to nodeName, with a _SUFFIX in each name of the volume
    tail: str  # what follows nodeName
    resources: Mapping[
        str, tuple[msgspec.Raw, msgspec.Raw]
    ]  # of each container: its requests, and as in a status
    made: dict[tuple[str, ...], str]  # by the names of the labels: the managedFields of the controller


class Dressing:
    """Dresses the changes of one simulated cluster."""

    def __init__(self) -> None:
        self._templates: dict[int, _Template] = {}
        self._images: dict[str, str] = {}

    def dress(self, change: Change) -> Change:
        """The change as a real API server would tell of it; the one that is given stays as it is."""
        content = change.object
        match change.kind:
            case Kind.POD:
                dressed = self._pod(content)
            case Kind.NODE:
                dressed = _with_fields(content, managedfields.of_node(content))
            case Kind.NAMESPACE:
                dressed = _with_fields(content, managedfields.of_namespace(content))
        return Change(change.time, change.verb, change.kind, dressed)

    def _pod(self, pod: Mapping[str, Any]) -> dict[str, Any]:
        metadata, spec, status = pod["metadata"], pod["spec"], pod["status"]
        template = self._template(spec)
        suffix = _suffix(metadata["uid"])
        bound = "nodeName" in spec
        node = f'"nodeName":"{spec["nodeName"]}",' if bound else ""
        text = f"{template.head.replace(_SUFFIX, suffix)}{node}{template.tail}"
        fields = _pod_fields(metadata, spec, status, template)
        return {
            **_with_fields(pod, fields),
            "spec": msgspec.Raw(text),
            "status": self._status(metadata, status, template, suffix=suffix, bound=bound),
        }

    def _template(self, spec: Mapping[str, Any]) -> _Template:
        containers = spec["containers"]
        known = self._templates.get(id(containers))  # it is kept in `containers`: no other has its id
        if known is None:
            if len(self._templates) >= _TEMPLATES:
                self._templates.clear()
            known = self._templates[id(containers)] = _template(spec)
        return known

    def _status(
        self,
        metadata: Mapping[str, Any],
        status: Mapping[str, Any],
        template: _Template,
        *,
        suffix: str,
        bound: bool,
    ) -> dict[str, Any]:
        seen, reported = metadata["generation"], "startTime" in status
        made = {"observedGeneration": seen, **status} if reported else dict(status)
        if "conditions" in status and (reported or not bound):  # the binding does not say what it has seen
            # In the text, where it takes a tenth of the time that five more dictionaries do.
            text = msgspec.json.encode(status["conditions"])
            text = text.replace(b',"status":', b',"observedGeneration":%d,"status":' % seen)
            made["conditions"] = msgspec.Raw(text)
        mounted = msgspec.Raw(_MOUNTED.replace(_SUFFIX, suffix))
        for name in ("initContainerStatuses", "containerStatuses"):
            if name in status:
                made[name] = [
                    self._container(item, template.resources[item["name"]], mounted, uid=metadata["uid"])
                    for item in status[name]
                ]
        return made

    def _container(
        self,
        item: dict[str, Any],
        resources: tuple[msgspec.Raw, msgspec.Raw],
        mounted: msgspec.Raw,
        *,
        uid: str,
    ) -> dict[str, Any]:
        """The status of a container; one that never ran has nothing to add."""
        name, state, last, restarts = item["name"], item["state"], item["lastState"], item["restartCount"]
        waiting = "waiting" in state
        if waiting and not last:
            return item
        before = _container_id(uid, name, restarts - 1) if last else ""
        # While it waits, the next one is counted already and the last one shown.
        current = before if waiting else _container_id(uid, name, restarts)
        return {
            "name": name,
            "state": _with_id(state, current),
            "lastState": _with_id(last, before),
            "ready": item["ready"],
            "restartCount": restarts,
            "image": item["image"],
            "imageID": self._image(item["image"]),
            "containerID": current,
            "started": item["started"],
            "allocatedResources": resources[0],
            "resources": resources[1],
            "volumeMounts": mounted,
            "user": _USER,
        }

    def _image(self, image: str) -> str:
        known = self._images.get(image)
        if known is None:
            repository = image.rpartition(":")[0] or image
            host, found, _ = repository.partition("/")
            if not found:
                repository = f"docker.io/library/{repository}"
            elif "." not in host:
                repository = f"docker.io/{repository}"
            digest = sha256(image.encode()).hexdigest()
            known = self._images[image] = f"{repository}@sha256:{digest}"
        return known


def _with_fields(content: Mapping[str, Any], fields: str) -> dict[str, Any]:
    return {**content, "metadata": {**content["metadata"], "managedFields": msgspec.Raw(fields)}}


def _template(spec: Mapping[str, Any]) -> _Template:
    dressed: dict[str, Any] = {"volumes": [_TOKEN_VOLUME]}
    for name, value in spec.items():
        if name == _AFTER:
            break
        dressed[name] = [_with_mount(item) for item in value] if name.endswith("ontainers") else value
    rest = {name: value for name, value in spec.items() if name not in dressed and name != "nodeName"}
    dressed["serviceAccountName"] = dressed["serviceAccount"] = "default"
    resources = {}
    for item in (*spec.get("initContainers", ()), *spec["containers"]):
        whole = item["resources"]
        resources[item["name"]] = (
            msgspec.Raw(msgspec.json.encode(whole["requests"])),
            msgspec.Raw(msgspec.json.encode(whole)),
        )
    head = msgspec.json.encode(dressed).decode()
    return _Template(
        containers=spec["containers"],
        head=f"{head[:-1]},",
        tail=msgspec.json.encode(rest).decode()[1:],
        resources=resources,
        made={},
    )


def _with_mount(container: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, value in container.items():
        if name == "terminationMessagePath":  # what a mount stands before
            made["volumeMounts"] = [_MOUNT]
        made[name] = value
    return made


def _pod_fields(
    metadata: Mapping[str, Any], spec: Mapping[str, Any], status: Mapping[str, Any], template: _Template
) -> str:
    """managedFields as a JSON array, the oldest entry first."""
    labels = tuple(metadata["labels"])
    form = template.made.get(labels)
    if form is None:
        form = managedfields.of_template(spec, labels, generated="generateName" in metadata)
        template.made[labels] = form
    entries = [form % (metadata["creationTimestamp"], metadata["ownerReferences"][0]["uid"])]
    conditions = status.get("conditions", ())
    for condition in conditions:
        kind = condition["type"]
        if kind == "DisruptionTarget" or (kind == "PodScheduled" and condition["status"] == "False"):
            manager = managedfields.CONTROLLER if kind == "DisruptionTarget" else "kube-scheduler"
            told = managedfields.of_condition(manager, kind, "reason" in condition)
            entries.append(told % condition["lastTransitionTime"])
    if "startTime" in status:
        told = managedfields.of_kubelet(
            ("observedGeneration", *status),
            tuple([(condition["type"], "reason" in condition) for condition in conditions]),
        )
        turned = max([condition["lastTransitionTime"] for condition in conditions])
        entries.append(told % (turned, status["podIP"]))
    return f"[{','.join(entries)}]"


def _with_id(state: dict[str, Any], identity: str) -> dict[str, Any]:
    """The state of a container with the containerID that an ended one is told with."""
    if "terminated" not in state:
        return state
    return {"terminated": {**state["terminated"], "containerID": identity}}


def _container_id(uid: str, name: str, number: int) -> str:
    """Of the container that was started as the `number`-th restart."""
    return f"containerd://{sha256(f'{uid}/{name}/{number}'.encode()).hexdigest()}"


def _suffix(uid: str) -> str:
    """Five letters, of those that Kubernetes makes names of."""
    return uid[-len(_SUFFIX) :].translate(_LETTERS)
