"""What a node, a pod and a namespace are to clients, field by field (PROTOCOL 9 to 11, 31).

Bodies are encoded as these, and the schemas are made of them (docs/schemas.md).

The order of the fields is that of the bytes: equal resources are equal bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

Timestamp = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
"""RFC 3339, UTC."""
Seq = Annotated[int, Meta(ge=0, description="The number of an event in the log.")]


class Shape(msgspec.Struct, frozen=True, gc=False):
    """An object of the protocol: its fields, and no others."""


class NodeCondition(Shape, frozen=True, gc=False):
    type: str
    status: str
    reason: str
    message: str


class Capacity(Shape, frozen=True, gc=False):
    """What a node offers; "0m", "0", "0" before it has said."""

    cpu: Annotated[str, Meta(description="In millicores: `4000m`.")]
    memory: Annotated[str, Meta(description="In the largest binary unit that is exact: `8Gi`.")]
    pods: str


class Node(Shape, frozen=True, gc=False):
    name: str
    uid: str
    status: Annotated[
        str,
        Meta(description="`Ready`, `NotReady` or `Unknown`, with `,SchedulingDisabled` when cordoned."),
    ]
    role: Annotated[str, Meta(description="Its roles, joined by commas; `worker` where it has none.")]
    capacity: Capacity
    conditions: list[NodeCondition]
    labels: Mapping[str, str]
    creationTimestamp: Timestamp | None  # noqa: N815 - the contract's spelling


class Container(Shape, frozen=True, gc=False):
    name: str
    image: Annotated[str, Meta(description="As in the spec of the pod.")]
    ready: bool
    restartCount: int  # noqa: N815 - the protocol's spelling
    state: Literal["running", "waiting", "terminated"]
    reason: Annotated[str | None, Meta(description="Why it is in that state; null where there is no reason.")]


class Owner(Shape, frozen=True, gc=False):
    kind: str
    name: str


class Pod(Shape, frozen=True, gc=False):
    name: str
    uid: str
    namespace: str
    nodeName: Annotated[  # noqa: N815 - the contract's spelling
        str | None, Meta(description="null until it is scheduled.")
    ]
    phase: str
    status: Annotated[str, Meta(description="The STATUS column of `kubectl get pods`.")]
    containers: Annotated[list[Container], Meta(description="Those that kubectl's READY column counts.")]
    labels: Mapping[str, str]
    creationTimestamp: Timestamp | None  # noqa: N815 - the contract's spelling
    owner: Annotated[
        Owner | UnsetType | None,
        Meta(
            description="Its controller, null where it has none; a Deployment stands for its ReplicaSets. "
            "Not in recordings made before it was told."
        ),
    ] = UNSET


class Namespace(Shape, frozen=True, gc=False):
    name: str
    uid: str
    status: Annotated[str, Meta(description="`Active` or `Terminating`.")]
    podCount: Annotated[  # noqa: N815 - the contract's spelling
        Annotated[int, Meta(ge=0)] | UnsetType,
        Meta(description="Of the pods that are shown. Left out where `kinds` has no pods."),
    ] = UNSET


class Deleted(Shape, frozen=True, gc=False):
    """A node or a namespace that is gone."""

    uid: str
    name: str


class DeletedPod(Shape, frozen=True, gc=False):
    """A pod that is gone, or no longer matches."""

    uid: str
    name: str
    namespace: str
