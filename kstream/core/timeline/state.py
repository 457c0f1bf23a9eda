"""ClusterState: the fold of the log, and the only thing that decides what a client sees."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

import msgspec

from kstream.core.errors import DivergedError
from kstream.core.timeline.events import Event, Fact, Kind, ObjectKey, Verb, WatchEvent


class Entry(Fact, frozen=True, gc=False):
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


class _Mark(msgspec.Struct, gc=False):
    phase: str = ""
    status: str = ""


_decode_mark = msgspec.json.Decoder(_Mark).decode
_ONE_HISTORY = "this is not one history; start again, and restore the log from a copy if it comes back"
_AT_ONCE = 1000  # objects
_POD_COUNT = b',"podCount":'


def entries_of(keys: Sequence[ObjectKey], versions: Sequence[str], bodies: Sequence[bytes]) -> list[Entry]:
    """The objects with these keys, versions and bodies, one of each: many at once, most of which are pods."""
    pod = Kind.POD
    marks = [
        _decode_mark(body).phase if key.kind is pod else _mark(key.kind, body)
        for key, body in zip(keys, bodies, strict=True)
    ]
    return list(map(Entry, keys, versions, bodies, marks))


class ClusterState:
    """Nodes, pods and namespaces after `seq` events. Events must come in order and without a gap."""

    def __init__(self) -> None:
        self.seq = 0
        self.time = 0.0  # of the last event, seconds since the Unix epoch; 0.0 before the first
        self._kinds: dict[Kind, dict[str, Entry]] = {kind: {} for kind in Kind}
        self._pods = self._kinds[Kind.POD]
        # Beside the entries: a snapshot of 150,000 pods takes them from here in a third of the time, and one of a
        # single namespace touches nothing else.
        self._bodies: dict[str, bytes] = {}
        self._bodies_of: dict[str, dict[str, bytes]] = {}
        self._phases: dict[str, int] = {}
        self._ready = 0
        self._lender: ClusterState | None = None  # whose all of this is, until something changes here

    def apply(self, event: Event) -> bytes | None:
        """Fold one event in; returns the body that its object had before, None for one that was not there.

        Raises DivergedError for an event that cannot be the next of this history.
        """
        if self._lender is not None:
            self._own()
        change = event.change
        if event.seq != self.seq + 1:
            raise DivergedError(f"Event {event.seq} came after event {self.seq}: {_ONE_HISTORY}")
        before = self._fold(change)
        if (before is None) is not (change.verb is Verb.ADDED):
            there = "is there already" if change.verb is Verb.ADDED else "is not there"
            raise DivergedError(
                f"Event {event.seq} is {change.verb} of the {change.key.kind} {change.key.uid}, which {there}:"
                f" {_ONE_HISTORY}"
            )
        self.seq = event.seq
        self.time = change.time
        return before.body if before is not None else None

    def load(self, changes: Iterable[WatchEvent], *, seq: int, time: float) -> None:
        """Take over a keyframe: ADDED changes that stand for all events up to and with `seq`, the last of which was at
        `time`, seconds since the Unix epoch.

        Raises DivergedError for an object that is in it twice.
        """
        self._own()
        for change in changes:
            if self._fold(change) is not None:
                raise DivergedError(
                    f"The state at {seq} has the {change.key.kind} {change.key.uid} twice: {_ONE_HISTORY}"
                )
        self.seq = seq
        self.time = time

    def fill(self, objects: Collection[Entry], *, seq: int, time: float) -> None:
        """Become the state of these objects, each kind in the order in which they came; of a state that is empty. As
        `load` does, in a fraction of the time.

        Raises DivergedError for an object that is in it twice.
        """
        pod, pods, bodies, bodies_of = Kind.POD, self._pods, self._bodies, self._bodies_of
        for entry in objects:
            key, body = entry.key, entry.body
            uid = key.uid
            if key.kind is not pod:
                self._kinds[key.kind][uid] = entry
                continue
            pods[uid] = entry
            bodies[uid] = body
            try:
                bodies_of[key.namespace][uid] = body
            except KeyError:
                bodies_of[key.namespace] = {uid: body}
        if len(self) != len(objects):
            ((kind, uid), _), *_ = Counter((each.key.kind, each.key.uid) for each in objects).most_common(1)
            raise DivergedError(f"The state at {seq} has the {kind} {uid} twice: {_ONE_HISTORY}")
        self._phases.update(Counter([entry.mark for entry in pods.values()]))
        self._ready = sum(_is_ready(entry.mark) for entry in self._kinds[Kind.NODE].values())
        self.seq = seq
        self.time = time

    def copy(self) -> ClusterState:
        """The same state, which goes its own way from here; what is in it is shared."""
        copy = self.branch()
        copy._own()
        return copy

    def branch(self) -> ClusterState:
        """The same as `copy`, which takes its time when the first event comes: until then this one must not change, and
        is kept by it."""
        branch = ClusterState()
        branch.seq, branch.time = self.seq, self.time
        branch._kinds, branch._pods = self._kinds, self._pods
        branch._bodies, branch._bodies_of = self._bodies, self._bodies_of
        branch._phases, branch._ready = self._phases, self._ready
        branch._lender = self
        return branch

    def _own(self) -> None:
        if self._lender is None:
            return
        self._lender = None
        self._kinds = {kind: dict(entries) for kind, entries in self._kinds.items()}
        self._pods = self._kinds[Kind.POD]
        self._bodies = dict(self._bodies)
        self._bodies_of = {namespace: dict(bodies) for namespace, bodies in self._bodies_of.items()}
        self._phases = dict(self._phases)

    def share(self, other: ClusterState) -> Iterator[None]:
        """Hold once what is the same in `other`, which may change meanwhile; nothing is told of either. Yields every
        thousand objects, so that others have their turn."""
        self._own()
        for kind, entries in self._kinds.items():
            theirs = other._kinds[kind]
            for count, (uid, entry) in enumerate(entries.items(), 1):
                if count % _AT_ONCE == 0:
                    yield
                there = theirs.get(uid)
                if there is None or there != entry:
                    continue
                entries[uid] = there
                if kind is Kind.POD:
                    self._bodies[uid] = self._bodies_of[there.key.namespace][uid] = there.body

    def _fold(self, change: WatchEvent) -> Entry | None:
        """Take a change in; returns its object as it was before."""
        key = change.key
        if key.kind is Kind.POD:
            return self._fold_pod(key, change)
        entries = self._kinds[key.kind]
        gone = change.verb is Verb.DELETED
        before = entries.pop(key.uid, None) if gone else entries.get(key.uid)
        mark = "" if gone else _mark(key.kind, change.body)
        if key.kind is Kind.NODE:
            self._ready += _is_ready(mark) - (before is not None and _is_ready(before.mark))
        if not gone:
            entries[key.uid] = Entry(key, change.version, change.body, mark)
        return before

    def _fold_pod(self, key: ObjectKey, change: WatchEvent) -> Entry | None:
        pods, phases = self._pods, self._phases
        if change.verb is Verb.DELETED:
            gone = pods.pop(key.uid, None)
            if gone is None:
                return None
            phases[gone.mark] -= 1
            namespace = gone.key.namespace
            del self._bodies[key.uid], self._bodies_of[namespace][key.uid]
            if not self._bodies_of[namespace]:
                del self._bodies_of[namespace]
            return gone
        before = pods.get(key.uid)
        phase = _decode_mark(change.body).phase
        pods[key.uid] = Entry(key, change.version, change.body, phase)
        self._bodies[key.uid] = change.body
        try:
            self._bodies_of[key.namespace][key.uid] = change.body
        except KeyError:
            self._bodies_of[key.namespace] = {key.uid: change.body}
        phases[phase] = phases.get(phase, 0) + 1
        if before is not None:
            phases[before.mark] -= 1
        return before

    def entries(self, kind: Kind) -> Iterable[Entry]:
        """The objects of a kind, in the order in which they came."""
        return self._kinds[kind].values()

    def pod_bodies(self, namespaces: Collection[str] | None) -> list[bytes]:
        """The bodies of the pods of these namespaces, one after the other, or of all: what a snapshot needs, fast."""
        if namespaces is None:
            return list(self._bodies.values())
        names = sorted(name for name in namespaces if name in self._bodies_of)
        return list(chain.from_iterable(self._bodies_of[name].values() for name in names))

    def pod_uids(self, namespaces: Collection[str] | None) -> list[str]:
        """The uids of the same, in the same order."""
        if namespaces is None:
            return list(self._bodies)
        names = sorted(name for name in namespaces if name in self._bodies_of)
        return list(chain.from_iterable(self._bodies_of[name] for name in names))

    def pod(self, uid: str) -> Entry | None:
        """The pod of that uid, if it is there."""
        return self._pods.get(uid)

    def __iter__(self) -> Iterator[Entry]:
        for kind in Kind:
            yield from self._kinds[kind].values()

    def __len__(self) -> int:
        return sum(map(len, self._kinds.values()))

    def versions(self) -> Mapping[ObjectKey, str]:
        """Object → the resourceVersion at which it was last recorded."""
        return {entry.key: entry.version for entry in self}

    def pod_count(self, namespace: str) -> int:
        return len(self._bodies_of.get(namespace, ()))

    def counts(self) -> Counts:
        phases = self._phases
        return Counts(
            totalNodes=len(self._kinds[Kind.NODE]),
            readyNodes=self._ready,
            totalPods=len(self._pods),
            runningPods=phases.get("Running", 0),
            pendingPods=phases.get("Pending", 0),
            failedPods=phases.get("Failed", 0),
        )


def _mark(kind: Kind, body: bytes) -> str:
    """Of an object that is no pod."""
    return _decode_mark(body).status if kind is Kind.NODE else ""


def _is_ready(status: str) -> bool:
    return status == "Ready" or status.startswith("Ready,")


def with_pod_count(body: bytes, count: int) -> bytes:
    """A namespace's body with its `podCount` set, whether or not it had one (it is always the last field)."""
    return b"%b%b%d}" % (_uncounted(body), _POD_COUNT, count)


def without_pod_count(body: bytes) -> bytes:
    """A namespace's body for one who is shown no pods."""
    return _uncounted(body) + b"}"


def _uncounted(body: bytes) -> bytes:
    head, found, _ = body.rpartition(_POD_COUNT)
    return head if found else body[:-1]
