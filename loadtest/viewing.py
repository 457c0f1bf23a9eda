"""What one who goes to and fro checks beside what everyone does: that what came is the log, and came when it was due.

Pure, as `stream.py` is. A span is what came since the last state, or the last look: `astray` compares it with what
`/api/events` says of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from loadtest.stream import CheckedStream, ContractError, Json

_EARLY = 0.25  # seconds of the wall that an event may seem to come too early, times the speed: two clocks, one network


class Span(NamedTuple):
    """What came of the events with after < seq <= upto."""

    after: int
    upto: int
    events: tuple[Json, ...]


class _Pace(NamedTuple):
    """At `at`, in seconds since the Unix epoch, somewhen between the instants `asked` and `told`; on at `speed`."""

    at: float
    speed: float
    asked: float
    told: float


class ViewedStream(CheckedStream):
    """The messages to one who moves between the present, timelines of its own and those of others."""

    def __init__(self, namespaces: frozenset[str] | None = None) -> None:
        super().__init__(namespaces)
        self.late: float | None = (
            None  # seconds that the last event was shown after its time, where that is known
        )
        self.returning: float | None = (
            None  # when a connection was asked for that begins on a timeline of its own
        )
        self._asked: float | None = None  # when the last command was sent; None: others move this timeline
        self._leaving: str | None = None  # the timeline of another, until a command has led away from it
        self._jumping = False
        self._kept: tuple[str | None, str] | None = None  # of which timeline it was told that it begins when
        self._pace: _Pace | None = None
        self._after: int | None = None
        self._events: list[Json] = []

    @property
    def playback(self) -> Json:
        """The data of the last `playback`; {} before the first one of a connection."""
        return self.state.playback or {}

    @property
    def timeline(self) -> str | None:
        """The id of the private timeline that it is on; None: the one that all share."""
        return self.playback.get("id")

    @property
    def moves(self) -> bool:
        """That timeline is its own."""
        return self.timeline not in (None, self._leaving) and self._asked is not None

    def asks(self, action: str, now: float) -> None:
        """A command is sent now: what is told of the timeline from here on is not from before."""
        self._leaving = None if self.moves else self.timeline
        self._asked = now
        # Until the state of where it goes comes, what comes may be from where it was.
        self._jumping = action == "seek" and self.timeline is not None

    def connected(self) -> None:
        super().connected()
        self._pace = self._after = self._leaving = None
        self._asked, self.returning = self.returning, None
        self._jumping = False

    def folded(self, message: Json, events: Sequence[Json], now: float) -> None:
        """Raises ContractError for an event that is shown before its time."""
        kind = message["type"]
        if kind == "initial_state":
            self._jumping = False
            self._begin()
        elif kind == "connection":
            if message.get("resumed") is True:
                self._begin()
        elif kind == "playback":
            self._pace = self._paced(message["data"], now)
        elif self._after is None and kind == "batch":
            self._begin()  # the rest of a state that came in parts
            return
        self._events += events
        self.late = None
        if events and self._pace is not None and not self._jumping:
            self._in_time(self._pace, events, now)

    def _begin(self) -> None:
        self._after = self.state.seq
        self._events = []

    def _paced(self, told: Json, now: float) -> _Pace | None:
        before, self._kept = self._kept, (told.get("id"), told["start"])
        if before is not None and before[0] == told.get("id") and before[1] != told["start"]:
            return None  # retention says that, at any time: a command on its way has not been obeyed yet
        if told["state"] != "playing" or told["speed"] == "max" or not self.moves or self._asked is None:
            return None
        return _Pace(instant(told["at"]), float(told["speed"]), self._asked, now)

    def _in_time(self, pace: _Pace, events: Sequence[Json], now: float) -> None:
        first, last = instant(events[0]["timestamp"]), instant(events[-1]["timestamp"])
        reached = pace.at + (now - pace.asked + _EARLY) * pace.speed
        if last > reached:
            raise ContractError(
                f"event {events[-1]['seq']} was shown {last - reached:.3f} s of the recording before its time"
            )
        self.late = max(0.0, now - pace.told - (first - pace.at) / pace.speed)

    def answers(self, message: Json) -> bool:
        """The message says what became of the last command; what is told to followers meanwhile does not."""
        if message["type"] == "playback":
            return self._leaving is None or message["data"].get("id") != self._leaving
        return message["type"] == "error" and "fault" not in message["error"]

    def take_span(self) -> Span | None:
        """What came since the last one, or the last state; the next one begins here. None: there is nothing whole."""
        after, upto, events = self._after, self.state.seq, tuple(self._events)
        if upto is None:
            return None
        self._begin()
        return Span(after, upto, events) if after is not None and after < upto else None


def astray(span: Span, log: Iterable[Json]) -> list[str]:
    """How what came in a span differs from the events that the log has there, with the same filter.

    Events of one object may have come as its last one (PROTOCOL 6), and of one that came and went nothing.
    """
    recorded = {event["seq"]: event for event in log}
    found = []
    last: dict[str, int] = {}
    for event in span.events:
        seq, uid = event["seq"], event["data"]["uid"]
        there = recorded.get(seq)
        if there is None or not span.after < seq <= span.upto:
            found.append(f"event {seq} is none of those from {span.after} to {span.upto}")
        elif event["data"] != there["data"] or _gone(event) is not _gone(there):
            found.append(f"event {seq}: {event} instead of {there}")
        last[uid] = seq
    want = {event["data"]["uid"]: seq for seq, event in sorted(recorded.items())}
    for uid, seq in want.items():
        if last.get(uid) != seq and not (uid not in last and _gone(recorded[seq])):
            found.append(f"event {seq}, of {uid}, did not come: the last one was {last.get(uid)}")
    return found


def _gone(event: Json) -> bool:
    return bool(event["action"] == "DELETED")


def instant(stamp: str) -> float:
    """Since the Unix epoch."""
    return datetime.fromisoformat(stamp).timestamp()
