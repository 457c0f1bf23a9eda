"""The objects of a cluster and their history, as an API server keeps them. Pure: no I/O, no clock.

Every write has a version (resourceVersion), one count for all kinds, as in etcd. What was written stays readable at
its version until it is compacted; then a list or a watch from there is refused, and the client must list again.
Objects are encoded once, when they are written; everything served is joined from those bytes.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import msgspec

from kstream.core.timeline.events import Kind, Verb
from simulator.cluster.objects import Change

_BUMP: Final = 1_000_000_000  # as the manual of etcd has it; behind the billions is the feed's own version
_KEPT_SNAPSHOTS: Final = 4  # per kind: what the clients that are in the middle of a paged list read from


class Entry(NamedTuple):
    """One version of one object."""

    key: str  # "namespace/name", or "name" where there is no namespace; lists are in its order
    version: int
    body: bytes  # JSON without `kind` and `apiVersion`, as it stands in the items of a list


class Record(NamedTuple):
    """One write."""

    version: int
    time: float  # of the Change
    verb: Verb
    entry: Entry  # of a deletion: the object as it last was, at the version of the deletion
    previous: Entry | None


class CompactedError(Exception):
    """The history at that version is gone."""


class FutureError(Exception):
    """No write has had that version yet."""


class Snapshot(NamedTuple):
    """All objects of one kind as they were at one version, in the order of their keys."""

    version: int
    keys: Sequence[str]
    entries: Sequence[Entry]

    def span(self, namespace: str) -> tuple[int, int]:
        """Where the objects of a namespace begin and end; "" is all of them."""
        if not namespace:
            return 0, len(self.keys)
        return bisect_left(self.keys, f"{namespace}/"), bisect_left(
            self.keys, f"{namespace}0"
        )  # "0" follows "/"


class Shelf:
    """The objects of one kind."""

    def __init__(self) -> None:
        self.current: dict[str, Entry] = {}
        self.log: list[Record] = []
        self.dropped = 0  # how many records were compacted: the position of log[0]
        self.snapshots: OrderedDict[int, Snapshot] = OrderedDict()

    def position(self, version: int) -> int:
        """Where in the log to read on for the writes after `version`."""
        return self.dropped + bisect_right(self.log, version, key=lambda record: record.version)

    def at(self, version: int) -> Snapshot:
        """The objects at a version that is not compacted."""
        position = self.position(version)
        base = self.log[position - self.dropped - 1].version if position > self.dropped else -1
        known = self.snapshots.get(base)
        if known is None:
            objects = dict(self.current)
            for record in reversed(self.log[position - self.dropped :]):
                if record.previous is None:
                    objects.pop(record.entry.key, None)
                else:
                    objects[record.entry.key] = record.previous
            keys = sorted(objects)
            known = Snapshot(version, keys, [objects[key] for key in keys])
            self.snapshots[base] = known
            while len(self.snapshots) > _KEPT_SNAPSHOTS:
                self.snapshots.popitem(last=False)
        self.snapshots.move_to_end(base)
        return known._replace(version=version)


class Store:
    """A cluster: what is there, and what was written since the last compaction."""

    def __init__(self) -> None:
        self._shelves = {kind: Shelf() for kind in Kind}
        self._listeners: list[Callable[[], None]] = []
        self.version = 0  # of the newest write
        self.compacted = 0  # what came before this version cannot be read any more
        self.writes = 0  # how many there were
        self._behind = 0  # versions of the feed's, since it was restored from a copy; below 0: before them

    def apply(self, change: Change) -> None:
        """Write one object. Its metadata.resourceVersion must be a number greater than every one before it.

        Raises ValueError if it is not, or if the object to delete is not there. After a restore its version is counted
        from the copy, and what the copy does not have is made, or not there to delete.
        """
        metadata = change.object["metadata"]
        name, namespace = metadata["name"], metadata.get("namespace", "")
        key = f"{namespace}/{name}" if namespace else name
        version = int(metadata["resourceVersion"]) - self._behind
        if version <= self.version:
            raise ValueError(
                f"{change.kind} {key}: version {version} is not newer than {self.version}, the last one written; "
                "feed changes in the order of their versions"
            )
        bare = {field: value for field, value in change.object.items() if field not in ("kind", "apiVersion")}
        if self._behind:
            bare["metadata"] = metadata | {"resourceVersion": str(version)}
        entry = Entry(key, version, msgspec.json.encode(bare))
        shelf = self._shelves[change.kind]
        previous = shelf.current.get(key)
        if change.verb is Verb.DELETED:
            if previous is None and self._behind:
                self._reach(version)
                return
            if previous is None:
                raise ValueError(f"{change.kind} {key} cannot be deleted: it is not there")
            del shelf.current[key]
        else:
            shelf.current[key] = entry
        verb = Verb.ADDED if previous is None and self._behind else change.verb
        shelf.log.append(Record(version, change.time, verb, entry, previous))
        self.version = version
        self.writes += 1
        self._tell()

    def advance(self, version: int) -> None:
        """Note that a kind that is not kept here was written: the newest version moves, nothing else does."""
        self._reach(version - self._behind)

    def _reach(self, version: int) -> None:
        self.version = max(self.version, version)

    def begun_anew(self) -> Store:
        """Empty, for what etcd is when a copy is restored as its manual says for Kubernetes, with `--bump-revision` and
        `--mark-compacted`: versions go on far above all that were given, and from none of those can anybody go on."""
        other = Store()
        other.version = other.compacted = (self.version // _BUMP + 1) * _BUMP
        other.writes = self.writes
        other._behind = -other.version
        return other

    def restored(self, time: float) -> Store:
        """What etcd is when it is put back to the copy of `time`, seconds since the Unix epoch, or to the oldest there
        is: history branches there, and the versions after it are given once more."""
        newer = [
            record.version for shelf in self._shelves.values() for record in shelf.log if record.time > time
        ]
        version = min(newer, default=self.version + 1) - 1
        copy = Store()
        copy.version = version
        copy.writes = self.writes
        copy._behind = self._behind + self.version - version
        for kind, shelf in self._shelves.items():
            snapshot = shelf.at(version)
            copy._shelves[kind].current = dict(zip(snapshot.keys, snapshot.entries, strict=True))
        copy.compact()  # nobody watches on from before
        return copy

    def compact(self, version: int | None = None) -> None:
        """Forget the history up to `version`, by default all of it. The newest state stays."""
        upto = self.version if version is None else min(version, self.version)
        if upto <= self.compacted:
            return
        self.compacted = upto
        for shelf in self._shelves.values():
            gone = shelf.position(upto) - shelf.dropped
            del shelf.log[:gone]
            shelf.dropped += gone
            shelf.snapshots.clear()

    def compact_before(self, time: float) -> None:
        """Forget the writes that were made before `time`, seconds since the Unix epoch."""
        upto = 0
        for shelf in self._shelves.values():
            for record in shelf.log:
                if record.time >= time:
                    break
                upto = max(upto, record.version)
        self.compact(upto)

    def get(self, kind: Kind, namespace: str, name: str) -> Entry | None:
        return self._shelves[kind].current.get(f"{namespace}/{name}" if namespace else name)

    def count(self, kind: Kind) -> int:
        return len(self._shelves[kind].current)

    def snapshot(self, kind: Kind, version: int | None = None) -> Snapshot:
        """The objects of a kind at `version`, by default now. Raises CompactedError and FutureError."""
        at = self.version if version is None else version
        if at > self.version:
            raise FutureError(at)
        if at < self.compacted:
            raise CompactedError(at)
        return self._shelves[kind].at(at)

    def position(self, kind: Kind, version: int) -> int:
        """Where to read the writes after `version`, which may be in the future. Raises CompactedError."""
        if version < self.compacted:
            raise CompactedError(version)
        return self._shelves[kind].position(version)

    def read(self, kind: Kind, position: int, most: int = 500) -> Sequence[Record]:
        """The next writes of a kind from a position. Raises CompactedError if they are gone."""
        shelf = self._shelves[kind]
        if position < shelf.dropped:
            raise CompactedError(position)
        first = position - shelf.dropped
        return shelf.log[first : first + most]

    @property
    def listeners(self) -> int:
        """How many listen: one for each open watch, and whoever else does."""
        return len(self._listeners)

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after every write, until the function that is returned is called."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _tell(self) -> None:
        for listener in tuple(self._listeners):
            listener()
