"""ClusterState: the fold of the log, and the only thing that decides what a client sees."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import NamedTuple

import msgspec

from kstream.core.events import Event, Kind, ObjectKey, Verb, WatchEvent


class Entry(NamedTuple):
    """An object as it is now."""

    key: ObjectKey
    version: str
    body: bytes
    mark: str  # a pod's phase, a node's status, "" for a namespace: what metrics count


class Counts(NamedTuple):
    """The data of a `metrics` message (contract, "Metrics Update")."""

    totalNodes: int  # noqa: N815 - the contract's spelling
    readyNodes: int  # noqa: N815
    totalPods: int  # noqa: N815
    runningPods: int  # noqa: N815
    pendingPods: int  # noqa: N815
    failedPods: int  # noqa: N815


class _Mark(msgspec.Struct):
    phase: str = ""
    status: str = ""


_decode_mark = msgspec.json.Decoder(_Mark).decode
_body = itemgetter(Entry._fields.index("body"))  # twice as fast as by name
_POD_COUNT = b',"podCount":'


class ClusterState:
    """Nodes, pods and namespaces after `seq` events. Events must come in order and without a gap."""

    def __init__(self) -> None:
        self.seq = 0
        self.time = 0.0  # of the last event, seconds since the Unix epoch; 0.0 before the first
        self._kinds: dict[Kind, dict[str, Entry]] = {kind: {} for kind in Kind}
        self._pods_of: dict[str, int] = {}
        self._phases: dict[str, int] = {}
        self._ready = 0

    def apply(self, event: Event) -> None:
        """Fold one event in."""
        self.seq = event.seq
        self.time = event.change.time
        self._fold(event.change)

    def load(self, changes: Iterable[WatchEvent], *, seq: int, time: float) -> None:
        """Take over a keyframe: ADDED changes that stand for all events up to and with `seq`."""
        for change in changes:
            self._fold(change)
        self.seq = seq
        self.time = time

    def _fold(self, change: WatchEvent) -> None:
        key = change.key
        kind, uid = key.kind, key.uid
        entries = self._kinds[kind]
        before = entries.pop(uid, None) if change.verb is Verb.DELETED else entries.get(uid)
        if kind is Kind.NAMESPACE:
            if change.verb is not Verb.DELETED:
                entries[uid] = Entry(key, change.version, change.body, "")
            return
        mark = ""
        if change.verb is not Verb.DELETED:
            decoded = _decode_mark(change.body)
            mark = decoded.phase if kind is Kind.POD else decoded.status
            entries[uid] = Entry(key, change.version, change.body, mark)
        if kind is Kind.NODE:
            self._ready += _is_ready(mark) - (before is not None and _is_ready(before.mark))
            return
        if before is not None:
            self._phases[before.mark] -= 1
        if change.verb is not Verb.DELETED:
            self._phases[mark] = self._phases.get(mark, 0) + 1
            if before is None:
                self._pods_of[key.namespace] = self._pods_of.get(key.namespace, 0) + 1
        elif before is not None:
            left = self._pods_of[key.namespace] - 1
            if left:
                self._pods_of[key.namespace] = left
            else:
                del self._pods_of[key.namespace]

    def get(self, key: ObjectKey) -> Entry | None:
        return self._kinds[key.kind].get(key.uid)

    def entries(self, kind: Kind) -> Iterable[Entry]:
        """The objects of a kind, in the order in which they came."""
        return self._kinds[kind].values()

    def pods(self, namespaces: Collection[str] | None) -> Sequence[Entry]:
        """The pods of these namespaces, or all."""
        pods = self._kinds[Kind.POD].values()
        if namespaces is None:
            return list(pods)
        return [entry for entry in pods if entry.key.namespace in namespaces]

    def pod_bodies(self, namespaces: Collection[str] | None) -> list[bytes]:
        """The bodies of `pods`: what a snapshot needs, fast."""
        pods = self._kinds[Kind.POD].values()
        if namespaces is None:
            return list(map(_body, pods))
        return [entry.body for entry in pods if entry.key.namespace in namespaces]

    def __iter__(self) -> Iterator[Entry]:
        for kind in Kind:
            yield from self._kinds[kind].values()

    def __len__(self) -> int:
        return sum(map(len, self._kinds.values()))

    def versions(self) -> Mapping[ObjectKey, str]:
        """Object → the resourceVersion at which it was last recorded."""
        return {entry.key: entry.version for entry in self}

    def pod_count(self, namespace: str) -> int:
        return self._pods_of.get(namespace, 0)

    def counts(self) -> Counts:
        phases = self._phases
        return Counts(
            totalNodes=len(self._kinds[Kind.NODE]),
            readyNodes=self._ready,
            totalPods=len(self._kinds[Kind.POD]),
            runningPods=phases.get("Running", 0),
            pendingPods=phases.get("Pending", 0),
            failedPods=phases.get("Failed", 0),
        )


def _is_ready(status: str) -> bool:
    return status == "Ready" or status.startswith("Ready,")


def with_pod_count(body: bytes, count: int) -> bytes:
    """A namespace's body with its `podCount` set, whether or not it had one (it is always the last field)."""
    head, found, _ = body.rpartition(_POD_COUNT)
    return b"%b%b%d}" % (head if found else body[:-1], _POD_COUNT, count)
