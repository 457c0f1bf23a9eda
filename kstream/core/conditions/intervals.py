"""From when to when a condition was true of which object, each with the events that prove it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from kstream.core.timeline.comparison import key_as_json
from kstream.core.timeline.events import Event, ObjectKey, Verb
from kstream.core.timeline.state import Entry
from kstream.core.timeline.timepoint import timestamp


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


def intervals(
    known: Iterable[Entry], events: Iterable[Event], start: Moment, judge: Callable[[bytes], bool]
) -> list[Interval]:
    """Of objects as they were at `start` and all their events after it, in order; by the event that begins each."""
    open_: dict[ObjectKey, tuple[Moment, bool]] = {
        each.key: (start, True) for each in known if judge(each.body)
    }
    made: list[Interval] = []
    for event in events:
        change = event.change
        key, now = change.key, Moment(event.seq, change.time)
        true = change.verb is not Verb.DELETED and judge(change.body)
        if true and key not in open_:
            open_[key] = now, False
        elif not true and (since := open_.pop(key, None)) is not None:
            made.append(Interval(key, since[0], now, since[1]))
    made += [Interval(key, since, None, earlier) for key, (since, earlier) in open_.items()]
    return sorted(made, key=lambda each: (each.since.seq, not each.earlier, each.key.uid))
