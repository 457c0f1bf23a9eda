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


class PodDeleted(Message, frozen=True, gc=False, tag="pod_event"):
    """A pod is gone, or the filter no longer lets it through."""

    action: Literal["DELETED"]
    seq: Seq
    data: DeletedPod
    timestamp: Timestamp


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


NodeEventMessage: TypeAlias = NodeChanged | NodeDeleted
PodEventMessage: TypeAlias = PodChanged | PodDeleted
NamespaceEventMessage: TypeAlias = NamespaceChanged | NamespaceDeleted
EventMessage: TypeAlias = NodeEventMessage | PodEventMessage | NamespaceEventMessage


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
    "EventMessage": EventMessage,
    "ServerMessage": ServerMessage,
}
"""The unions by their names, which Python forgets; the narrow ones first."""
