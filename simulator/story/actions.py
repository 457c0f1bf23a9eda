"""The vocabulary of what can be done to the cluster: in a scenario's timeline, and while it runs.

Every action has `do` and most have a `target`: a node (`node-3`), a workload (`shop/web`), a pod (`shop/web-1`),
a zone or a namespace.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from kstream.core.errors import InvalidMessageError
from kstream.core.wording import foremost, worded
from simulator.cluster import bounds
from simulator.story.fields import (
    Image,
    LabelKey,
    LabelValue,
    Model,
    Name,
    NodeName,
    Path,
    Seconds,
    Version,
)
from simulator.story.workloads import FaultSpec, WorkloadSpec


class Action(Model):
    """The common part."""

    do: str
    at: Seconds = Field(default=0.0, description="When, from the start of the scenario")
    every: Seconds | None = Field(
        default=None, ge=bounds.EVERY, description="Again and again, so long after each other: 1s at least"
    )


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
    count: int = Field(default=1, ge=1, le=bounds.NODES)


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
    version: Version = "v1.37.0"
    parallel: int = Field(default=1, ge=1, le=bounds.NODES)
    reboot: Seconds = Field(default=30.0, description="How long a node is away")


class KillZone(Action):
    """All kubelets of a zone die at once."""

    do: Literal["kill-zone"]
    target: Name


class ReviveZone(Action):
    do: Literal["revive-zone"]
    target: Name


class Scale(Action):
    """A Deployment or a StatefulSet gets another number of replicas, at once or evenly over a while."""

    do: Literal["scale"]
    target: Path
    replicas: int = Field(ge=0, le=bounds.REPLICAS)
    over: Seconds = Field(
        default=0.0, le=bounds.OVER, description="In steps of 15 s, as an autoscaler takes them; 24h at most"
    )


class RollOut(Action):
    """A new template: another image, and perhaps one that is broken."""

    do: Literal["roll-out"]
    target: Path
    image: Image
    container: Name | Literal[""] = Field(default="", description="The first one when empty")
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
    target: Name


class DeleteNamespace(Action):
    """The namespace and all that is in it."""

    do: Literal["delete-namespace"]
    target: Name


class LabelNode(Action):
    do: Literal["label-node"]
    target: NodeName
    key: LabelKey
    value: LabelValue


class SetChurn(Action):
    """Another rate of background churn, in events a second of simulated time."""

    do: Literal["set-churn"]
    rate: float = Field(ge=0, le=bounds.CHURN)


AnyAction = Annotated[
    KillNode | ReviveNode | FailNode | PressNode | RelieveNode | RemoveNode | AddNodes | Cordon | Uncordon
    | Drain | UpgradeNodes | KillZone | ReviveZone | Scale | RollOut | RollBack | Restart | Break | Heal
    | Create | Delete | DeletePod | CreateNamespace | DeleteNamespace | LabelNode | SetChurn,
    Field(discriminator="do"),
]  # fmt: skip

_NONE = "That is no action of the simulation"
_ADAPTER: TypeAdapter[Any] = TypeAdapter(AnyAction)


def parse_action(value: object) -> Action:
    """An action from outside, every field within its bounds. Raises InvalidMessageError that names the field, or says
    that it is no JSON.

    What Python reads as JSON is more than there is: numbers that are none and halves of characters, which no log takes.
    """
    if _depth(value) > bounds.ACTION_DEPTH:
        raise InvalidMessageError(_NONE, f"it is nested more than {bounds.ACTION_DEPTH} deep")
    try:
        size = len(json.dumps(value, ensure_ascii=False, allow_nan=False).encode())
    except (ValueError, TypeError):
        raise InvalidMessageError(
            _NONE, "it has a number that is none or infinite, or half of a character"
        ) from None
    if size > bounds.ACTION_BYTES:
        raise InvalidMessageError(_NONE, f"it is larger than {bounds.ACTION_BYTES} bytes")
    try:
        action = _ADAPTER.validate_python(value)
    except ValidationError as error:
        first = foremost(error.errors())
        where = ".".join(str(part) for part in first["loc"][1:]) or "do"
        raise InvalidMessageError(_NONE, f"{where:.100}: {worded(first):.1000}") from None
    assert isinstance(action, Action)
    return action


def _depth(value: object) -> int:
    """How deep it is nested, as far as that matters: no further than the bound, whatever is in it."""
    depth, level = 0, [value]
    while level and depth <= bounds.ACTION_DEPTH:
        depth += 1
        inner = (
            one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list)
        )
        level = [one for values in inner for one in values if isinstance(one, dict | list)]
    return depth


def action_names() -> list[str]:
    """Every `do` there is, in the order of this page."""
    return list(_ADAPTER.json_schema()["discriminator"]["mapping"])
