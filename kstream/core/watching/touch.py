"""What the streams say of themselves → what a client is told of the cluster (PROTOCOL 3 and 8, LISTWATCH 12)."""

from __future__ import annotations

from enum import StrEnum

from kstream.core.timeline.health import Cleared, ErrorCode, Fault, Lost, Report, Synced
from kstream.core.watching.reflection import (
    Allowed,
    Answered,
    Broken,
    Forbidden,
    InTouch,
    Note,
    OutOfTouch,
    Stream,
)

CLUSTER = "cluster"


class _State(StrEnum):
    PENDING = "pending"
    IN = "in"
    OUT = "out"
    DENIED = "denied"


class Touch:
    """The fold of the notes of all streams. What is stale in one stream is stale for the client."""

    def __init__(self) -> None:
        self._states: dict[Stream, _State] = {}
        self._reached = False
        self._told_out = False
        self._synced = False
        self._denied: set[str] = set()

    def expect(self, stream: Stream) -> None:
        """The state is not complete without this stream."""
        self._states.setdefault(stream, _State.PENDING)

    def forget(self, stream: Stream) -> list[Report]:
        """The stream is no longer watched, nor missed."""
        self._states.pop(stream, None)
        return [*self._permitted(stream, "list"), *self._permitted(stream, "watch"), *self._balance()]

    def answered(self) -> None:
        """The cluster was reached: from now on, silence is an outage and not a wrong address."""
        self._reached = True

    def unreachable(self, cause: str) -> list[Report]:
        """Nothing can be asked: told once, until `Synced`."""
        reports: list[Report] = []
        if not self._told_out:
            self._told_out = True
            if self._reached:
                code, message = ErrorCode.CLUSTER_UNREACHABLE, "The cluster API no longer answers"
            else:
                code, message = ErrorCode.CONNECTION_FAILED, "Unable to connect to the Kubernetes cluster"
            reports.append(Fault(code, message, cause, CLUSTER))
        if self._synced:
            self._synced = False
            reports.append(Lost())
        return reports

    def note(self, stream: Stream, note: Note) -> list[Report]:
        """Take in one note; the reports that follow from it."""
        match note:
            case Answered():
                self._reached = True
            case Allowed(verb):
                return self._permitted(stream, verb)
            case InTouch():
                self._states[stream] = _State.IN
                return self._balance()
            case OutOfTouch(cause):
                self._states[stream] = _State.OUT
                return self.unreachable(cause)
            case Forbidden(verb, cause):
                self._states[stream] = _State.DENIED
                return [*self._refused(stream, verb), *self._balance()]
            case Broken(cause):
                message = f"A watch of {stream.resource}{_where(stream)} ended in an error and is repaired by a list"
                return [Fault(ErrorCode.WATCH_ERROR, message, cause, f"watch {stream.name}")]
        return []

    def _balance(self) -> list[Report]:
        """In touch with everything that may be watched, or with nothing?"""
        states = set(self._states.values())
        if _State.IN in states and states <= {_State.IN, _State.DENIED}:
            reports: list[Report] = []
            if self._told_out:
                self._told_out = False
                reports.append(Cleared(CLUSTER))
            if not self._synced:
                self._synced = True
                reports.append(Synced())
            return reports
        if states == {_State.DENIED} and self._synced:
            self._synced = False
            return [Lost()]
        return []

    def _refused(self, stream: Stream, verb: str) -> list[Report]:
        subject = _subject(stream, verb)
        if subject in self._denied:
            return []
        self._denied.add(subject)
        where = _where(stream) or " at the cluster scope"
        stale = "; what was seen of them before is stale" if self._synced else ""
        message = f"Insufficient RBAC permissions to {verb} {stream.resource}{stale}"
        details = f"Missing '{verb}' permission on '{stream.resource}'{where}"
        return [Fault(ErrorCode.PERMISSION_DENIED, message, details, subject)]

    def _permitted(self, stream: Stream, verb: str) -> list[Report]:
        subject = _subject(stream, verb)
        if subject not in self._denied:
            return []
        self._denied.discard(subject)
        return [Cleared(subject)]


def _subject(stream: Stream, verb: str) -> str:
    return f"{verb} {stream.resource}{f' in {stream.namespace}' if stream.namespace else ''}"


def _where(stream: Stream) -> str:
    return f" in namespace '{stream.namespace}'" if stream.namespace else ""
