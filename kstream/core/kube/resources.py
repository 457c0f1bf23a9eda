"""Kubernetes JSON in, contract resources out: the only place that parses what the API server sends.

An object is parsed once, straight into the few fields that may leave (PROTOCOL 13), and encoded once: the same bytes
go to the log and to every client. Lists, watch lines and single objects end in the same bodies, so that equal bodies
mean that nothing changed for a client (PROTOCOL 12). docs/resources.md has the fields and where they come from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeVar

import msgspec

from kstream.core.errors import MalformedError
from kstream.core.kube import objects as k8s
from kstream.core.kube.bodies import namespace_body, node_body, pod_body
from kstream.core.timeline.events import Fact, Kind, ObjectKey, Verb, deleted_body
from kstream.core.visible import shortened


class Decoded(Fact, frozen=True, gc=False):
    """An object as a client may see it. A namespace has no `podCount` yet: state.with_pod_count adds it."""

    key: ObjectKey
    version: str  # resourceVersion: opaque; "" if the object has none
    body: bytes  # the contract resource, compact JSON


class Page(NamedTuple):
    """One response to a LIST."""

    version: str  # the list's resourceVersion, never ""
    next: str  # the continue token of the next page; "" on the last one
    remaining: int | None  # how many objects the server says are still to come, if it says so
    items: list[Decoded]


class Status(NamedTuple):
    """What the API server says when it refuses, and in a watch's ERROR. Any field may be empty (LISTWATCH 5, 6)."""

    code: int  # 0 if it has none
    reason: str  # "Expired", "Forbidden", …; shortened, as the message is
    message: str
    retry_after: float | None  # seconds, never negative


class Line(Fact, frozen=True, gc=False):
    """One line of a watch. All of it is empty for a line that is to be skipped (LISTWATCH 13)."""

    type: str
    decoded: Decoded | None = None  # of ADDED, MODIFIED and DELETED; the body of DELETED is deleted_body
    version: str = ""  # of a BOOKMARK or of `decoded`
    initial_end: bool = False  # a BOOKMARK that ends the initial events of a WatchList
    status: Status | None = None  # of ERROR, always


def decode_object(kind: Kind, raw: bytes) -> Decoded:
    """A single object. Raises MalformedError for no JSON, wrong types, or an object without name or uid."""
    return _CODECS[kind].object(raw)


def decode_page(kind: Kind, raw: bytes) -> Page:
    """The body of a LIST response; objects without name or uid are left out.

    Raises MalformedError for no JSON, wrong types, and for JSON that is no list: to take an answer of a proxy for an
    empty list would delete everything.
    """
    return _CODECS[kind].page(raw)


def decode_line(kind: Kind, raw: bytes | memoryview) -> Line:
    """One line of a watch, without or with its newline. Raises MalformedError for no JSON and wrong types."""
    return _CODECS[kind].line(raw)


def decode_added(kind: Kind, lines: Iterable[bytes | memoryview]) -> list[Decoded]:
    """The objects of watch lines up to the first that is not an ADDED, or cannot be read: decode_line says what it is.

    Each is what decode_line makes of its line.
    """
    return _CODECS[kind].added(lines)


def decode_status(raw: bytes) -> Status | None:
    """The body of a refusal; None for what is no Status object (a proxy's HTML, plain text)."""
    try:
        status = _decode_status(raw)
    except _UNREADABLE:
        return None
    seconds = status.details.retry_after_seconds if status.details is not None else None
    if seconds is not None and seconds < 0:
        seconds = None
    return Status(status.code or 0, shortened(status.reason or ""), shortened(status.message or ""), seconds)


class _Object(Protocol):
    @property
    def metadata(self) -> k8s.Metadata | None: ...


_T = TypeVar("_T", bound=_Object)
_R = TypeVar("_R")


class _Event(msgspec.Struct, Generic[_T], frozen=True, gc=False):
    type: str
    object: _T | None = None


class _List(msgspec.Struct, Generic[_T], frozen=True, gc=False):
    metadata: k8s.ListMetadata | None = None
    items: list[_T] | msgspec.UnsetType | None = msgspec.UNSET


class _Envelope(msgspec.Struct, frozen=True, gc=False):
    """A line whose object is not what the watch is about."""

    type: str
    object: msgspec.Raw = msgspec.Raw(b"")


class _Codec(Generic[_T]):
    """How one kind is read and written; its decoders are made once."""

    def __init__(
        self,
        kind: Kind,
        *,
        item: msgspec.json.Decoder[_T],
        event: msgspec.json.Decoder[_Event[_T]],
        page: msgspec.json.Decoder[_List[_T]],
        body: Callable[[_T, k8s.Metadata], bytes],
    ) -> None:
        self._kind = kind
        self._decode_item = item.decode
        self._decode_event = event.decode
        self._decode_page = page.decode
        self._body = body

    def object(self, raw: bytes) -> Decoded:
        try:
            decoded = self._decoded(_read(self._decode_item, raw))
        except _UNREADABLE as error:
            raise _malformed(f"a {self._kind}", error) from None
        if decoded is None:
            raise MalformedError(
                f"cannot read a {self._kind}: it has no name or no uid; ask the API server again"
            )
        return decoded

    def page(self, raw: bytes) -> Page:
        decode = self._decoded
        try:
            page = _read(self._decode_page, raw)
            items = [decoded for item in page.items or () if (decoded := decode(item)) is not None]
        except _UNREADABLE as error:
            raise _malformed(f"a list of {self._kind}s", error) from None
        head = page.metadata
        if head is None or not head.version or page.items is msgspec.UNSET:
            raise MalformedError(
                f"cannot read a list of {self._kind}s: it is JSON, but no list (no resourceVersion or no items); "
                "look for a proxy between here and the API server"
            )
        return Page(head.version, head.next or "", head.remaining, items)

    def added(self, lines: Iterable[bytes | memoryview]) -> list[Decoded]:
        read, decode = self._decode_event, self._decoded
        items: list[Decoded] = []
        try:
            for raw in lines:
                event = read(raw)
                item = event.object
                if event.type != _ADDED or item is None or (decoded := decode(item)) is None:
                    break
                items.append(decoded)
        except _UNREADABLE:
            pass  # it is looked at once more, alone
        return items

    def line(self, raw: bytes | memoryview) -> Line:
        try:
            event = _read(self._decode_event, raw)
            item = event.object
            if event.type in _UPSERTS:
                if item is None or (decoded := self._decoded(item)) is None:
                    return Line(event.type)
                return Line(event.type, decoded, decoded.version)
        except msgspec.ValidationError as error:
            return self._strange_line(raw, error)
        except _UNREADABLE as error:
            raise _malformed(f"a watch line of {self._kind}s", error) from None
        metadata = item.metadata if item is not None else None
        if event.type == Verb.DELETED:
            key = self._key(metadata)
            if key is None or metadata is None:
                return Line(event.type)
            version = metadata.resource_version or ""
            return Line(event.type, Decoded(key, version, deleted_body(key)), version)
        if event.type == _BOOKMARK:
            if metadata is None:
                return Line(event.type)
            notes = metadata.annotations
            end = notes is not None and notes.initial_events_end == "true"
            return Line(event.type, version=metadata.resource_version or "", initial_end=end)
        return self._strange_line(raw, None)

    def _strange_line(self, raw: bytes | memoryview, cause: msgspec.ValidationError | None) -> Line:
        """A line whose object is not of this kind: an ERROR's Status, an unknown type, or nonsense."""
        try:
            envelope = _decode_envelope(raw)
        except _UNREADABLE as error:
            raise _malformed(f"a watch line of {self._kind}s", error) from None
        if envelope.type == _ERROR:
            return Line(
                envelope.type, status=decode_status(bytes(envelope.object)) or Status(0, "", "", None)
            )
        if cause is not None and envelope.type in _ABOUT_OBJECTS:
            raise _malformed(f"a watch line of {self._kind}s", cause)
        return Line(envelope.type)

    def _key(self, metadata: k8s.Metadata | None) -> ObjectKey | None:
        if metadata is None or not metadata.uid or not metadata.name:
            return None
        return ObjectKey(self._kind, metadata.namespace or "", metadata.name, metadata.uid)

    def _decoded(self, item: _T) -> Decoded | None:
        metadata = item.metadata
        if metadata is None or not metadata.uid or not metadata.name:
            return None
        key = ObjectKey(self._kind, metadata.namespace or "", metadata.name, metadata.uid)
        return Decoded(key, metadata.resource_version or "", self._body(item, metadata))


def _read(decode: Callable[[bytes | memoryview], _R], raw: bytes | memoryview) -> _R:
    """As `decode` does; a null where none is expected is left out, which is what Go makes of it: one of them must not
    withhold all that is beside it."""
    try:
        return decode(raw)
    except msgspec.ValidationError:
        if b"null" not in bytes(raw):
            raise
        return decode(_encode(_without_nulls(msgspec.json.decode(raw))))
    except (msgspec.DecodeError, UnicodeDecodeError):
        if (repaired := _in_unicode(bytes(raw))) == raw:
            raise
        return decode(repaired)


def _in_unicode(raw: bytes) -> bytes:
    """What is no Unicode (half of a surrogate pair, each byte that is no UTF-8) becomes U+FFFD, as Go reads it."""
    text = _UNDECODED.sub("\ufffd", raw.decode("utf-8", "surrogateescape"))
    return _ESCAPE.sub(lambda found: found[0] if found[1] is None else "\\ufffd", text).encode()


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(each) for name, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_without_nulls(each) for each in value if each is not None]
    return value


def _malformed(what: str, error: Exception) -> MalformedError:
    """The parser's reason names positions and types, never values: nothing secret can be in it."""
    return MalformedError(f"cannot read {what} from the API server: {error}; it will be asked for again")


_UNDECODED: Final = re.compile("[\udc80-\udcff]")  # each is one byte that is no UTF-8 (PEP 383)
_ESCAPE: Final = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\."
)
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_ADDED: Final = "ADDED"
_BOOKMARK: Final = "BOOKMARK"
_ERROR: Final = "ERROR"
_UPSERTS: Final[frozenset[str]] = frozenset({Verb.ADDED, Verb.MODIFIED})
_ABOUT_OBJECTS: Final[frozenset[str]] = frozenset({*Verb, _BOOKMARK})
_encode: Final = msgspec.json.Encoder().encode
_decode_status: Final = msgspec.json.Decoder(k8s.Status).decode
_decode_envelope: Final = msgspec.json.Decoder(_Envelope).decode
_CODECS: Final[Mapping[Kind, _Codec[Any]]] = {
    Kind.NODE: _Codec(
        Kind.NODE,
        item=msgspec.json.Decoder(k8s.Node),
        event=msgspec.json.Decoder(_Event[k8s.Node]),
        page=msgspec.json.Decoder(_List[k8s.Node]),
        body=node_body,
    ),
    Kind.POD: _Codec(
        Kind.POD,
        item=msgspec.json.Decoder(k8s.Pod),
        event=msgspec.json.Decoder(_Event[k8s.Pod]),
        page=msgspec.json.Decoder(_List[k8s.Pod]),
        body=pod_body,
    ),
    Kind.NAMESPACE: _Codec(
        Kind.NAMESPACE,
        item=msgspec.json.Decoder(k8s.Namespace),
        event=msgspec.json.Decoder(_Event[k8s.Namespace]),
        page=msgspec.json.Decoder(_List[k8s.Namespace]),
        body=namespace_body,
    ),
}
