"""Versions of objects that are known to be past: told again, they are no news."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from kstream.core.resources import Decoded

KEPT: Final = 1000  # of the last changes of a stream


class Superseded:
    """A server may repeat itself, and tell an older state after a newer one. Versions have no order to find that by;
    but one that an object has had and lost is recognised by equality alone.

    Not across a list: after a restore of etcd, versions are used again.
    """

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._past: OrderedDict[tuple[str, str], None] = OrderedDict()

    def passed(self, item: Decoded, before: str) -> bool:
        """Is this an older state told as news? Else what the object was `before` ("" for unknown) is past now."""
        uid = item.key.uid
        if (uid, item.version) in self._past:
            return True
        if before and before != item.version:
            self._past[uid, before] = None
            if len(self._past) > self._kept:
                self._past.popitem(last=False)
        return False

    def clear(self) -> None:
        self._past.clear()
