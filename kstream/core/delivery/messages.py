"""What a server says, field by field: the messages of PROTOCOL 1 to 8 and 27.

The small ones are encoded as these, and the schemas are made of all of them (docs/schemas.md); what a client may say is
in wire.py.

The order of the fields is that of the bytes.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

from kstream.core.timeline.health import ErrorCode
from kstream.core.timeline.shapes import (
    Deleted,
    DeletedPod,
    Namespace,
    Node,
    Owner,
    Pod,
    Seq,
    Shape,
    Timestamp,
)

Mode: TypeAlias = Literal["live", "replay", "simulate"]
"""Where a timeline comes from."""
AsOf = Annotated[
    Timestamp,
    Meta(
        description="Up to when what the client has is known to be complete; left out while that is not known."
    ),
]


Number = Annotated[int, Meta(ge=0, description="By which a map knows a pod; never that of another.")]


class Message(msgspec.Struct, frozen=True, gc=False, tag_field="type"):
    """A message of a server; `type` comes first and says which."""


class Cluster(Shape, frozen=True, gc=False):
    name: str
    version: str


class RateLimits(Shape, frozen=True, gc=False):
    """How much a client is sent at most, and may send."""

    messagesPerMinute: int  # noqa: N815 - the protocol's spelling
    burst: int


class ConnectionMessage(Message, frozen=True, gc=False, tag="connection"):
    """The first of a connection, and again when the source is lost, is found, or becomes known."""

    status: Annotated[
        Literal["connected", "reconnecting"],
        Meta(description="`reconnecting`: something of what is shown does not follow the cluster."),
    ]
    timestamp: Timestamp
    cluster: Cluster
    epoch: Annotated[str, Meta(description="The id of the event log.")]
    term: Annotated[str, Meta(description="Who writes the log now; resumes are asked for with it.")]
    source: Mode
    protocol: Annotated[int, Meta(description="The version of the protocol.")]
    resumed: Annotated[
        bool | UnsetType, Meta(description="In the first one: what was missed follows, and no state.")
    ] = UNSET
    reason: Annotated[str | UnsetType, Meta(description="Why a resume was refused.")] = UNSET
    limits: Annotated[RateLimits | UnsetType, Meta(description="In the first one.")] = UNSET


class State(Shape, frozen=True, gc=False):
    """All that a filter lets through."""

    nodes: list[Node]
    pods: list[Pod]
    namespaces: list[Namespace]


class InitialStateMessage(Message, frozen=True, gc=False, tag="initial_state"):
    """The whole state: what was known before is replaced."""

    data: State
    timestamp: Timestamp
    seq: Annotated[
        Seq | UnsetType, Meta(description="The last event that it contains; a state that is cut has none.")
    ] = UNSET
    id: Annotated[str | int | UnsetType, Meta(description="That of the `subscribe` that it answers.")] = UNSET


class NodeChanged(Message, frozen=True, gc=False, tag="node_event"):
    """A node, as a whole."""

    action: Literal["ADDED", "MODIFIED"]
    seq: Seq
    data: Node
    timestamp: Timestamp


class NodeDeleted(Message, frozen=True, gc=False, tag="node_event"):
    """A node is gone."""

    action: Literal["DELETED"]
    seq: Seq
    data: Deleted
    timestamp: Timestamp


class PodChanged(Message, frozen=True, gc=False, tag="pod_event"):
    """A pod, as a whole."""

    action: Literal["ADDED", "MODIFIED"]
    seq: Seq
    data: Pod
    timestamp: Timestamp
    number: Annotated[Number | UnsetType, Meta(description="On a map: the pod is looked at.")] = UNSET


class PodDeleted(Message, frozen=True, gc=False, tag="pod_event"):
    """A pod is gone, or the filter no longer lets it through."""

    action: Literal["DELETED"]
    seq: Seq
    data: DeletedPod
    timestamp: Timestamp
    number: Annotated[Number | UnsetType, Meta(description="On a map: the pod is looked at.")] = UNSET


class NamespaceChanged(Message, frozen=True, gc=False, tag="namespace_event"):
    """A namespace, as a whole."""

    action: Literal["ADDED", "MODIFIED"]
    seq: Seq
    data: Namespace
    timestamp: Timestamp


class NamespaceDeleted(Message, frozen=True, gc=False, tag="namespace_event"):
    """A namespace is gone."""

    action: Literal["DELETED"]
    seq: Seq
    data: Deleted
    timestamp: Timestamp


class ThinPod(Shape, frozen=True, gc=False):
    """What a map shows of a pod."""

    number: Number
    namespace: str
    name: str
    nodeName: str | None  # noqa: N815 - the contract's spelling
    phase: str
    status: str
    ready: Annotated[int, Meta(ge=0, description="Containers that are ready.")]
    containers: Annotated[int, Meta(ge=0)]
    restarts: Annotated[int, Meta(ge=0, description="Of all its containers.")]
    owner: Owner | None


class Numbered(Shape, frozen=True, gc=False):
    """A pod of a map that is gone."""

    number: Number


class MapChanged(Message, frozen=True, gc=False, tag="map_event"):
    """A pod, as far as a map shows it."""

    action: Literal["ADDED", "MODIFIED"]
    seq: Seq
    data: ThinPod
    timestamp: Timestamp


class MapDeleted(Message, frozen=True, gc=False, tag="map_event"):
    """A pod is gone from a map."""

    action: Literal["DELETED"]
    seq: Seq
    data: Numbered
    timestamp: Timestamp


class PodGroup(Shape, frozen=True, gc=False):
    """Pods whose names begin alike."""

    namespace: str
    prefix: Annotated[str, Meta(description="Of their names: the rest of each comes in `map_names`.")]
    owner: Owner | None


class Standing(Shape, frozen=True, gc=False):
    """How pods are that are alike in it."""

    phase: str
    status: str
    ready: Annotated[int, Meta(ge=0)]
    containers: Annotated[int, Meta(ge=0)]
    restarts: Annotated[int, Meta(ge=0)]


class PodColumns(Shape, frozen=True, gc=False):
    """Pods as columns of equal length, a pod a place. `number`, `group` and `node` are steps: each is the difference to
    the one before it, the first that to 0."""

    groups: list[PodGroup]
    nodeNames: list[str | None]  # noqa: N815 - the contract's spelling
    standings: list[Standing]
    number: list[int]
    group: Annotated[list[int], Meta(description="Steps of places in `groups`.")]
    node: Annotated[list[int], Meta(description="Steps of places in `nodeNames`.")]
    standing: Annotated[list[int], Meta(description="Places in `standings`.")]


class Map(Shape, frozen=True, gc=False):
    """All that a filter lets through, pods as a map shows them."""

    nodes: list[Node]
    namespaces: list[Namespace]
    pods: PodColumns


class MapStateMessage(Message, frozen=True, gc=False, tag="map_state"):
    """The state of a map, but for the names of its pods: what was known before is replaced."""

    numbers: Annotated[str, Meta(description="Whose the numbers are; resumes are asked for with it.")]
    data: Map
    timestamp: Timestamp
    id: Annotated[str | int | UnsetType, Meta(description="That of the `subscribe` that it answers.")] = UNSET


class MapPodsMessage(Message, frozen=True, gc=False, tag="map_pods"):
    """More pods of a `map_state`."""

    data: PodColumns
    timestamp: Timestamp


class MapNamesMessage(Message, frozen=True, gc=False, tag="map_names"):
    """The rest of the names of the pods of a `map_state` and its `map_pods`, in their order."""

    start: Annotated[int, Meta(ge=0, description="The place of the first of them among all pods.")]
    names: Annotated[str, Meta(description="With a space between two.")]
    timestamp: Timestamp
    seq: Annotated[Seq | UnsetType, Meta(description="Only the last part has it: the state is whole.")] = (
        UNSET
    )


class LookedPod(Shape, frozen=True, gc=False):
    number: Number
    data: Pod


class LookedMessage(Message, frozen=True, gc=False, tag="looked"):
    """Answers a `look`: these pods are told as a whole from now on."""

    seq: Annotated[Seq, Meta(description="Of these pods all is told up to here.")]
    pods: list[LookedPod]
    gone: Annotated[list[Number], Meta(description="Numbers of no pod that is there and may be seen.")]
    timestamp: Timestamp
    id: Annotated[str | int | UnsetType, Meta(description="That of the `look`.")] = UNSET


NodeEventMessage: TypeAlias = NodeChanged | NodeDeleted
PodEventMessage: TypeAlias = PodChanged | PodDeleted
NamespaceEventMessage: TypeAlias = NamespaceChanged | NamespaceDeleted
MapEventMessage: TypeAlias = MapChanged | MapDeleted
EventMessage: TypeAlias = NodeEventMessage | PodEventMessage | NamespaceEventMessage | MapEventMessage


class BatchMessage(Message, frozen=True, gc=False, tag="batch"):
    """Events that waited, in the order of the log, at most one for an object."""

    data: list[EventMessage]
    timestamp: Timestamp
    seq: Annotated[
        Seq | UnsetType, Meta(description="All up to here is covered; only the last of several parts has it.")
    ] = UNSET


class Metrics(Shape, frozen=True, gc=False):
    """Counts over the whole cluster, whatever the filter."""

    totalNodes: int  # noqa: N815 - the contract's spelling
    readyNodes: int  # noqa: N815 - the contract's spelling
    totalPods: int  # noqa: N815 - the contract's spelling
    runningPods: int  # noqa: N815 - the contract's spelling
    pendingPods: int  # noqa: N815 - the contract's spelling
    failedPods: int  # noqa: N815 - the contract's spelling


class MetricsMessage(Message, frozen=True, gc=False, tag="metrics"):
    """Now and then."""

    data: Metrics
    timestamp: Timestamp
    asOf: AsOf | UnsetType = UNSET  # noqa: N815 - the protocol's spelling


class ServerError(Shape, frozen=True, gc=False):
    """What is wrong, for a person to read."""

    code: ErrorCode
    message: str
    details: str
    fault: Annotated[
        str | UnsetType, Meta(description="It lasts until a `cleared` with the same; without it is a moment.")
    ] = UNSET
    retryAfter: Annotated[  # noqa: N815 - the protocol's spelling
        float | UnsetType, Meta(description="Seconds; with RATE_LIMITED.")
    ] = UNSET


class ErrorMessage(Message, frozen=True, gc=False, tag="error"):
    """Something is wrong."""

    error: ServerError
    timestamp: Timestamp


class ClearedMessage(Message, frozen=True, gc=False, tag="cleared"):
    """What the `error` with this `fault` told is over."""

    fault: str
    timestamp: Timestamp


class PongMessage(Message, frozen=True, gc=False, tag="pong"):
    """Answers a `ping`."""

    timestamp: Annotated[str, Meta(description="That of the ping, as it was; the server's time without one.")]
    asOf: AsOf | UnsetType = UNSET  # noqa: N815 - the protocol's spelling


class Playback(Shape, frozen=True, gc=False):
    """How a timeline is played."""

    state: Literal["playing", "paused", "ended", "live"]
    speed: float | Literal["max"]
    at: Timestamp
    start: Timestamp
    end: Timestamp
    id: Annotated[
        str | UnsetType,
        Meta(description="Of a private timeline: others ride on it with `follow=ID`."),
    ] = UNSET


class PlaybackMessage(Message, frozen=True, gc=False, tag="playback"):
    """The timeline was paused, moved, or changed its speed."""

    data: Playback
    timestamp: Timestamp


ServerMessage: TypeAlias = (
    ConnectionMessage
    | InitialStateMessage
    | MapStateMessage
    | MapPodsMessage
    | MapNamesMessage
    | LookedMessage
    | EventMessage
    | BatchMessage
    | MetricsMessage
    | ErrorMessage
    | ClearedMessage
    | PongMessage
    | PlaybackMessage
)

UNIONS: Final = {
    "NodeEventMessage": NodeEventMessage,
    "PodEventMessage": PodEventMessage,
    "NamespaceEventMessage": NamespaceEventMessage,
    "MapEventMessage": MapEventMessage,
    "EventMessage": EventMessage,
    "ServerMessage": ServerMessage,
}
"""The unions by their names, which Python forgets; the narrow ones first."""
