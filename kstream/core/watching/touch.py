"""What the streams say of themselves → what a client is told of the cluster (PROTOCOL 3 and 8, LISTWATCH 12)."""

from __future__ import annotations

from enum import Enum, auto

from kstream.core.timeline.health import Cleared, ErrorCode, Fault, Lost, Report, Synced
from kstream.core.visible import shortened
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


class _State(Enum):
    PENDING = auto()
    IN = auto()
    OUT = auto()
    DENIED = auto()


class Touch:
    """The fold of the notes of all streams. What is stale in one stream is stale for the client."""

    def __init__(self) -> None:
        self._states: dict[Stream, _State] = {}
        self._reached = False
        self._told: tuple[Stream | None, str] | None = None  # who said that nothing can be asked, and why
        self._causes: dict[Stream, str] = {}  # why each that is out of touch is so
        self._grace = True  # it may be a matter of moments until all streams are complete
        self._withheld = True  # no state was shown yet
        self._synced = False
        self._denied: dict[
            tuple[Stream, str], bool
        ] = {}  # what was refused → something of it is shown all the same
        self._faults: dict[str, Fault] = {}  # what was told of that, by subject

    def expect(self, stream: Stream) -> None:
        """The state is not complete without this stream."""
        self._states.setdefault(stream, _State.PENDING)

    def forget(self, stream: Stream) -> list[Report]:
        """The stream is no longer watched, nor missed."""
        self._states.pop(stream, None)
        self._causes.pop(stream, None)
        for verb in ("list", "watch"):
            self._denied.pop((stream, verb), None)
        return [*self._permissions(), *self._passed_on(stream), *self._balance()]

    def answered(self) -> None:
        """The cluster was reached: from now on, silence is an outage and not a wrong address."""
        self._reached = True

    def grace_over(self) -> list[Report]:
        """Whoever waits for a state has waited for long enough: what is known is shown, and is stale."""
        self._grace = False
        return self._balance()

    @property
    def awaited(self) -> list[Stream]:
        """Streams for which a state is withheld: what they have to say has not come yet."""
        return [
            stream for stream, state in self._states.items() if self._withheld and state is _State.PENDING
        ]

    def late(self, stream: Stream, cause: str) -> list[Report]:
        """It is no longer waited for: what is known of the others is shown, and is stale."""
        return self.note(stream, OutOfTouch(cause))

    def unreachable(self, cause: str, stream: Stream | None = None) -> list[Report]:
        """Nothing can be asked: told once until `Synced`, and again when whoever said so first says another cause."""
        cause = shortened(cause)  # a name or an answer that is in it may be as long as it likes
        reports: list[Report] = []
        if self._told is None or (self._told[0] == stream and self._told[1] != cause):
            self._told = (stream, cause)
            reports.append(self._unreachable(cause))
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
                self._denied.pop((stream, verb), None)
                return self._permissions()
            case InTouch():
                self._states[stream] = _State.IN
                self._causes.pop(stream, None)
                return [*self._permissions(), *self._passed_on(stream), *self._balance()]
            case OutOfTouch(cause):
                self._states[stream] = _State.OUT
                self._causes[stream] = shortened(cause)
                return [*self.unreachable(cause, stream), *self._balance()]
            case Forbidden(verb, _, holds):
                self._states[stream] = _State.DENIED
                self._causes.pop(stream, None)
                self._denied[stream, verb] = holds
                return [*self._permissions(), *self._passed_on(stream), *self._balance()]
            case Broken(cause):
                message = f"A watch of {stream.resource}{_where(stream)} ended in an error and is repaired by a list"
                return [Fault(ErrorCode.WATCH_ERROR, message, shortened(cause))]
        return []

    def _passed_on(self, stream: Stream) -> list[Report]:
        """Whoever told the cause is out of trouble: another one tells its own, if that is another."""
        if self._told is None or self._told[0] != stream or not self._causes:
            return []
        other, cause = next(iter(self._causes.items()))
        before, self._told = self._told[1], (other, cause)
        return [self._unreachable(cause)] if cause != before else []

    def _unreachable(self, cause: str) -> Fault:
        if self._reached:
            code, message = ErrorCode.CLUSTER_UNREACHABLE, "The cluster API can no longer be followed"
        else:
            code, message = ErrorCode.CONNECTION_FAILED, "Unable to connect to the Kubernetes cluster"
        return Fault(code, message, cause, CLUSTER)

    def _balance(self) -> list[Report]:
        """In touch with everything that may be watched, or with nothing?"""
        states = set(self._states.values())
        if _State.IN in states and states <= {_State.IN, _State.DENIED}:
            reports: list[Report] = []
            if self._told is not None:
                self._told = None
                reports.append(Cleared(CLUSTER))
            if not self._synced:
                self._synced, self._withheld = True, False
                reports.append(Synced())
            return reports
        if self._withheld and not self._grace and _State.IN in states and _State.PENDING not in states:
            # A kind that cannot be listed withholds the others no longer; what is missing is a fault, told already.
            self._withheld = False
            return [Synced(), Lost()]
        if states == {_State.DENIED} and self._synced:
            self._synced = False
            return [Lost()]
        return []

    def _permissions(self) -> list[Report]:
        """What is told of what was refused, as far as that has changed."""
        before, self._faults = self._faults, {}
        for (stream, verb), holds in self._denied.items():
            if holds or not self._goes_without_saying(stream):
                fault = _refused(stream, verb, holds=holds)
                self._faults[fault.subject] = fault
        return [
            *(Cleared(subject) for subject in before if subject not in self._faults),
            *(fault for subject, fault in self._faults.items() if before.get(subject) != fault),
        ]

    def _goes_without_saying(self, stream: Stream) -> bool:
        """All of the kind is refused, and no namespace is an exception: one fault says it for 150 namespaces."""
        if not stream.namespace or self._states.get(Stream(stream.kind)) is not _State.DENIED:
            return False
        return not any(
            state is _State.IN and each.kind is stream.kind for each, state in self._states.items()
        )


def _refused(stream: Stream, verb: str, *, holds: bool) -> Fault:
    where = _where(stream) or " at the cluster scope"
    stale = "; what was seen of them before is stale" if holds else ""
    message = f"Insufficient RBAC permissions to {verb} {stream.resource}{stale}"
    details = f"Missing '{verb}' permission on '{stream.resource}'{where}"
    return Fault(ErrorCode.PERMISSION_DENIED, message, details, _subject(stream, verb), stale=holds)


def _subject(stream: Stream, verb: str) -> str:
    """The `fault` of PROTOCOL 8."""
    return f"permission:{verb}:{stream.resource}{f':{stream.namespace}' if stream.namespace else ''}"


def _where(stream: Stream) -> str:
    return f" in namespace '{stream.namespace}'" if stream.namespace else ""
