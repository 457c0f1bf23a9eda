"""Pod templates: what somebody asked to run, and what goes wrong with it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

from simulator.cluster.names import template_hash

MEBI = 1 << 20


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
