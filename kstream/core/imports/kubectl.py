"""`kubectl get … -w -o json --output-watch-events`: JSON documents {type, object}, one after the other.

What a watch that was begun again lists once more, and what files that overlap tell twice, is older than what is known.
kubectl writes no times. An object has some of its own: when it was made, when a condition turned, a container started
or a kubelet reported. The newest that was seen so far is when a change happened, at the earliest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from heapq import merge
from itertools import chain
from typing import Final, NamedTuple

import msgspec

from kstream.core.imports.documents import Document, documents
from kstream.core.imports.foreign import (
    KINDS,
    OLD,
    UNREADABLE,
    Left,
    Lines,
    Versions,
    by_time,
    seconds,
)
from kstream.core.kube.resources import Decoded, decode_line
from kstream.core.timeline.events import Verb, WatchEvent

# Those of the past: a deletionTimestamp is when the grace will be over. An escaped quote is no quote, so that texts
# which hold JSON (annotations) have none.
_STAMPS: Final = re.compile(
    rb'"(?:creationTimestamp|lastTransitionTime|lastHeartbeatTime|startedAt|finishedAt|startTime|time|timeAdded)"'
    rb'\s*:\s*"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)"'
)
_VERBS: Final = frozenset(Verb)


class _Kind(msgspec.Struct):
    kind: str = ""


class _Head(msgspec.Struct):
    type: str
    object: _Kind


class _Told(NamedTuple):
    verb: Verb
    decoded: Decoded
    time: float  # the newest that the object knows; 0.0 for none


_decode_head: Final = msgspec.json.Decoder(_Head).decode


def changes(files: Sequence[Lines], left: Left) -> Iterator[WatchEvent]:
    """Of watches that ran side by side, one in each file: what they list first is there at the same time.

    Raises ConfigError with the file and the line.
    """
    watches = [_told(documents(read()), left) for read in files]
    listed, upcoming = [], []
    for watch in watches:
        first = None
        for first in watch:
            if first.verb is not Verb.ADDED:
                break
            listed.append(first)
            first = None
        upcoming.append(watch if first is None else chain([first], watch))
    start, versions = max((told.time for told in listed), default=0.0), Versions()
    changed = merge(*(_timed(watch, start) for watch in upcoming), key=by_time)
    for change in chain((_change(told, start) for told in listed), changed):
        if versions.is_old(change):
            left.count(OLD)
        else:
            yield change


def _told(watched: Iterable[Document], left: Left) -> Iterator[_Told]:
    for line, raw in watched:
        try:
            head = _decode_head(raw)
            kind = KINDS.get(head.object.kind)
            if head.type not in _VERBS:
                left.count(f"{head.type[:20]} lines, which tell of no object")
            elif kind is None:
                left.count(f"of another kind: {head.object.kind[:60]}")
            elif (decoded := decode_line(kind, raw).decoded) is None:
                left.count("without a name or a uid")
            else:
                yield _Told(Verb(head.type), decoded, _newest(raw))
        except UNREADABLE as error:
            if not line.whole:
                left.cut.append(line.file)
                return
            raise line.wrong(
                f"no watch event ({error}); have kubectl write it with -w -o json --output-watch-events"
            ) from None


def _newest(raw: bytes) -> float:
    stamps = sorted(set(_STAMPS.findall(raw)), reverse=True)
    for stamp in stamps:
        try:
            return seconds(stamp.decode())
        except ValueError:
            continue  # the 31st of February
    return 0.0


def _timed(watch: Iterable[_Told], time: float) -> Iterator[WatchEvent]:
    for told in watch:
        time = max(time, told.time)
        yield _change(told, time)


def _change(told: _Told, time: float) -> WatchEvent:
    return WatchEvent(told.verb, told.decoded.key, told.decoded.version, time, told.decoded.body)
