"""What is known of one kind of object: what a list is diffed against (LISTWATCH 8)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kstream.core.kube.resources import Decoded
from kstream.core.timeline.events import Fact, Kind, ObjectKey, Verb, WatchEvent, deleted_body


class _Entry(Fact, frozen=True, gc=False):
    key: ObjectKey
    version: str
    sweep: int  # the last list that held it


class Inventory:
    """Namespace → name → uid and version. No bodies: 150,000 pods have to fit.

    The streams of a kind share one: a watch of all pods and the watches per namespace that stand in for it. `time` is
    that of the events, seconds since the Unix epoch.
    """

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self._namespaces: dict[str, dict[str, _Entry]] = {}
        self._sweep = 0
        self._doubtful: list[ObjectKey] = []
        self._doubted = -1  # of what no list has held since this one, an equal version proves nothing

    def load(self, objects: Iterable[tuple[ObjectKey, str]]) -> None:
        """Take over what the log holds, whose versions are doubted; of two objects of one name the next list tells
        which is gone."""
        self.doubt()
        for key, version in objects:
            if key.kind is self.kind:
                names = self._namespaces.setdefault(key.namespace, {})
                if (other := names.get(key.name)) is not None:
                    self._doubtful.append(other.key)
                names[key.name] = _Entry(key, version, 0)

    def doubt(self) -> None:
        """Perhaps another history goes on, after a restore of etcd, in which versions are used again: what is seen is
        told, even at the version that is known. Whether it differs, the recorder finds out."""
        self._doubted = self._sweep

    def count(self, namespace: str = "") -> int:
        """How many objects a namespace has; "" is all of them."""
        return sum(map(len, self._scope(namespace)))

    @property
    def namespaces(self) -> Iterable[str]:
        """Those that have objects; "" is that of what has none."""
        return self._namespaces.keys()

    def known(self, namespace: str = "") -> Iterator[ObjectKey]:
        """The objects of a namespace; "" is all of them."""
        for names in self._scope(namespace):
            for entry in names.values():
                yield entry.key

    def version(self, key: ObjectKey) -> str:
        """The version at which the object is known, "" if it is not."""
        entry = self._namespaces.get(key.namespace, {}).get(key.name)
        return entry.version if entry is not None and entry.key.uid == key.uid else ""

    def begin_sweep(self) -> int:
        """A list begins: what it does not hold at its end is gone."""
        self._sweep += 1
        return self._sweep

    def see(self, items: Iterable[Decoded], *, time: float, sweep: int = 0) -> list[WatchEvent]:
        """The objects exist as `items` say. Nothing for a repetition; another uid is another object."""
        added, doubted = Verb.ADDED, self._doubted
        namespaces = self._namespaces
        namespace, names = "", namespaces.get("")
        events: list[WatchEvent] = []
        for item in items:
            key, version = item.key, item.version
            if names is None or key.namespace != namespace:  # a list has a namespace's objects side by side
                namespace = key.namespace
                names = namespaces.setdefault(namespace, {})
            before = names.get(key.name)
            if before is None:
                names[key.name] = _Entry(key, version, sweep)
                events.append(WatchEvent(added, key, version, time, item.body))
                continue
            names[key.name] = _Entry(key, version, sweep or before.sweep)
            if before.key.uid != key.uid:
                body = deleted_body(before.key)
                events.append(WatchEvent(Verb.DELETED, before.key, before.version, time, body))
                events.append(WatchEvent(added, key, version, time, item.body))
            elif before.version != version or not version or before.sweep <= doubted:
                events.append(WatchEvent(Verb.MODIFIED, key, version, time, item.body))
        return events

    def drop(self, item: Decoded, *, time: float) -> list[WatchEvent]:
        """The object is gone; nothing if it was not known (or was known under another uid)."""
        key = item.key
        names = self._namespaces.get(key.namespace, {})
        before = names.get(key.name)
        if before is None or before.key.uid != key.uid:
            return []
        self._forget(names, key)
        return [WatchEvent(Verb.DELETED, key, item.version, time, item.body)]

    def end_sweep(self, sweep: int, *, namespace: str, time: float) -> list[WatchEvent]:
        """The list is complete: synthetic DELETED for what it did not hold."""
        absent = [
            entry for names in self._scope(namespace) for entry in names.values() if entry.sweep != sweep
        ]
        doubtful, self._doubtful = self._doubtful, []
        present = {key.uid for key in self.known(namespace)} if doubtful else set()
        gone = [(key, "") for key in doubtful if key.uid not in present]
        for entry in absent:
            gone.append((entry.key, entry.version))
            self._forget(self._namespaces[entry.key.namespace], entry.key)
        return [WatchEvent(Verb.DELETED, key, version, time, deleted_body(key)) for key, version in gone]

    def clear(self, namespace: str, *, time: float) -> list[WatchEvent]:
        """The namespace is gone: synthetic DELETED for all that was in it."""
        return self.end_sweep(self.begin_sweep(), namespace=namespace, time=time)

    def _scope(self, namespace: str) -> Iterable[dict[str, _Entry]]:
        if not namespace:
            return self._namespaces.values()
        return (self._namespaces.get(namespace, {}),)

    def _forget(self, names: dict[str, _Entry], key: ObjectKey) -> None:
        del names[key.name]
        if not names:
            del self._namespaces[key.namespace]
