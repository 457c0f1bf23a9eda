"""A raw capture of lists and watches, as in fixtures/wire: what an API server sent, line by line, and when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from heapq import merge
from typing import Final

import msgspec

from kstream.core.imports.foreign import RESOURCES, UNREADABLE, Left, Line, Lines, by_time, seconds
from kstream.core.kube.resources import Decoded, decode_line, decode_page
from kstream.core.timeline.events import Kind, ObjectKey, Verb, WatchEvent, deleted_body


class _Captured(msgspec.Struct):
    t: float
    stream: str
    event: str
    body: str = ""
    path: str = ""


class _Metadata(msgspec.Struct, rename="camel"):
    creation_timestamp: str = ""


class _Object(msgspec.Struct):
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)


class _Line(msgspec.Struct):
    type: str
    object: _Object = msgspec.field(default_factory=_Object)


_decode: Final = msgspec.json.Decoder(_Captured).decode
_decode_line: Final = msgspec.json.Decoder(_Line).decode


def changes(files: Sequence[Lines], left: Left) -> Iterator[WatchEvent]:
    """Of all captures, each of which is read twice. Raises ConfigError with the file and the line."""
    yield from merge(*(_changes(read, left) for read in files), key=by_time)


def _changes(read: Lines, left: Left) -> Iterator[WatchEvent]:
    start = max(_offsets(read()), default=0.0)
    latest = 0.0
    known: dict[Kind, dict[str, ObjectKey]] = {kind: {} for kind in Kind}
    pages: dict[Kind, list[Decoded]] = {kind: [] for kind in Kind}
    for line in read():
        try:
            captured = _captured(line)
            if captured is None:
                continue
            kind = RESOURCES[captured.stream]
            latest = max(latest, start + captured.t)
            if captured.event == "list":
                page = decode_page(kind, captured.body.encode())
                pages[kind] += page.items
                if not page.next:
                    # A list of one namespace says nothing of the others.
                    within = captured.path.partition("/namespaces/")[2].partition("/")[0]
                    yield from _listed(pages[kind], known[kind], within, latest)
                    pages[kind] = []
            elif (told := decode_line(kind, captured.body.encode())).decoded is not None:
                verb, key = Verb(told.type), told.decoded.key
                if verb is Verb.DELETED:
                    known[kind].pop(key.uid, None)
                else:
                    known[kind][key.uid] = key
                yield WatchEvent(verb, key, told.version, latest, told.decoded.body)
        except UNREADABLE as error:
            if not line.whole:
                left.cut.append(line.file)
                return
            raise line.wrong(
                f"no line of a capture ({error}); fixtures/wire/README.md has the form"
            ) from None


def _listed(
    items: Iterable[Decoded], known: dict[str, ObjectKey], within: str, time: float
) -> Iterator[WatchEvent]:
    """A list is all there is, or all `within` a namespace: what it does not have is gone."""
    there = {item.key.uid: item.key for item in items}
    for uid, key in list(known.items()):
        if uid not in there and within in ("", key.namespace):
            del known[uid]
            yield WatchEvent(Verb.DELETED, key, "", time, deleted_body(key))
    for item in items:
        yield WatchEvent(Verb.ADDED, item.key, item.version, time, item.body)
    known.update(there)


def _captured(line: Line) -> _Captured | None:
    """What a line of ours says; None for the beginning and the end of a watch, and for other streams."""
    if not line.raw.strip():
        return None
    captured = _decode(line.raw)
    return captured if captured.stream in RESOURCES and captured.event in ("list", "line") else None


def _offsets(lines: Iterable[Line]) -> Iterator[float]:
    """When the capture began: nothing that was seen to be made was made later than it was seen."""
    for line in lines:
        try:
            captured = _captured(line)
            if captured is not None and captured.event == "line":
                told = _decode_line(captured.body.encode())
                if told.type == Verb.ADDED:
                    yield seconds(told.object.metadata.creation_timestamp) - captured.t
        except (*UNREADABLE, ValueError):
            continue  # whoever reads it for good says what is wrong
