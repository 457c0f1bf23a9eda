"""The vocabulary of what can be done to the cluster: in a scenario's timeline, and while it runs.

Every action has `do` and most have a `target`: a node (`node-3`), a workload (`shop/web`), a pod (`shop/web-1`),
a zone or a namespace.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from kstream.core.errors import InvalidMessageError
from simulator.story.durations import Seconds

NAME = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"
PATH = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?/[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"

NodeName = Annotated[str, Field(pattern=NAME, description="A node: node-3")]
Path = Annotated[str, Field(pattern=PATH, description="namespace/name: shop/web")]


class Model(BaseModel):
    """Of a scenario: an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FaultSpec(Model):
    """What goes wrong with a workload's first container."""

    kind: Literal["crash", "oom", "image", "unready"] = Field(
        description="crash: exits; oom: is killed for its memory; image: cannot be pulled; "
        "unready: its readiness probe never passes"
    )
    after: Seconds = Field(default=2.0, description="How long the container runs until then")
    exit_code: int = Field(default=1, ge=1, le=255)


class ContainerModel(Model):
    name: str = Field(default="main", pattern=NAME)
    image: str = "nginx:1.28"
    cpu: int = Field(default=100, ge=0, description="Request, in millicores")
    memory: int = Field(default=64, ge=0, description="Request, in MiB")


class WorkloadSpec(Model):
    """Something that makes pods."""

    kind: Literal["Deployment", "StatefulSet", "DaemonSet", "Job"] = "Deployment"
    namespace: str = Field(default="default", pattern=NAME)
    name: str = Field(pattern=NAME)
    replicas: int = Field(default=1, ge=0, description="Deployments and StatefulSets")
    containers: tuple[ContainerModel, ...] = Field(default=(ContainerModel(),), min_length=1)
    init: tuple[ContainerModel, ...] = Field(default=(), description="Init containers, one after another")
    sidecars: tuple[ContainerModel, ...] = Field(
        default=(), description="Init containers that stay (restartPolicy: Always)"
    )
    labels: dict[str, str] = Field(default={}, description="Besides app: NAME")
    grace: int = Field(default=30, ge=0, description="terminationGracePeriodSeconds")
    toleration: int = Field(default=300, ge=0, description="Seconds that pods stay on an unreachable node")
    node_selector: dict[str, str] = {}
    startup: tuple[Seconds, Seconds] = Field(default=(1.0, 3.0), description="From running to ready")
    init_time: tuple[Seconds, Seconds] = Field(
        default=(1.0, 3.0), description="How long an init container runs"
    )
    stop_time: tuple[Seconds, Seconds] = Field(default=(0.5, 2.0), description="From SIGTERM to the exit")
    run_time: tuple[Seconds, Seconds] | None = Field(default=None, description="Until it completes (Jobs)")
    max_surge: int | Annotated[str, Field(pattern=r"^\d+%$")] = "25%"
    max_unavailable: int | Annotated[str, Field(pattern=r"^\d+%$")] = "25%"
    completions: int = Field(default=1, ge=1, description="Jobs")
    parallelism: int = Field(default=1, ge=1, description="Jobs")
    backoff_limit: int = Field(default=6, ge=0, description="Jobs: failures until it gives up")
    ttl: Seconds | None = Field(default=None, description="Jobs: how long they are kept once finished")
    restart: Literal["Never", "OnFailure"] = Field(default="Never", description="Jobs")
    fault: FaultSpec | None = None


class Action(Model):
    """The common part."""

    do: str
    at: Seconds = Field(default=0.0, description="When, from the start of the scenario")
    every: Seconds | None = Field(default=None, gt=0, description="Again and again, so long after each other")


class KillNode(Action):
    """The kubelet dies without a word; after 40 s the node is Unknown, and later its pods move."""

    do: Literal["kill-node"]
    target: NodeName


class ReviveNode(Action):
    """A kubelet that was killed, or a node that was not ready, comes back."""

    do: Literal["revive-node"]
    target: NodeName


class FailNode(Action):
    """The kubelet says that its container runtime is down: NotReady."""

    do: Literal["fail-node"]
    target: NodeName


class PressNode(Action):
    """The node runs out of memory: no new pods, evictions one after another. `relieve-node` ends it."""

    do: Literal["press-node"]
    target: NodeName


class RelieveNode(Action):
    do: Literal["relieve-node"]
    target: NodeName


class RemoveNode(Action):
    """The node object is deleted; about a minute later what ran there is swept up."""

    do: Literal["remove-node"]
    target: NodeName


class AddNodes(Action):
    """New nodes join, in the zones in turn."""

    do: Literal["add-nodes"]
    count: int = Field(default=1, ge=1, le=10_000)


class Cordon(Action):
    do: Literal["cordon"]
    target: NodeName


class Uncordon(Action):
    do: Literal["uncordon"]
    target: NodeName


class Drain(Action):
    """Cordon it and evict all but its daemons."""

    do: Literal["drain"]
    target: NodeName


class UpgradeNodes(Action):
    """Drain, reboot into another kubelet version and uncordon every worker, `parallel` at a time."""

    do: Literal["upgrade-nodes"]
    version: str = Field(default="v1.37.0", pattern=r"^v\d+\.\d+\.\d+$")
    parallel: int = Field(default=1, ge=1)
    reboot: Seconds = Field(default=30.0, description="How long a node is away")


class KillZone(Action):
    """All kubelets of a zone die at once."""

    do: Literal["kill-zone"]
    target: NodeName


class ReviveZone(Action):
    do: Literal["revive-zone"]
    target: NodeName


class Scale(Action):
    """A Deployment or a StatefulSet gets another number of replicas, at once or evenly over a while."""

    do: Literal["scale"]
    target: Path
    replicas: int = Field(ge=0)
    over: Seconds = Field(default=0.0, description="In steps of 15 s, as an autoscaler takes them")


class RollOut(Action):
    """A new template: another image, and perhaps one that is broken."""

    do: Literal["roll-out"]
    target: Path
    image: str
    container: str = Field(default="", description="The first one when empty")
    fault: FaultSpec | None = None


class RollBack(Action):
    """Back to the revision before."""

    do: Literal["roll-back"]
    target: Path


class Restart(Action):
    """`kubectl rollout restart`: the same template, new pods."""

    do: Literal["restart"]
    target: Path


class Break(Action):
    """The containers of a workload that runs begin to fail, though nobody changed it."""

    do: Literal["break"]
    target: Path
    fault: FaultSpec = FaultSpec(kind="crash")


class Heal(Action):
    """What `break` did ends: the next restart succeeds."""

    do: Literal["heal"]
    target: Path


class Create(Action):
    """A new workload (and its namespace, if there is none)."""

    do: Literal["create"]
    workload: WorkloadSpec


class Delete(Action):
    """A workload is deleted with its pods."""

    do: Literal["delete"]
    target: Path


class DeletePod(Action):
    """`kubectl delete pod`."""

    do: Literal["delete-pod"]
    target: Path


class CreateNamespace(Action):
    do: Literal["create-namespace"]
    target: NodeName


class DeleteNamespace(Action):
    """The namespace and all that is in it."""

    do: Literal["delete-namespace"]
    target: NodeName


class LabelNode(Action):
    do: Literal["label-node"]
    target: NodeName
    key: str
    value: str


class SetChurn(Action):
    """Another rate of background churn, in events a second of simulated time."""

    do: Literal["set-churn"]
    rate: float = Field(ge=0, le=10_000)


AnyAction = Annotated[
    KillNode | ReviveNode | FailNode | PressNode | RelieveNode | RemoveNode | AddNodes | Cordon | Uncordon
    | Drain | UpgradeNodes | KillZone | ReviveZone | Scale | RollOut | RollBack | Restart | Break | Heal
    | Create | Delete | DeletePod | CreateNamespace | DeleteNamespace | LabelNode | SetChurn,
    Field(discriminator="do"),
]  # fmt: skip

_ADAPTER: TypeAdapter[Any] = TypeAdapter(AnyAction)


def parse_action(value: object) -> Action:
    """An action from outside. Raises InvalidMessageError that names the field, or says that it is no JSON.

    What Python reads as JSON is more than there is: numbers that are none and halves of characters, which no log takes.
    """
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, TypeError, RecursionError):
        raise InvalidMessageError(
            "That is no action of the simulation",
            "it has a number that is none or infinite, half of a character, or is nested too deep",
        ) from None
    try:
        action = _ADAPTER.validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"][1:]) or "do"
        raise InvalidMessageError("That is no action of the simulation", f"{where}: {first['msg']}") from None
    assert isinstance(action, Action)
    return action


def action_names() -> list[str]:
    """Every `do` there is, in the order of this page."""
    return list(_ADAPTER.json_schema()["discriminator"]["mapping"])
