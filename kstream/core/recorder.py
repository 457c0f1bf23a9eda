"""What a source says → what the log keeps.

A source may repeat itself, list what is known, or touch what clients never see. The recorder compares with the
state so far and lets through only what changes a resource (PROTOCOL 12), with the verb that is true of the log.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kstream.core.events import Event, Kind, ObjectKey, Verb, WatchEvent
from kstream.core.state import ClusterState, with_pod_count


class Recorder:
    """Folds what it lets through, so every change it returns must be appended to the log, in order."""

    def __init__(self, state: ClusterState) -> None:
        self._state = state
        self.suppressed = 0  # changes that were none: heartbeats, managedFields, repeats

    def take(self, changes: Iterable[WatchEvent]) -> list[WatchEvent]:
        """The changes to append: verbs corrected, no-ops dropped, `podCount` stamped on namespaces.

        ADDED of a known object becomes MODIFIED and the other way round; DELETED of an unknown one is dropped.
        """
        state = self._state
        kept: list[WatchEvent] = []
        for change in changes:
            before = state.get(change.key)
            body = change.body
            verb = change.verb
            if verb is Verb.DELETED:
                if before is None:
                    self.suppressed += 1
                    continue
            else:
                if change.key.kind is Kind.NAMESPACE:
                    if before is not None and _without_count(before.body) == _without_count(body):
                        self.suppressed += 1
                        continue
                    body = with_pod_count(body, state.pod_count(change.key.name))
                elif before is not None and before.body == body:
                    self.suppressed += 1
                    continue
                verb = Verb.ADDED if before is None else Verb.MODIFIED
            if verb is not change.verb or body is not change.body:
                change = change._replace(verb=verb, body=body)
            state.apply(Event(state.seq + 1, change))
            kept.append(change)
        return kept

    def versions(self) -> Mapping[ObjectKey, str]:
        """Object → the resourceVersion it was last recorded at: what a source need not list again."""
        return self._state.versions()


def _without_count(body: bytes) -> bytes:
    return with_pod_count(body, 0)
