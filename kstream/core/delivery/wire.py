"""The messages: byte encoders for what goes out, pydantic models for what comes in.

What goes out is a prefix, a stored body and a suffix: no JSON encoder and no model on the way out, except for the
few small messages of a connection.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, Self

import msgspec
from msgspec import UNSET, UnsetType
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from kstream.core.delivery import messages
from kstream.core.delivery.limits import MAX_TAKEN, Limits
from kstream.core.delivery.messages import Mode
from kstream.core.errors import InvalidMessageError
from kstream.core.timeline.events import Event, Kind, Verb
from kstream.core.timeline.health import ClusterInfo, Fault
from kstream.core.timeline.state import Counts
from kstream.core.timeline.timepoint import timestamp
from kstream.core.wording import worded

MAX_MESSAGE = 10_000_000  # bytes of one message: "Max message size: 10MB"
MAX_LOOKS = 200  # pods of a map that a client looks at: what a person has open
PROTOCOL_VERSION = (
    1  # what is only added keeps it; clients are told, and say so where it is not theirs (PROTOCOL 3)
)

_encode = msgspec.json.Encoder().encode


_PREFIX = {
    (kind, verb): f'{{"type":"{kind}_event","action":"{verb}","seq":'.encode()
    for kind in Kind
    for verb in Verb
}


def event(item: Event, verb: Verb | None = None, *, number: int | None = None) -> bytes:
    """A `node_event`, `pod_event` or `namespace_event`; `verb` instead of its own where events were joined. `number`:
    that of the pod, for one who looks at it on a map."""
    change = item.change
    return b'%b%d,%b"data":%b,"timestamp":"%b"}' % (
        _PREFIX[change.key.kind, verb or change.verb],
        item.seq,
        b"" if number is None else b'"number":%d,' % number,
        change.body,
        timestamp(change.time).encode(),
    )


def around(kind: Kind, verb: Verb, *, seq: int, time: float) -> tuple[bytes, bytes]:
    """What comes before and after the body in `event`: many of one kind and number are joined with it at once."""
    return (
        b'%b%d,"data":' % (_PREFIX[kind, verb], seq),
        b',"timestamp":"%b"}' % timestamp(time).encode(),
    )


def batch(messages: Iterable[bytes], *, seq: int | None, time: float) -> bytes:
    """A `batch` of event messages (PROTOCOL 6); `seq` only where all up to it is covered."""
    number = b"" if seq is None else b'"seq":%d,' % seq
    return b'{"type":"batch",%b"data":[%b],"timestamp":"%b"}' % (
        number,
        b",".join(messages),
        timestamp(time).encode(),
    )


def batches(messages: Sequence[bytes], *, seq: int, time: float) -> list[bytes]:
    """As few batches as MAX_MESSAGE allows; only the last carries `seq`, since only then all is covered.

    `time`: seconds since the Unix epoch."""
    room = MAX_MESSAGE - 200
    parts: list[list[bytes]] = [[]]
    size = 0
    for message in messages:
        if size + len(message) + 1 > room and parts[-1]:
            parts.append([])
            size = 0
        parts[-1].append(message)
        size += len(message) + 1
    last = len(parts) - 1
    return [batch(part, seq=seq if number == last else None, time=time) for number, part in enumerate(parts)]


def connection(
    *,
    status: Literal["connected", "reconnecting"],
    cluster: ClusterInfo,
    epoch: str,
    term: str,
    source: Mode,
    time: float,
    resumed: bool | None = None,
    reason: str | None = None,
    limits: Limits | None = None,
) -> bytes:
    """The first message of a connection, and what tells that the source was lost or found (PROTOCOL 3).

    `time`: seconds since the Unix epoch."""
    return _encode(
        messages.ConnectionMessage(
            status=status,
            timestamp=timestamp(time),
            cluster=messages.Cluster(cluster.name, cluster.version),
            epoch=epoch,
            term=term,
            source=source,
            protocol=PROTOCOL_VERSION,
            resumed=UNSET if resumed is None else resumed,
            reason=UNSET if reason is None else reason,
            limits=UNSET if limits is None else messages.RateLimits(limits.per_minute, limits.burst),
        )
    )


def metrics(counts: Counts, *, time: float, as_of: float | None) -> bytes:
    """`as_of`: up to when the state of whoever gets it is known to be complete (PROTOCOL 29)."""
    return _encode(messages.MetricsMessage(messages.Metrics(*counts), timestamp(time), _as_of(as_of)))


def error(fault: Fault, *, time: float, retry_after: float | None = None) -> bytes:
    """An `error` as in the contract; `retryAfter` (seconds) goes with RATE_LIMITED, `fault` with what lasts until it is
    `cleared` (PROTOCOL 8)."""
    said = messages.ServerError(
        code=fault.code,
        message=fault.message,
        details=fault.details,
        fault=fault.subject or UNSET,
        retryAfter=UNSET if retry_after is None else round(retry_after, 3),
    )
    return _encode(messages.ErrorMessage(said, timestamp(time)))


def cleared(subject: str, *, time: float) -> bytes:
    """What the `error` with this `fault` told is over (PROTOCOL 8)."""
    return _encode(messages.ClearedMessage(subject, timestamp(time)))


def pong(echo: str, *, as_of: float | None) -> bytes:
    """`as_of` as in `metrics`."""
    return _encode(messages.PongMessage(echo, _as_of(as_of)))


def _as_of(time: float | None) -> str | UnsetType:
    return UNSET if time is None else timestamp(time)


def playback(data: Mapping[str, Any], *, time: float) -> bytes:
    """How the timeline is played (PROTOCOL 27); `time`: seconds since the Unix epoch."""
    return _encode({"type": "playback", "data": data, "timestamp": timestamp(time)})


class Ping(BaseModel):
    """`timestamp` is echoed as it is; a client may leave it out."""

    type: Literal["ping"]
    timestamp: str | None = Field(default=None, max_length=100)


SubscribeId = str | int | None

_EXACT = 2**53 - 1  # JavaScript counts no further
_ID = {
    "anyOf": [
        {"type": "string", "maxLength": 100},
        {"type": "integer", "minimum": -_EXACT, "maximum": _EXACT},
        {"type": "null"},
    ]
}


_SAYS_NOTHING = "says_nothing"
_SAYS_SOMETHING: list[JsonValue] = [
    {"required": [name]} for name in ("namespaces", "kinds", "labels", "detail")
]


def _checked_id(value: object) -> object:
    if value is None or (isinstance(value, str) and len(value) <= 100):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _EXACT:
        return value
    raise PydanticCustomError("id", "must be a text of at most 100 characters or a whole number")


class Subscribe(BaseModel):
    """The client's filter from now on (PROTOCOL 16, 30): what is left out, or empty, is no restriction.

    `id` comes back in the `initial_state` that answers.
    """

    model_config = ConfigDict(strict=True, json_schema_extra={"anyOf": _SAYS_SOMETHING})

    type: Literal["subscribe"]
    namespaces: list[str] | None = Field(default=None, max_length=10_000)
    kinds: list[str] | None = Field(default=None, max_length=10)
    labels: str | None = None
    detail: str | None = Field(default=None, max_length=100)
    id: Annotated[SubscribeId, BeforeValidator(_checked_id), WithJsonSchema(_ID)] = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if (self.namespaces, self.kinds, self.labels, self.detail) == (None, None, None, None):
            raise PydanticCustomError(
                _SAYS_NOTHING, "one of namespaces, kinds, labels and detail is due; [] is everything"
            )
        return self


class Look(BaseModel):
    """The pods of a map that are told as a whole from now on, instead of those before (PROTOCOL 33).

    `id` comes back in the `looked` that answers.
    """

    model_config = ConfigDict(strict=True)

    type: Literal["look"]
    pods: list[Annotated[int, Field(ge=0, le=_EXACT)]] = Field(max_length=MAX_LOOKS)
    id: Annotated[SubscribeId, BeforeValidator(_checked_id), WithJsonSchema(_ID)] = None


def encode_id(answers: str | int) -> bytes:
    return _encode(answers)


def _checked_speed(value: object) -> object:
    if value is None or value == "max":
        return value
    try:
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            return float(value)
    except (ValueError, OverflowError):
        pass  # it is told as whatever else is no number
    raise PydanticCustomError("speed", 'must be a number above 0, or "max"')


class PlaybackCommand(BaseModel):
    """What a client asks of its timeline (PROTOCOL 27)."""

    type: Literal["playback"]
    action: Literal["pause", "play", "seek", "step", "live"]
    speed: Annotated[float | Literal["max"] | None, BeforeValidator(_checked_speed)] = None
    at: str | None = Field(default=None, max_length=100)


ClientMessage = Ping | Subscribe | Look | PlaybackCommand

_client_message: TypeAdapter[ClientMessage] = TypeAdapter(
    Annotated[Ping | Subscribe | Look | PlaybackCommand, Field(discriminator="type")]
)


def parse(text: bytes) -> ClientMessage:
    """What a client sent, in UTF-8. Raises InvalidMessageError whose details name the field (PROTOCOL 8)."""
    if len(text) > MAX_TAKEN:
        raise InvalidMessageError(
            "The message is too long", f"It has {len(text)} bytes; at most {MAX_TAKEN} are looked at"
        )
    try:
        return _client_message.validate_json(text)
    except ValidationError as invalid:
        first = invalid.errors(include_url=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        raise InvalidMessageError("The message is not JSON", first["msg"])
    # The first part of the location is the type that the message claims to be.
    unsaid = "namespaces" if first["type"] == _SAYS_NOTHING else "type"
    place = ".".join(str(part) for part in first["loc"][1:]) or unsaid
    if first["type"] in ("union_tag_invalid", "union_tag_not_found"):
        raise InvalidMessageError(
            "The message is of an unknown type", "type: must be 'ping', 'subscribe', 'look' or 'playback'"
        )
    if first["type"] in ("model_attributes_type", "dict_type", "model_type"):
        raise InvalidMessageError(
            "The message is not a JSON object", 'Send an object with `type`, as {"type": "ping"}'
        )
    raise InvalidMessageError("A field of the message is wrong", f"{place}: {worded(first)}")
