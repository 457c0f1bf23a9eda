"""Resources that tell what happened and not to whom: names, texts and identities become pseudonyms, what Kubernetes
itself says is kept.

By an allow-list: a field that is not named here is left out, a word that is not known to be Kubernetes' own is
replaced.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from kstream.core.kube.pseudonyms import Pseudonyms
from kstream.core.timeline.events import Event, Kind, ObjectKey, WatchEvent
from kstream.core.timeline.health import ClusterInfo


def _all(words: str) -> frozenset[str]:
    return frozenset(words.split())


REASONS: Final = _all("""
    Pending Running Succeeded Failed Unknown Active Terminating Ready NotReady SchedulingDisabled SchedulingGated True
    False
    Completed Error CrashLoopBackOff ContainerCreating PodInitializing ImagePullBackOff ErrImagePull ErrImageNeverPull
    ErrImageInspect InvalidImageName ImageInspectError RegistryUnavailable RunContainerError CreateContainerError
    CreateContainerConfigError ContainerCannotRun ContainerStatusUnknown StartError PostStartHookError PreStartHookError
    KillContainerError OOMKilled DeadlineExceeded Evicted NodeAffinity NodeLost NodeShutdown Shutdown Terminated
    UnexpectedAdmissionError Preempting Preempted OutOfcpu OutOfmemory OutOfpods OutOfephemeral-storage
    TopologyAffinityError Unschedulable NetworkNotReady CreatePodSandboxError KillPodSandboxError
    ConfigPodSandboxError VerifyNonRootError ExceededGracePeriod ContainersNotReady ContainersNotInitialized
    MemoryPressure DiskPressure PIDPressure NetworkUnavailable KernelDeadlock ReadonlyFilesystem
    KubeletReady KubeletNotReady KubeletHasSufficientMemory KubeletHasInsufficientMemory KubeletHasNoDiskPressure
    KubeletHasDiskPressure KubeletHasSufficientPID KubeletHasInsufficientPID NodeStatusUnknown NodeStatusNeverUpdated
    RouteCreated NoRouteCreated FlannelIsUp CalicoIsUp CiliumIsUp KernelHasNoDeadlock FilesystemIsNotReadOnly
    waiting running terminated
    """)
"""What Kubernetes says of any cluster: phases, statuses, types of conditions, reasons."""

KINDS: Final = _all(
    "Deployment ReplicaSet StatefulSet DaemonSet Job CronJob Node ReplicationController Pod Namespace"
)
_MESSAGES: Final = frozenset(
    {
        "",
        "kubelet is posting ready status",
        "kubelet has sufficient memory available",
        "kubelet has insufficient memory available",
        "kubelet has no disk pressure",
        "kubelet has disk pressure",
        "kubelet has sufficient PID available",
        "kubelet has insufficient PID available",
        "Kubelet stopped posting node status.",
        "Kubelet never posted node status.",
    }
)
_PREFIXES: Final = _all("""
    kubernetes.io beta.kubernetes.io node.kubernetes.io node-role.kubernetes.io topology.kubernetes.io
    failure-domain.beta.kubernetes.io app.kubernetes.io apps.kubernetes.io batch.kubernetes.io
    statefulset.kubernetes.io helm.sh
    """)
_PLAIN: Final = _all("""
    kubernetes.io/os kubernetes.io/arch beta.kubernetes.io/os beta.kubernetes.io/arch pod-template-generation
    apps.kubernetes.io/pod-index batch.kubernetes.io/job-completion-index
    """)
_ROLES: Final = frozenset({"control-plane", "master", "worker", "etcd"})
_ROLE: Final = "node-role.kubernetes.io/"
KEYS: Final = (
    _all("""
    app component tier role version release chart heritage name k8s-app job-name controller-uid pod-template-hash
    controller-revision-hash
    kubernetes.io/hostname kubernetes.io/metadata.name kubernetes.io/role beta.kubernetes.io/instance-type
    node.kubernetes.io/instance-type node.kubernetes.io/exclude-from-external-load-balancers
    topology.kubernetes.io/zone topology.kubernetes.io/region failure-domain.beta.kubernetes.io/zone
    failure-domain.beta.kubernetes.io/region
    app.kubernetes.io/name app.kubernetes.io/instance app.kubernetes.io/version app.kubernetes.io/component
    app.kubernetes.io/part-of app.kubernetes.io/managed-by app.kubernetes.io/created-by helm.sh/chart
    statefulset.kubernetes.io/pod-name batch.kubernetes.io/job-name batch.kubernetes.io/controller-uid
    """)
    | _PLAIN
    | {_ROLE + role for role in _ROLES}
)
"""The keys of labels that anybody may have; their values are replaced but where they are numbers or architectures."""

_HASHES: Final = frozenset({"pod-template-hash", "controller-revision-hash"})
_COMMON: Final = re.compile(r"\d{1,9}|linux|windows|amd64|arm64|arm|386|s390x|ppc64le|riscv64", re.ASCII)
_COUNTED: Final = re.compile(r"(?:Signal|ExitCode):\d{1,10}|\d{1,9}/\d{1,9}", re.ASCII)
_INIT: Final = "Init:"
_QUANTITY: Final = re.compile(r"[+-]?[\d.]{1,20}(?:[eE][+-]?\d{1,3}|[numkKMGTPE]i?)?", re.ASCII)
_MOMENT: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_VERSION: Final = re.compile(r"v?\d{1,4}(?:\.\d{1,4}){0,2}", re.ASCII)

_decode: Final = msgspec.json.Decoder().decode
_encode: Final = msgspec.json.Encoder().encode

Field = Callable[[Any], Any]


class Redaction:
    """The same resources, under the pseudonyms of one key."""

    def __init__(self, pseudonyms: Pseudonyms) -> None:
        words = pseudonyms
        self._words = words
        name, uid, title = _text(words.name), _text(words.uid), _text(self._saying)
        dated = _text(lambda text: text if _MOMENT.fullmatch(text) else None)
        common: dict[str, Field] = {"name": name, "uid": uid, "status": title, "creationTimestamp": dated}
        labelled: dict[str, Field] = {**common, "labels": self._labels}
        condition: dict[str, Field] = {
            "type": title,
            "status": title,
            "reason": title,
            "message": _text(self._message),
        }
        capacity = dict.fromkeys(("cpu", "memory", "pods"), _text(self._quantity))
        container: dict[str, Field] = {
            "name": name,
            "image": _text(words.image),
            "ready": _flag,
            "restartCount": _count,
            "state": title,
            "reason": title,
        }
        self._kinds: Mapping[Kind, Mapping[str, Field]] = {
            Kind.NAMESPACE: {**common, "podCount": _count},
            Kind.NODE: {
                **labelled,
                "role": _text(self._role),
                "capacity": _object(capacity),
                "conditions": _list(_object(condition)),
            },
            Kind.POD: {
                **labelled,
                "namespace": name,
                "nodeName": name,
                "phase": title,
                "containers": _list(_object(container)),
                "owner": _object({"kind": _text(self._kind), "name": name}),
            },
        }

    def event(self, event: Event) -> Event:
        """The same event, without a resourceVersion: in its place is its number. Raises msgspec.DecodeError for a body
        that is no JSON, ValueError for one that is no object."""
        change, key, words = event.change, event.change.key, self._words
        redacted = ObjectKey(key.kind, words.name(key.namespace), words.name(key.name), words.uid(key.uid))
        told = _decode(change.body)
        if not isinstance(told, dict):
            raise ValueError("its body is no object")
        body = _encode(_fields(told, self._kinds[key.kind]))
        return Event(event.seq, WatchEvent(change.verb, redacted, str(event.seq), change.time, body))

    def cluster(self, cluster: ClusterInfo) -> ClusterInfo:
        """Another name and another uid; of the version what Kubernetes counts, not what a vendor appends."""
        version = _VERSION.match(cluster.version)
        return ClusterInfo(
            self._words.word(cluster.name),
            version[0] if version else "unknown",
            self._words.uid(cluster.uid) if cluster.uid else "",
        )

    def identity(self, text: str) -> str:
        """Of an epoch or a term: another history, which nobody goes on from as from the original."""
        return self._words.uid(text).replace("-", "")

    def _saying(self, text: str) -> str:
        """A phase, a status, a reason: what Kubernetes says, or one word."""
        if text in REASONS or not text:
            return text
        return ",".join(map(self._said, text.split(",")))

    def _said(self, text: str) -> str:
        plain = text.removeprefix(_INIT)
        start = text[: len(text) - len(plain)]
        if plain in REASONS or _COUNTED.fullmatch(plain):
            return text
        return start + self._words.title(plain)

    def _kind(self, text: str) -> str:
        return text if text in KINDS or not text else self._words.title(text)

    def _message(self, text: str) -> str:
        return text if text in _MESSAGES else f"redacted {self._words.word(text)}"

    def _quantity(self, text: str) -> str:
        return text if _QUANTITY.fullmatch(text) else self._words.word(text)

    def _role(self, text: str) -> str:
        return ",".join(
            sorted(role if role in _ROLES else self._words.word(role) for role in text.split(","))
        )

    def _labels(self, told: Any) -> dict[str, str]:
        if not isinstance(told, dict):
            return {}
        return {
            self._label_key(key): self._label_value(key, value)
            for key, value in told.items()
            if isinstance(value, str)
        }

    def _label_key(self, key: str) -> str:
        if key in KEYS:
            return key
        prefix, slash, name = key.rpartition("/")
        return (prefix if prefix in _PREFIXES else self._words.word(prefix)) + slash + self._words.word(name)

    def _label_value(self, key: str, value: str) -> str:
        if key in _PLAIN and _COMMON.fullmatch(value):
            return value
        if key in _HASHES and (end := self._words.end(value)) is not None:
            return end
        return self._words.name(value)


def _fields(told: Mapping[str, Any], known: Mapping[str, Field]) -> dict[str, Any]:
    return {name: known[name](value) for name, value in told.items() if name in known}


def _text(redacted: Callable[[str], Any]) -> Field:
    return lambda value: redacted(value) if isinstance(value, str) else None


def _object(known: Mapping[str, Field]) -> Field:
    return lambda value: _fields(value, known) if isinstance(value, dict) else None


def _list(each: Field) -> Field:
    return lambda value: [each(item) for item in value] if isinstance(value, list) else []


def _flag(value: Any) -> bool:
    return value is True


def _count(value: Any) -> int:
    return value if isinstance(value, int) else 0
