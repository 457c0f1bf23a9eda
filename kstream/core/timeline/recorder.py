"""What a source says → what the log keeps.

A source may repeat itself, list what is known, or touch what clients never see. The recorder compares with the
state so far and lets through only what changes a resource (PROTOCOL 12), with the verb that is true of the log.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from kstream.core.timeline.events import Kind, ObjectKey, Verb, WatchEvent
from kstream.core.timeline.state import ClusterState, with_pod_count


class Recorder:
    """Remembers what it lets through, so every change it returns must be appended to the log, in order."""

    def __init__(self, state: ClusterState) -> None:
        """`state` is that of the log so far; it is read here and not again."""
        self._recorded: dict[Kind, dict[str, WatchEvent]] = {
            kind: {
                entry.key.uid: WatchEvent(Verb.ADDED, entry.key, entry.version, state.time, entry.body)
                for entry in state.entries(kind)
            }
            for kind in Kind
        }
        self._pods_of: dict[str, int] = {}
        for change in self._recorded[Kind.POD].values():
            self._count_pod(change.key.namespace, 1)
        self.suppressed = 0  # changes that were none: heartbeats, managedFields, repeats

    def take(self, changes: Iterable[WatchEvent]) -> list[WatchEvent]:
        """The changes to append: verbs corrected, no-ops dropped, `podCount` stamped on namespaces.

        ADDED of a known object becomes MODIFIED and the other way round; DELETED of an unknown one is dropped. A uid
        that is told of at another place (no API server does that) is gone from the one before.
        """
        pod_kind, added, deleted = Kind.POD, Verb.ADDED, Verb.DELETED
        pods, pods_of = self._recorded[pod_kind], self._pods_of
        kept: list[WatchEvent] = []
        for change in changes:
            key = change.key
            if key.kind is not pod_kind:
                kept += self._take_other(change)
                continue
            before = pods.get(key.uid)
            if before is not None and before.key != key and change.verb is not deleted:
                kept.append(msgspec.structs.replace(before, verb=Verb.DELETED, time=change.time))
                del pods[key.uid]
                self._count_pod(before.key.namespace, -1)
                before = None
            if change.verb is deleted:
                if before is None or before.key != key:
                    self.suppressed += 1
                    continue
                del pods[key.uid]
                self._count_pod(before.key.namespace, -1)
            else:
                if before is None:
                    pods_of[key.namespace] = pods_of.get(key.namespace, 0) + 1
                    verb = added
                elif before.body == change.body:
                    self.suppressed += 1
                    continue
                else:
                    verb = Verb.MODIFIED
                if verb is not change.verb:
                    change = msgspec.structs.replace(change, verb=verb)
                pods[key.uid] = change
            kept.append(change)
        return kept

    def _take_other(self, change: WatchEvent) -> list[WatchEvent]:
        """A node or a namespace: what to append."""
        key, body = change.key, change.body
        recorded = self._recorded[key.kind]
        before = recorded.get(key.uid)
        kept: list[WatchEvent] = []
        if change.verb is Verb.DELETED:
            if before is None or before.key != key:
                self.suppressed += 1
                return kept
            del recorded[key.uid]
            return [change]
        if before is not None and before.key != key:
            kept.append(msgspec.structs.replace(before, verb=Verb.DELETED, time=change.time))
            before = None
        if key.kind is Kind.NAMESPACE:
            same = before is not None and _without_count(before.body) == _without_count(body)
            body = with_pod_count(body, self._pods_of.get(key.name, 0))
        else:
            same = before is not None and before.body == body
        if same:
            self.suppressed += 1
            return kept
        verb = Verb.ADDED if before is None else Verb.MODIFIED
        change = WatchEvent(verb, key, change.version, change.time, body)
        recorded[key.uid] = change
        return [*kept, change]

    def versions(self) -> Mapping[ObjectKey, str]:
        """Object → the resourceVersion it was last recorded at: what a source need not list again."""
        return {
            change.key: change.version for recorded in self._recorded.values() for change in recorded.values()
        }

    def _count_pod(self, namespace: str, step: int) -> None:
        left = self._pods_of.get(namespace, 0) + step
        if left:
            self._pods_of[namespace] = left
        else:
            del self._pods_of[namespace]


def _without_count(body: bytes) -> bytes:
    return with_pod_count(body, 0)
