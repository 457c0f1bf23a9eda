"""From when to when a condition was true of which object, each with the events that prove it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from kstream.core.timeline.comparison import key_as_json
from kstream.core.timeline.events import Event, ObjectKey, Verb
from kstream.core.timeline.state import Entry
from kstream.core.timeline.timepoint import timestamp

_ALL = 2**62  # more than there can be


class Moment(NamedTuple):
    """Right after event `seq`; `time` in seconds since the Unix epoch."""

    seq: int
    time: float

    def as_json(self) -> dict[str, Any]:
        return {"seq": self.seq, "time": timestamp(self.time)}


class Interval(NamedTuple):
    """True of an object from one event on until another one; `until` is None where it still was at the end.

    `earlier`: it was already at the beginning of what was looked at, so `since` is that beginning.
    """

    key: ObjectKey
    since: Moment
    until: Moment | None
    earlier: bool = False

    def as_json(self) -> dict[str, Any]:
        until = self.until.as_json() if self.until is not None else None
        return {
            **key_as_json(self.key),
            "from": self.since.as_json(),
            "until": until,
            "earlier": self.earlier,
        }


class Intervals:
    """Those of objects as they were at `start`, made of all their events after it, as they come.

    Of those that begin after `start` it holds the first `most` and no others, so it takes no memory for an object with
    a hundred thousand versions.
    """

    def __init__(
        self,
        known: Iterable[Entry],
        start: Moment,
        judge: Callable[[bytes], bool],
        *,
        most: int = _ALL,
    ) -> None:
        self._judge = judge
        self._room = most
        self._made: list[Interval] = []
        self._open: dict[ObjectKey, tuple[Moment, bool]] = {
            each.key: (start, True) for each in known if judge(each.body)
        }

    @property
    def complete(self) -> bool:
        """No further event can change what is found."""
        return not self._room and not self._open

    def take(self, events: Iterable[Event]) -> None:
        """The next ones, in order."""
        for event in events:
            change = event.change
            key, now = change.key, Moment(event.seq, change.time)
            true = change.verb is not Verb.DELETED and self._judge(change.body)
            if true and key not in self._open:
                if self._room:
                    self._room -= 1
                    self._open[key] = now, False
            elif not true and (since := self._open.pop(key, None)) is not None:
                self._made.append(Interval(key, since[0], now, since[1]))

    def found(self) -> list[Interval]:
        """By the event that begins each; those that did not end are true still."""
        going_on = [Interval(key, since, None, earlier) for key, (since, earlier) in self._open.items()]
        return sorted(
            [*self._made, *going_on], key=lambda each: (each.since.seq, not each.earlier, each.key.uid)
        )


def intervals(
    known: Iterable[Entry], events: Iterable[Event], start: Moment, judge: Callable[[bytes], bool]
) -> list[Interval]:
    """Of objects as they were at `start` and all their events after it, in order; by the event that begins each."""
    made = Intervals(known, start, judge)
    made.take(events)
    return made.found()
