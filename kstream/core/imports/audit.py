"""Audit logs of an API server (audit.k8s.io/v1): what it answered to those who wrote pods, nodes and namespaces.

An object is only there at the level RequestResponse. What nobody wrote while the audit ran is not in it, and what was
there before is known from its first change on.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from heapq import merge
from typing import Final, NamedTuple

import msgspec

from kstream.core.imports.documents import documents
from kstream.core.imports.foreign import (
    GONE,
    KINDS,
    OLD,
    RESOURCES,
    UNREADABLE,
    Left,
    Line,
    Lines,
    by_time,
    seconds,
    version_of,
)
from kstream.core.kube.resources import Decoded, decode_object
from kstream.core.timeline.events import Kind, ObjectKey, Verb, WatchEvent, deleted_body

_WRITES: Final = frozenset({"create", "update", "patch", "delete", "deletecollection"})
_DELETES: Final = frozenset({"delete", "deletecollection"})
_PARTS: Final = frozenset(
    {"", "status", "finalize", "ephemeralcontainers", "resize"}
)  # answered with the object
_NO_OBJECT: Final = "without an object: their level is below RequestResponse, or they were truncated"


class _Ref(msgspec.Struct, rename="camel"):
    resource: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""
    api_group: str = ""
    subresource: str = ""


class _Code(msgspec.Struct):
    code: int = 0


class _Event(msgspec.Struct, rename="camel"):
    kind: str = ""
    stage: str = ""
    verb: str = ""
    request_uri: str = msgspec.field(default="", name="requestURI")
    object_ref: _Ref | None = None
    response_status: _Code | None = None
    response_object: msgspec.Raw = msgspec.Raw(b"null")
    request_received_timestamp: str = ""
    stage_timestamp: str = ""
    items: list[_Event] | None = None


class _Details(msgspec.Struct):
    name: str = ""
    uid: str = ""


class _Metadata(msgspec.Struct, rename="camel"):
    deletion_timestamp: str | None = None
    deletion_grace_period_seconds: int | None = None
    finalizers: list[str] | None = None


class _Finalizers(msgspec.Struct):
    finalizers: list[str] | None = None


class _Answer(msgspec.Struct):
    kind: str = ""
    metadata: _Metadata | None = None
    spec: _Finalizers | None = None
    details: _Details | None = None
    items: list[msgspec.Raw] | None = None


class _Told(NamedTuple):
    time: float
    verb: Verb
    key: ObjectKey
    version: str
    body: bytes


_decode_event: Final = msgspec.json.Decoder(_Event).decode
_decode_answer: Final = msgspec.json.Decoder(_Answer).decode
_BARE: Final = _Answer()


def changes(files: Sequence[Lines], left: Left) -> Iterator[WatchEvent]:
    """Of all files, which may be parts of one log in any order. Raises ConfigError with the file and the line."""
    yield from _settled(merge(*(_told(read(), left) for read in files), key=by_time), left)


def _told(lines: Iterable[Line], left: Left) -> Iterator[WatchEvent]:
    """What one file tells, in the order of its lines: times do not go back."""
    latest = 0.0
    for line, raw in documents(lines):
        try:
            found = _decode_event(raw)
            for event in found.items or () if found.kind == "EventList" else (found,):
                for told in _written(event, left):
                    latest = max(latest, told.time)
                    yield WatchEvent(told.verb, told.key, told.version, latest, told.body)
        except (*UNREADABLE, ValueError) as error:
            if not line.whole:
                left.cut.append(line.file)
                return
            raise line.wrong(f"no audit event that can be read ({error})") from None


def _written(event: _Event, left: Left) -> Iterator[_Told]:
    """What became of the objects of one request. A request that was refused, or only tried, has written nothing."""
    ref = event.object_ref
    if event.kind not in ("Event", "") or ref is None or ref.api_group or event.stage != "ResponseComplete":
        return
    kind = RESOURCES.get(ref.resource)
    if (
        kind is None
        or event.verb not in _WRITES
        or ref.subresource not in _PARTS
        or "dryRun=" in event.request_uri
    ):
        return
    if event.response_status is not None and not 200 <= event.response_status.code < 300:
        return
    time = seconds(event.stage_timestamp or event.request_received_timestamp)
    raw = bytes(event.response_object)
    answer = _decode_answer(raw) if raw != b"null" else _BARE
    if answer.items is not None:
        for item in answer.items:
            yield _of_object(kind, bytes(item), event.verb, time)
    elif answer.kind == "Status" and event.verb in _DELETES:
        details = answer.details or _Details()
        name, uid = details.name or ref.name, details.uid or ref.uid
        # Without a uid it is known by its name: see _settled.
        key = ObjectKey(kind, ref.namespace if kind is Kind.POD else "", name, uid)
        yield _Told(time, Verb.DELETED, key, "", deleted_body(key))
    elif KINDS.get(answer.kind) is kind:
        yield _of_object(kind, raw, event.verb, time)
    else:
        left.count(_NO_OBJECT if answer is _BARE else "answered with something else than the object")


def _of_object(kind: Kind, raw: bytes, verb: str, time: float) -> _Told:
    decoded = decode_object(kind, raw)
    if _is_gone(_decode_answer(raw), verb):
        return _Told(time, Verb.DELETED, decoded.key, decoded.version, deleted_body(decoded.key))
    return _Told(time, Verb.ADDED if verb == "create" else Verb.MODIFIED, *_parts(decoded))


def _parts(decoded: Decoded) -> tuple[ObjectKey, str, bytes]:
    return decoded.key, decoded.version, decoded.body


def _is_gone(answer: _Answer, verb: str) -> bool:
    """Whether the object is no more. The first request to delete a pod only starts its grace; an object with finalizers
    is there until whoever wrote the last of them takes it off."""
    metadata, spec = answer.metadata or _Metadata(), answer.spec or _Finalizers()
    if metadata.finalizers or spec.finalizers:
        return False
    if verb in _DELETES:
        return metadata.deletion_timestamp is None or not metadata.deletion_grace_period_seconds
    return metadata.deletion_timestamp is not None and not metadata.deletion_grace_period_seconds


def _settled(told: Iterable[WatchEvent], left: Left) -> Iterator[WatchEvent]:
    """Without what came late: requests that ran side by side are not written in the order of what they wrote."""
    versions: dict[str, int] = {}
    named: dict[tuple[Kind, str, str], ObjectKey] = {}
    gone: OrderedDict[str, None] = OrderedDict()
    for change in told:
        key = change.key
        name = key.kind, key.namespace, key.name
        if not key.uid:
            if name not in named:
                left.count("deleted, and never seen before")
                continue
            key = named[name]
            change = msgspec.structs.replace(change, key=key, body=deleted_body(key))
        version = version_of(change)
        if change.verb is Verb.DELETED:
            if key.uid in gone:
                continue  # whoever waited for its end, and whoever brought it about
            versions.pop(key.uid, None)
            if named.get(name) == key:
                del named[name]
            gone[key.uid] = None
            if len(gone) > GONE:
                gone.popitem(last=False)
        elif key.uid in gone or (version and version < versions.get(key.uid, 0)):
            left.count(OLD)
            continue
        else:
            versions[key.uid], named[name] = version, key
        yield change
