"""What is known to be past: told again by a watch, it is no news."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from kstream.core.kube.resources import Decoded
from kstream.core.timeline.events import Verb, WatchEvent

_KEPT: Final = 1000  # of the last changes of a stream
_KEPT_DELETIONS: Final = 10_000


class Superseded:
    """A server may repeat itself, and tell an older state after a newer one. Versions have no order to find that by;
    but one that an object has had and lost is recognised by equality alone.

    A uid that is gone is never given again: told with a version that it never had, it is of another history, after a
    restore of etcd. A list is believed: versions are used again, and what was deleted may be back.
    """

    def __init__(self) -> None:
        self._past: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._gone: OrderedDict[str, None] = OrderedDict()

    def passed(self, item: Decoded, before: str) -> bool:
        """Is this an older state told as news? Else what the object was `before` ("" for unknown) is past now."""
        uid = item.key.uid
        if (uid, item.version) in self._past:
            return True
        if uid in self._gone:
            return False
        if before and before != item.version:
            self._past[uid, before] = None
            self._bound()
        return False

    def _bound(self) -> None:
        if len(self._past) > _KEPT:
            self._past.popitem(last=False)

    def contradicts(self, verb: str, item: Decoded, known: str) -> bool:
        """Another history goes on here, after a restore of etcd: an object that is gone is back, one that nobody told
        of is changed, one that is there is added once more (LISTWATCH 8). `known`: its version, "" for unknown."""
        if item.key.uid in self._gone:
            return verb != Verb.DELETED
        if verb == Verb.MODIFIED:
            return not known
        return verb == Verb.ADDED and known not in ("", item.version)

    def noted(self, changes: list[WatchEvent]) -> list[WatchEvent]:
        """The same changes; what they delete is gone, however that was learned."""
        for change in changes:
            if change.verb is Verb.DELETED:
                self._gone[change.key.uid] = None
                self._past[change.key.uid, change.version] = None
                self._bound()
                if len(self._gone) > _KEPT_DELETIONS:
                    self._gone.popitem(last=False)
        return changes

    def listed(self, items: Iterable[Decoded]) -> None:
        """These exist, whatever was known of them."""
        if self._gone:
            for item in items:
                self._gone.pop(item.key.uid, None)

    def relisted(self) -> None:
        """A list is complete: versions may begin anew."""
        self._past.clear()
