"""A log as lines of JSON, and back: a header, the objects that it begins with, then an event a line.

The same log is the same bytes, always, and what is read of them is the same log again (docs/log-format.md).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Literal, NamedTuple

import msgspec

from kstream.core.errors import ConfigError
from kstream.core.timeline.events import Event, Kind, ObjectKey, Verb, WatchEvent
from kstream.core.timeline.health import ClusterInfo
from kstream.core.timeline.terms import Term

LONGEST: Final = 16 * 1024 * 1024  # bytes of a line
VERSION: Final = 1  # of these lines; another one is refused

_Seq = Annotated[int, msgspec.Meta(ge=1, le=2**62)]
_Count = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
# Seconds since the Unix epoch that have a date: of the years 1 to 9999.
_Time = Annotated[float, msgspec.Meta(ge=-62_135_596_800.0, lt=253_402_300_800.0)]


class Beginning(NamedTuple):
    """What the first line says: which history it is, and how many lines follow."""

    epoch: str
    cluster: ClusterInfo | None
    meta: Mapping[str, str]  # key → JSON text
    versions: Mapping[str, str]  # stream → the resourceVersion to watch on from
    terms: Sequence[Term]
    seq: int  # of the state that the events go on from; 0 for nothing
    time: float  # of that state, seconds since the Unix epoch
    objects: int  # lines of that state
    events: int  # lines after it


class _Start(msgspec.Struct, forbid_unknown_fields=True):
    seq: _Count
    time: _Time
    objects: _Count


class _Cluster(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    version: str
    uid: str


class _Term(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    first: _Seq


class _Header(msgspec.Struct, forbid_unknown_fields=True):
    kstream: Literal["log"]
    version: int
    epoch: str
    cluster: _Cluster | None
    meta: dict[str, msgspec.Raw]
    versions: dict[str, str]
    terms: list[_Term]
    start: _Start
    events: _Count


class _Version(msgspec.Struct):
    kstream: str = ""
    version: int = 0


class _Line(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    seq: _Seq
    time: _Time
    action: Verb
    kind: Kind
    namespace: str
    name: str
    uid: str
    version: str
    data: msgspec.Raw


_encode: Final = msgspec.json.Encoder().encode
_decode_version: Final = msgspec.json.Decoder(_Version).decode
_decode_header: Final = msgspec.json.Decoder(_Header).decode
_decode_text: Final = msgspec.json.Decoder(str).decode
_decode_line: Final = msgspec.json.Decoder(_Line).decode
_TEXT: Final = re.compile(rb'"(?:[^"\\]|\\.)*"')
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def header_line(beginning: Beginning) -> bytes:
    """The first line, with its end."""
    return _line(
        _Header(
            "log",
            VERSION,
            beginning.epoch,
            None if beginning.cluster is None else _Cluster(*beginning.cluster),
            {key: msgspec.Raw(value.encode()) for key, value in sorted(beginning.meta.items())},
            dict(sorted(beginning.versions.items())),
            [_Term(term.id, term.first) for term in beginning.terms],
            _Start(beginning.seq, beginning.time, beginning.objects),
            beginning.events,
        )
    )


def event_line(event: Event) -> bytes:
    """An event, or an object of the state at the beginning (the event that last touched it), with the line's end."""
    change, key = event.change, event.change.key
    return _line(
        _Line(
            event.seq,
            change.time,
            change.verb,
            key.kind,
            key.namespace,
            key.name,
            key.uid,
            change.version,
            msgspec.Raw(change.body),
        )
    )


def _line(made: msgspec.Struct) -> bytes:
    line = _encode(made)
    if b"\n" in line or b"\r" in line:
        # In JSON an end of a line that is not escaped stands between two tokens, where a space says the same.
        line = line.replace(b"\n", b" ").replace(b"\r", b" ")
    return line + b"\n"


def read_header(line: bytes) -> Beginning:
    """The way back. Raises ConfigError for what is no header of this version."""
    try:
        told = _decode_version(line)
        if told.kstream == "log" and told.version != VERSION:
            raise ConfigError(
                f"it is of version {told.version}, and this kstream reads {VERSION}; use the kstream that wrote it"
            )
        header = _decode_header(line)
        meta = {key: bytes(value).decode() for key, value in header.meta.items()}
    except _UNREADABLE as error:
        raise ConfigError(f"it does not begin as `kstream log export` does ({error})") from error
    terms = [Term(term.id, term.first) for term in header.terms]
    start, cluster = header.start, header.cluster
    last = start.seq + header.events
    firsts = [term.first for term in terms]
    if not terms or firsts != sorted(firsts) or firsts[-1] > last + 1:
        raise ConfigError(f"its terms begin with the events {firsts}, and its last event is {last}")
    if not start.seq and start.time:
        raise ConfigError(f"it begins with nothing, at {start.time} seconds")
    if start.objects > start.seq:
        raise ConfigError(f"it begins with {start.objects} objects, of only {start.seq} events")
    return Beginning(
        header.epoch,
        None if cluster is None else ClusterInfo(cluster.name, cluster.version, cluster.uid),
        meta,
        header.versions,
        terms,
        start.seq,
        start.time,
        start.objects,
        header.events,
    )


def read_event(line: bytes) -> Event:
    """The way back. Raises ConfigError for what is no event."""
    try:
        told = _decode_line(line)
        body = bytes(told.data)
        body.decode()  # the parser passes over what is in it
        body = _as_written(body)
    except _UNREADABLE as error:
        raise ConfigError(f"this is no event ({error})") from error
    if not body.startswith(b"{"):
        raise ConfigError("this is no event (its data is no object)")
    key = ObjectKey(told.kind, told.namespace, told.name, told.uid)
    return Event(told.seq, WatchEvent(told.action, key, told.version, told.time, body))


def _as_written(body: bytes) -> bytes:
    """JSON as kstream writes it: what is looked for in bodies is looked for as text, and another program may have
    written the line again, with spaces between the tokens or other escapes."""
    plain = msgspec.json.format(body, indent=-1)
    return _TEXT.sub(_text_as_written, plain) if b"\\" in plain else plain


def _text_as_written(text: re.Match[bytes]) -> bytes:
    return _encode(_decode_text(text[0])) if b"\\" in text[0] else text[0]
