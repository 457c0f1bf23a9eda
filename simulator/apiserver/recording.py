"""A capture of a real API server as a feed: the JSON lines of fixtures/wire, gzipped or not."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import accumulate
from pathlib import Path
from typing import Any, Final

import msgspec

from kstream.core.errors import ConfigError
from kstream.core.timeline.events import Kind, Verb
from simulator.apiserver.store import Store
from simulator.cluster.objects import Change

_STREAMS: Final[Mapping[str, Kind]] = {"nodes": Kind.NODE, "pods": Kind.POD, "namespaces": Kind.NAMESPACE}
_GZIP: Final = b"\x1f\x8b"


class Captured(msgspec.Struct):
    """One line of a capture."""

    t: float
    stream: str
    event: str
    body: str = ""


class Recording:
    """The changes of a capture. What its lists held is there from the start."""

    def __init__(self, changes: Sequence[Change], *, listed: int, version: int) -> None:
        """`listed` is how many of the changes come from the lists, `version` that of the newest list."""
        self.changes = changes
        self._at = 0
        self._listed = listed
        self._version = version

    def load(self, store: Store) -> None:
        """Put what was listed into a store, without history, as a server has it that was compacted then."""
        for change in self.changes[: self._listed]:
            store.apply(change)
        store.advance(self._version)
        store.compact()
        self._at = self._listed

    def next_time(self) -> float | None:
        return self.changes[self._at].time if self._at < len(self.changes) else None

    def until(self, time: float) -> Iterable[Change]:
        while self._at < len(self.changes) and self.changes[self._at].time <= time:
            self._at += 1
            yield self.changes[self._at - 1]


def read_recording(path: Path) -> Recording:
    """Raises ConfigError if the file is missing or is no capture."""
    try:
        return parse_recording(path.read_bytes())
    except (OSError, EOFError, ValueError, KeyError, TypeError, RecursionError, zlib.error) as error:
        raise ConfigError(
            f"{path}: cannot be read as a capture: {error}; see docs/fake-apiserver.md"
        ) from error


def parse_recording(content: bytes) -> Recording:
    """The content of a capture. Raises ValueError, EOFError, KeyError, TypeError, RecursionError or zlib.error if it
    is none, or one that cannot be served: an object without a name, a version twice, a deletion of nothing."""
    if content.startswith(_GZIP):
        content = gzip.decompress(content)
    captured = [msgspec.json.decode(line, type=Captured) for line in content.splitlines() if line.strip()]
    listed: list[tuple[int, float, Change]] = []
    written: list[tuple[int, float, Change]] = []
    version = 0
    for line in captured:
        kind = _STREAMS.get(line.stream)
        if kind is None or line.event not in ("list", "line"):
            continue
        body = msgspec.json.decode(line.body)
        if line.event == "list":
            version = max(version, int(body["metadata"]["resourceVersion"]))
            listed += [_change(line.t, Verb.ADDED, kind, item) for item in body["items"]]
        elif body["type"] in Verb.__members__:
            written.append(_change(line.t, Verb(body["type"]), kind, body["object"]))
    start = _start(written)
    ordered = [*sorted(listed, key=_version), *sorted(written, key=_version)]
    # Streams are a little apart: one version order for all of them, and times that never go back.
    times = accumulate((t for _, t, _ in ordered), max)
    changes = [change._replace(time=start + t) for (_, _, change), t in zip(ordered, times, strict=True)]
    _rehearse(Recording(changes, listed=len(listed), version=version))
    return Recording(changes, listed=len(listed), version=version)


def _rehearse(recording: Recording) -> None:
    """Serve it to nobody: what does not go is said before anybody watches."""
    store = Store()
    recording.load(store)
    for change in recording.until(float("inf")):
        store.apply(change)


def _version(item: tuple[int, float, Change]) -> int:
    return item[0]


def _change(t: float, verb: Verb, kind: Kind, content: dict[str, Any]) -> tuple[int, float, Change]:
    metadata = content["metadata"]
    for name in ("name", "namespace", "resourceVersion"):
        if not isinstance(metadata.get(name, ""), str):
            raise TypeError(f"the {name} of a {kind} is no text")
    return int(metadata["resourceVersion"]), t, Change(t, verb, kind, content)


def _start(written: Iterable[tuple[int, float, Change]]) -> float:
    """When the capture began: no object that was seen to be made can have been made later than it was seen."""

    def offsets() -> Iterator[float]:
        for _, t, change in written:
            if change.verb is Verb.ADDED:
                yield datetime.fromisoformat(change.object["metadata"]["creationTimestamp"]).timestamp() - t

    return max(offsets(), default=0.0)
