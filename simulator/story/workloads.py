"""Workloads as a scenario or an action describes them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from simulator.cluster import bounds
from simulator.story.fields import Image, Labels, Model, Name, Seconds, Share, WorkloadName

_Whole = Annotated[int, Field(ge=0, le=int(bounds.SPAN))]  # seconds
_REPLICAS = bounds.REPLICAS
_CONTAINERS = bounds.CONTAINERS_OF_A_POD


class FaultSpec(Model):
    """What goes wrong with a workload's first container."""

    kind: Literal["crash", "oom", "image", "unready"] = Field(
        description="crash: exits; oom: is killed for its memory; image: cannot be pulled; "
        "unready: its readiness probe never passes"
    )
    after: Seconds = Field(default=2.0, description="How long the container runs until then")
    exit_code: int = Field(default=1, ge=1, le=255)


class ContainerModel(Model):
    name: Name = "main"
    image: Image = "nginx:1.28"
    cpu: int = Field(default=100, ge=0, le=bounds.CPU, description="Request, in millicores")
    memory: int = Field(default=64, ge=0, le=bounds.MEMORY, description="Request, in MiB")


class WorkloadSpec(Model):
    """Something that makes pods."""

    kind: Literal["Deployment", "StatefulSet", "DaemonSet", "Job"] = "Deployment"
    namespace: Name = "default"
    name: WorkloadName
    replicas: int = Field(default=1, ge=0, le=_REPLICAS, description="Deployments and StatefulSets")
    containers: tuple[ContainerModel, ...] = Field(
        default=(ContainerModel(),), min_length=1, max_length=_CONTAINERS
    )
    init: tuple[ContainerModel, ...] = Field(
        default=(), max_length=_CONTAINERS, description="Init containers, one after another"
    )
    sidecars: tuple[ContainerModel, ...] = Field(
        default=(), max_length=_CONTAINERS, description="Init containers that stay (restartPolicy: Always)"
    )
    labels: Labels = Field(default={}, description="Besides app: NAME")
    grace: _Whole = Field(default=30, description="terminationGracePeriodSeconds")
    toleration: _Whole = Field(default=300, description="Seconds that pods stay on an unreachable node")
    node_selector: Labels = Field(default={})
    startup: tuple[Seconds, Seconds] = Field(default=(1.0, 3.0), description="From running to ready")
    init_time: tuple[Seconds, Seconds] = Field(
        default=(1.0, 3.0), description="How long an init container runs"
    )
    stop_time: tuple[Seconds, Seconds] = Field(default=(0.5, 2.0), description="From SIGTERM to the exit")
    run_time: tuple[Seconds, Seconds] | None = Field(default=None, description="Until it completes (Jobs)")
    max_surge: Share = "25%"
    max_unavailable: Share = "25%"
    completions: int = Field(default=1, ge=1, le=_REPLICAS, description="Jobs")
    parallelism: int = Field(default=1, ge=1, le=_REPLICAS, description="Jobs")
    backoff_limit: int = Field(default=6, ge=0, le=_REPLICAS, description="Jobs: failures until it gives up")
    ttl: Seconds | None = Field(default=None, description="Jobs: how long they are kept once finished")
    restart: Literal["Never", "OnFailure"] = Field(default="Never", description="Jobs")
    fault: FaultSpec | None = None

    @property
    def containers_of_a_pod(self) -> int:
        return len(self.containers) + len(self.init) + len(self.sidecars)

    def pods(self, nodes: int) -> int:
        """How many pods it asks for in a cluster of so many nodes."""
        if self.kind == "DaemonSet":
            return nodes
        return self.parallelism if self.kind == "Job" else self.replicas
