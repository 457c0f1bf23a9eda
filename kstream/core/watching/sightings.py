"""What a stream tells of objects → what happened to them, beside what is known and what is past (LISTWATCH 8)."""

from __future__ import annotations

from collections.abc import Sequence

from kstream.core.kube.resources import Decoded
from kstream.core.timeline.events import Verb, WatchEvent
from kstream.core.watching.inventory import Inventory
from kstream.core.watching.reflection import Moment, Stream, Tally
from kstream.core.watching.superseded import Superseded


class Sightings:
    """Of one stream. What changes nothing is counted as suppressed in `tally`."""

    def __init__(self, stream: Stream, inventory: Inventory, tally: Tally) -> None:
        self._stream = stream
        self._inventory = inventory
        self._tally = tally
        self._superseded = Superseded()

    def seen(self, items: Sequence[Decoded], now: Moment, *, sweep: int) -> list[WatchEvent]:
        """These exist; `sweep` is the list that says so, 0 for a watch."""
        if self._stream.only:
            items = [item for item in items if self._follows(item)]
        self._superseded.listed(items if sweep else ())
        events = self._superseded.noted(self._inventory.see(items, time=now.time, sweep=sweep))
        self._tally.suppressed += max(0, len(items) - len(events))
        return events

    def past(self, item: Decoded) -> bool:
        """An older state is told as news: it is none, and moves no version."""
        past = self._superseded.passed(item, self._inventory.version(item.key))
        self._tally.suppressed += past
        return past

    def told(self, verb: str, item: Decoded, now: Moment, *, sweep: int) -> list[WatchEvent] | None:
        """A line of a watch; None for one that cannot follow from what was told before: another history goes on."""
        known = self._inventory.version(item.key)
        if not sweep and self._follows(item) and self._superseded.contradicts(verb, item, known):
            return None
        if verb == Verb.DELETED:
            return self._superseded.noted(self._inventory.drop(item, time=now.time))
        return self.seen((item,), now, sweep=sweep)

    def complete(self, sweep: int, now: Moment) -> list[WatchEvent]:
        """The list is complete: what it did not hold is gone, and versions may begin anew."""
        self._superseded.relisted()
        absent = self._inventory.end_sweep(sweep, namespace=self._stream.namespace, time=now.time)
        return self._superseded.noted(absent)

    def _follows(self, item: Decoded) -> bool:
        return not self._stream.only or item.key.name in self._stream.only
