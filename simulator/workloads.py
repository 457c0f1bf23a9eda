"""What somebody asked the cluster to run: templates and the workloads that make pods of them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from simulator.names import template_hash
from simulator.objects import Pod

MEBI = 1 << 20
_FINISHED = ("Failed", "Succeeded")


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with the containers of a template.

    kind: `crash` (exits with `exit_code`), `oom` (killed), `image` (cannot be pulled), `unready` (its readiness
    probe fails for ever). `after` is in seconds since the container started.
    """

    kind: str
    after: float = 2.0
    exit_code: int = 1


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    name: str
    image: str
    cpu: int = 100  # request, millicores
    memory: int = 64 * MEBI  # request, bytes
    sidecar: bool = False  # an init container that stays: restartPolicy Always


@dataclass(frozen=True)
class Template:
    """A pod template, and how its containers behave: the second is not Kubernetes' business."""

    labels: dict[str, str]
    containers: tuple[ContainerSpec, ...]
    init: tuple[ContainerSpec, ...] = ()
    restart: str = "Always"
    grace: int = 30  # seconds
    toleration: int = 300  # seconds that it stays on a node that is not ready or unreachable
    everywhere: bool = False  # a daemon: tolerates every taint
    tolerations: tuple[tuple[str, str], ...] = ()  # (key, effect) that it tolerates besides
    node_selector: dict[str, str] = field(default_factory=dict)
    revision: str = ""  # of a restart: changes the hash and nothing else
    # behaviour
    startup: tuple[float, float] = (1.0, 3.0)  # seconds from running to ready; (0, 0): no readiness probe
    init_time: tuple[float, float] = (1.0, 3.0)  # seconds that an init container runs
    run_time: tuple[float, float] | None = None  # seconds until it completes; None: runs for ever
    stop_time: tuple[float, float] = (0.5, 2.0)  # seconds from SIGTERM to exit
    fault: Fault | None = None
    # made of the above once: a pod only refers to them
    hash: str = field(init=False, default="")
    cpu: int = field(init=False, default=0)
    memory: int = field(init=False, default=0)
    spec: dict[str, Any] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        spec = _pod_spec(self)
        text = json.dumps([self.labels, spec, self.revision], sort_keys=True)
        for name, value in (
            ("spec", spec),
            ("hash", template_hash(text)),
            ("cpu", sum(c.cpu for c in self.containers) + sum(c.cpu for c in self.init if c.sidecar)),
            (
                "memory",
                sum(c.memory for c in self.containers) + sum(c.memory for c in self.init if c.sidecar),
            ),
        ):
            object.__setattr__(self, name, value)

    def tolerates(self, key: str, effect: str) -> bool:
        return self.everywhere or (key, effect) in self.tolerations

    def with_image(self, image: str, container: str = "") -> Template:
        """The same with another image for one container (the first, when none is named)."""
        chosen = container or self.containers[0].name
        return replace(
            self,
            containers=tuple(replace(c, image=image) if c.name == chosen else c for c in self.containers),
        )

    def with_fault(self, fault: Fault | None) -> Template:
        return replace(self, fault=fault)

    def restarted(self, revision: str) -> Template:
        return replace(self, revision=revision)


def _container_spec(spec: ContainerSpec) -> dict[str, Any]:
    made: dict[str, Any] = {
        "name": spec.name,
        "image": spec.image,
        "resources": {"requests": {"cpu": f"{spec.cpu}m", "memory": f"{spec.memory // MEBI}Mi"}},
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "imagePullPolicy": "IfNotPresent",
    }
    if spec.sidecar:
        made["restartPolicy"] = "Always"
    return made


def _pod_spec(template: Template) -> dict[str, Any]:
    if template.everywhere:
        tolerations: list[dict[str, Any]] = [{"operator": "Exists"}]
    else:
        tolerations = [{"key": k, "operator": "Exists", "effect": e} for k, e in template.tolerations]
        tolerations += [
            {
                "key": f"node.kubernetes.io/{what}",
                "operator": "Exists",
                "effect": "NoExecute",
                "tolerationSeconds": template.toleration,
            }
            for what in ("not-ready", "unreachable")
        ]
    spec: dict[str, Any] = {}
    if template.init:
        spec["initContainers"] = [_container_spec(c) for c in template.init]
    spec["containers"] = [_container_spec(c) for c in template.containers]
    spec["restartPolicy"] = template.restart
    spec["terminationGracePeriodSeconds"] = template.grace
    spec["dnsPolicy"] = "ClusterFirst"
    if template.node_selector:
        spec["nodeSelector"] = template.node_selector
    spec["securityContext"] = {}
    spec["schedulerName"] = "default-scheduler"
    spec["tolerations"] = tolerations
    spec["priority"] = 0
    spec["enableServiceLinks"] = True
    spec["preemptionPolicy"] = "PreemptLowerPriority"
    return spec


class Workload:
    """The common part: a controller object that owns pods. `pods` keeps the order of creation."""

    __slots__ = ("deleted", "fault", "name", "namespace", "pods", "queued", "template", "uid")

    kind: ClassVar[str] = ""
    api_version: ClassVar[str] = "apps/v1"

    def __init__(self, *, namespace: str, name: str, uid: str, template: Template) -> None:
        self.namespace = namespace
        self.name = name
        self.uid = uid
        self.template = template
        self.pods: dict[str, Pod] = {}
        self.fault: Fault | None = None  # that befell it while it ran; the template's own comes second
        self.queued = False
        self.deleted = False

    def alive(self) -> list[Pod]:
        """The pods that still count: neither finished nor being deleted."""
        # Not p.finished: this runs over every pod of a workload whenever one of them changes.
        return [p for p in self.pods.values() if p.deletion is None and p.phase not in _FINISHED]


class ReplicaSet(Workload):
    __slots__ = ("deployment", "replicas", "revision")
    kind: ClassVar[str] = "ReplicaSet"

    def __init__(self, *, deployment: Deployment, uid: str, template: Template, revision: int) -> None:
        super().__init__(
            namespace=deployment.namespace,
            name=f"{deployment.name}-{template.hash}",
            uid=uid,
            template=template,
        )
        self.deployment = deployment
        self.replicas = 0
        self.revision = revision


class Deployment(Workload):
    """It owns no pods itself: its ReplicaSets do."""

    __slots__ = ("max_surge", "max_unavailable", "replica_sets", "replicas", "revision")
    kind: ClassVar[str] = "Deployment"

    def __init__(
        self,
        *,
        namespace: str,
        name: str,
        uid: str,
        template: Template,
        replicas: int,
        max_surge: int | str = "25%",
        max_unavailable: int | str = "25%",
    ) -> None:
        super().__init__(namespace=namespace, name=name, uid=uid, template=template)
        self.replicas = replicas
        self.max_surge = max_surge
        self.max_unavailable = max_unavailable
        self.revision = 0
        self.replica_sets: dict[str, ReplicaSet] = {}  # by pod-template-hash


class StatefulSet(Workload):
    __slots__ = ("replicas",)
    kind: ClassVar[str] = "StatefulSet"

    def __init__(self, *, namespace: str, name: str, uid: str, template: Template, replicas: int) -> None:
        super().__init__(namespace=namespace, name=name, uid=uid, template=template)
        self.replicas = replicas


class DaemonSet(Workload):
    __slots__ = ()
    kind: ClassVar[str] = "DaemonSet"


class Job(Workload):
    __slots__ = ("backoff_limit", "completions", "failed", "parallelism", "succeeded", "ttl")
    kind: ClassVar[str] = "Job"
    api_version: ClassVar[str] = "batch/v1"

    def __init__(
        self,
        *,
        namespace: str,
        name: str,
        uid: str,
        template: Template,
        completions: int = 1,
        parallelism: int = 1,
        backoff_limit: int = 6,
        ttl: float | None = None,
    ) -> None:
        super().__init__(namespace=namespace, name=name, uid=uid, template=template)
        self.completions = completions
        self.parallelism = parallelism
        self.backoff_limit = backoff_limit
        self.succeeded = 0
        self.failed = 0
        self.ttl = ttl  # seconds that it is kept once finished; None: for ever


def rounded(amount: int | str, of: int, *, up: bool) -> int:
    """maxSurge (rounded up) or maxUnavailable (down): a number, or a percentage of the replicas."""
    if isinstance(amount, int):
        return amount
    percent = int(amount.removesuffix("%"))
    return -(-of * percent // 100) if up else of * percent // 100
