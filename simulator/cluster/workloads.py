"""The workloads that make pods of templates."""

from __future__ import annotations

from typing import ClassVar

from simulator.cluster.objects import Workload
from simulator.cluster.templates import Template


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
