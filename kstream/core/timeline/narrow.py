"""Which events are looked for: what a log can tell of them without anybody reading their bodies."""

from __future__ import annotations

from typing import NamedTuple

from kstream.core.timeline.events import Kind, WatchEvent


class Narrow(NamedTuple):
    """What has to be true of an event, all of it; None is anything."""

    kinds: frozenset[Kind] | None = None
    namespaces: frozenset[str] | None = None  # pods and namespaces of these names, and every node
    names: frozenset[str] | None = None
    uids: frozenset[str] | None = None
    texts: frozenset[str] | None = None  # its body has one of them

    def fits(self, change: WatchEvent) -> bool:
        key, namespaces = change.key, self.namespaces
        place = key.namespace if key.kind is Kind.POD else key.name
        return (
            (self.kinds is None or key.kind in self.kinds)
            and (namespaces is None or key.kind is Kind.NODE or place in namespaces)
            and (self.names is None or key.name in self.names)
            and (self.uids is None or key.uid in self.uids)
            and (self.texts is None or any(text.encode() in change.body for text in self.texts))
        )
