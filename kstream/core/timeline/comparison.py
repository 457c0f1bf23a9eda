"""Which objects came, went and changed between two states, and in what; not what was in between."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from kstream.core.timeline.difference import Difference, differences
from kstream.core.timeline.events import Event, Kind, ObjectKey, Verb
from kstream.core.timeline.state import ClusterState, Entry, with_pod_count
from kstream.core.timeline.timepoint import timestamp

Shows = Callable[[ObjectKey, bytes], bool]
"""Whether an object, with this body, is one of those that are asked for."""


class Change(NamedTuple):
    """What became of one object."""

    verb: Verb
    key: ObjectKey
    changes: Sequence[Difference] = ()  # of what was there and is

    def as_json(self) -> dict[str, Any]:
        changes = [each._asdict() for each in self.changes]
        return {"action": self.verb.value, **key_as_json(self.key), "changes": changes}


def compared(before: ClusterState, after: ClusterState, shows: Shows) -> Iterator[Change]:
    """Of the objects that are asked for: one that was none of them before is ADDED, one that is none after DELETED."""
    for kind in Kind:
        then, now = (
            {entry.key.uid: entry for entry in _shown(state, kind, shows)} for state in (before, after)
        )
        for uid, entry in (then | now).items():
            if uid not in then or uid not in now:
                yield Change(Verb.DELETED if uid in then else Verb.ADDED, entry.key)
            elif then[uid].body != entry.body and (changed := differences(then[uid].body, entry.body)):
                yield Change(Verb.MODIFIED, entry.key, changed)


def _shown(state: ClusterState, kind: Kind, shows: Shows) -> Iterable[Entry]:
    """As a client is shown them: how many pods a namespace has is said of the moment."""
    for entry in state.entries(kind):
        if not shows(entry.key, entry.body):
            continue
        if kind is Kind.NAMESPACE:
            count = state.pod_count(entry.key.name)
            yield Entry(entry.key, entry.version, with_pod_count(entry.body, count), entry.mark)
        else:
            yield entry


class Biography:
    """What happened to an object, or to several, from version to version."""

    def __init__(self, known: Iterable[Entry]) -> None:
        """`known`: as they were before the first event that is told."""
        self._bodies = {entry.key.uid: entry.body for entry in known}

    def tell(self, event: Event) -> dict[str, Any]:
        """One event: its number, time, action and version, and what changed by path, as JSON. In order."""
        change = event.change
        before = self._bodies.get(change.key.uid, b"")
        deleted = change.verb is Verb.DELETED
        changed = [] if deleted else differences(before, change.body)
        self._bodies[change.key.uid] = b"" if deleted else change.body
        return {
            "seq": event.seq,
            "time": timestamp(change.time),
            "action": change.verb.value,
            "uid": change.key.uid,
            "version": change.version,
            "changes": [each._asdict() for each in changed] if change.verb is Verb.MODIFIED else [],
        }


def key_as_json(key: ObjectKey) -> dict[str, str]:
    return {"kind": key.kind.value, "namespace": key.namespace, "name": key.name, "uid": key.uid}
