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
    but one that an object has had and lost is recognised by equality alone, and so is a uid that is gone: it is never
    given again.

    A list is believed: after a restore of etcd, versions are used again, and what was deleted may be back.
    """

    def __init__(self) -> None:
        self._past: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._gone: OrderedDict[str, None] = OrderedDict()

    def passed(self, item: Decoded, before: str) -> bool:
        """Is this an older state told as news? Else what the object was `before` ("" for unknown) is past now."""
        uid = item.key.uid
        if uid in self._gone or (uid, item.version) in self._past:
            return True
        if before and before != item.version:
            self._past[uid, before] = None
            if len(self._past) > _KEPT:
                self._past.popitem(last=False)
        return False

    def noted(self, changes: list[WatchEvent]) -> list[WatchEvent]:
        """The same changes; what they delete is gone, however that was learned."""
        for change in changes:
            if change.verb is Verb.DELETED:
                self._gone[change.key.uid] = None
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
