"""What the HTTP reads answer, field by field (PROTOCOL 14, 32): the OpenAPI description is made of these, and the tests
hold every answer to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

from kstream.core.delivery.messages import Cluster, EventMessage, Mode
from kstream.core.timeline.health import ErrorCode
from kstream.core.timeline.shapes import Seq, Shape, Timestamp

Action: TypeAlias = Literal["ADDED", "MODIFIED", "DELETED"]
Kind: TypeAlias = Literal["pod", "node", "namespace"]
Count: TypeAlias = Annotated[int, Meta(ge=0)]
Cursor: TypeAlias = Annotated[
    str | None, Meta(description="Goes into the next request as it is; null at the end.")
]


class Answer(msgspec.Struct, frozen=True, tag_field="type"):
    """An answer that says what it is."""


class RefusalError(Shape, frozen=True):
    code: Annotated[str, Meta(description="One of docs/protocol.md, Error codes.")]
    message: str
    details: Annotated[str, Meta(description="Names what is wrong, and what to say instead.")]


class Refusal(Shape, frozen=True):
    """The body of every refusal."""

    error: RefusalError


class Moment(Shape, frozen=True):
    """Right after event `seq`."""

    seq: Seq
    time: Timestamp


class FieldChange(Shape, frozen=True):
    path: Annotated[str, Meta(description="`status`, `containers[main].restartCount`.")]
    before: Annotated[Any, Meta(description="null where there was no such field.")]
    after: Annotated[Any, Meta(description="null where there is none any more.")]


class ObjectChange(Shape, frozen=True):
    action: Action
    kind: Kind
    namespace: Annotated[str, Meta(description="Empty for what is in none.")]
    name: str
    uid: str
    changes: Annotated[list[FieldChange], Meta(description="Empty where it was ADDED or DELETED.")]


class Diff(Answer, frozen=True, tag="diff"):
    """Which objects came, went and changed, and in what, by path."""

    from_: Moment = msgspec.field(name="from")
    to: Moment
    changes: list[ObjectChange]


class Events(Answer, frozen=True, tag="events"):
    """What happened, as the messages of the socket."""

    cursor: Cursor
    data: list[EventMessage]


class EventsEnd(Answer, frozen=True, tag="end"):
    """The last line of what happened, where each event is a line."""

    cursor: Cursor


class Version(Shape, frozen=True):
    """One change of an object."""

    seq: Seq
    time: Timestamp
    action: Action
    uid: str
    version: Annotated[str, Meta(description="The resourceVersion.")]
    changes: Annotated[list[FieldChange], Meta(description="Empty where it was ADDED or DELETED.")]


class History(Answer, frozen=True, tag="history"):
    """What happened to one object."""

    uid: str
    cursor: Cursor
    versions: list[Version]
    kind: Kind | UnsetType = UNSET
    namespace: str | UnsetType = UNSET
    name: str | UnsetType = UNSET


class Bucket(Shape, frozen=True):
    """Part of a span; its beginning is left out."""

    from_: Timestamp = msgspec.field(name="from")
    to: Timestamp
    first: Annotated[Seq | None, Meta(description="Its first event; null where nothing happened.")]
    last: Annotated[Seq | None, Meta(description="Its last event; null where nothing happened.")]
    counts: Annotated[
        Mapping[str, Mapping[str, Count]], Meta(description="Of `pods`, `nodes`, `namespaces`: by action.")
    ]
    worse: Annotated[Count, Meta(description="Objects that became bad.")]
    better: Annotated[Count, Meta(description="Objects that were bad, and are no more.")]
    bad: Annotated[Count, Meta(description="Objects that are bad at its end.")]


class Timeline(Answer, frozen=True, tag="timeline"):
    """How much happened, and how much was bad."""

    from_: Moment = msgspec.field(name="from")
    to: Moment
    buckets: list[Bucket]


class Interval(Shape, frozen=True):
    """From when to when a condition was true of an object."""

    kind: Kind
    namespace: Annotated[str, Meta(description="Empty for what is in none.")]
    name: str
    uid: str
    from_: Moment = msgspec.field(name="from")
    until: Annotated[Moment | None, Meta(description="null where it was still true at the end.")]
    earlier: Annotated[bool, Meta(description="It was true already where the span begins.")]


class Undecided(Shape, frozen=True):
    """Objects of which the condition could not be told."""

    count: Count
    why: str


class When(Answer, frozen=True, tag="when"):
    """Intervals, with the events that prove them."""

    from_: Moment = msgspec.field(name="from")
    to: Moment
    intervals: list[Interval]
    more: Annotated[Count, Meta(description="Intervals that are left out.")]
    undecided: Undecided
    cursor: Cursor


class StatusFault(Shape, frozen=True):
    """What is wrong and lasts."""

    fault: str
    code: ErrorCode
    message: str
    details: str
    stale: Annotated[bool, Meta(description="Something of what is shown does not follow the cluster.")]


class StreamStatus(Shape, frozen=True):
    """One watch of a live cluster; times are seconds since the Unix epoch, 0 for never."""

    stream: str
    state: Literal["listing", "watching", "waiting", "denied"]
    last_byte: float
    last_event: float
    version: Annotated[str, Meta(description="The resourceVersion it would watch on from.")]
    objects: Count
    events: Count
    suppressed: Count
    lists: Count
    restarts: Count
    failures: Annotated[Count, Meta(description="In a row.")]
    lag: Annotated[float, Meta(description="Seconds from the socket to the commit.")]


class Status(Shape, frozen=True):
    """Where the timeline is, and how fresh."""

    epoch: str
    term: str
    seq: Seq
    oldest: Annotated[Count, Meta(description="The first event that is kept.")]
    dropped: Annotated[Count, Meta(description="Events that retention has dropped.")]
    source: Mode
    protocol: Annotated[int, Meta(description="The version of the protocol.")]
    cluster: Cluster
    synced: bool
    stale: bool
    clients: Count
    timelines: Count
    recorded: Count
    suppressed: Count
    faults: list[StatusFault]
    streams: Annotated[list[StreamStatus] | UnsetType, Meta(description="Of a live cluster.")] = UNSET
    streams_left_out: Annotated[
        Mapping[str, Count] | UnsetType, Meta(description="Past the first thousand: how many in each state.")
    ] = UNSET
    scenario: Annotated[str | UnsetType, Meta(description="Of a simulation, as what follows.")] = UNSET
    seed: int | UnsetType = UNSET
    time: Timestamp | UnsetType = UNSET
    elapsed: Annotated[float | UnsetType, Meta(description="Simulated seconds.")] = UNSET
    paused: bool | UnsetType = UNSET
    speed: float | Literal["max"] | UnsetType = UNSET
    changes: Count | UnsetType = UNSET
    injected: Count | UnsetType = UNSET


class Program(Shape, frozen=True):
    """What serves here."""

    name: str
    version: str
    protocol: Annotated[int, Meta(description="The version of the protocol.")]
