"""An event of the window: its message and frames, made when first wanted, and what it is to who watches by labels."""

from __future__ import annotations

from collections.abc import Mapping

from kstream.core.delivery import thin, wire
from kstream.core.delivery.filters import Filter
from kstream.core.delivery.frames import text_frame
from kstream.core.delivery.selectors import labels_of
from kstream.core.timeline.events import Event, Kind, Verb, WatchEvent, deleted_body
from kstream.core.timeline.state import without_pod_count

_Labels = tuple[Mapping[str, str] | None, Mapping[str, str] | None]


class Place:
    """The number of a pod, which a record may be given after others were made of it (PROTOCOL 33)."""

    __slots__ = ("number",)

    def __init__(self) -> None:
        self.number = 0


class Record:
    """Shared by all views; so are `entering` and `leaving`: the same to one whose selector begins or ends to match."""

    __slots__ = (
        "_entering",
        "_frames",
        "_labels",
        "_leaving",
        "_looked",
        "_message",
        "_place",
        "_thin",
        "_uncounted",
        "before",
        "event",
        "previous",
        "seq",
        "size",
    )

    def __init__(
        self,
        event: Event,
        previous: bytes | None = None,
        before: float | None = None,
        place: Place | None = None,
    ) -> None:
        """`previous`: the body of the object before it. `before`: up to when all was complete that came before it,
        seconds since the Unix epoch; None: not known. `place`: that of the record that it is made of."""
        self.event = event
        self.previous = previous
        self.before = before
        self.seq = event.seq
        self.size = len(event.change.body)  # what was before is that of an earlier event, or of the state
        self._message: bytes | None = None
        self._frames: dict[int, bytes] = {}
        self._entering: Record | None = None
        self._leaving: Record | None = None
        self._uncounted: Record | None = None
        self._labels: _Labels | None = None
        self._place = place
        self._thin: Record | None = None
        self._looked: Record | None = None

    @property
    def message(self) -> bytes:
        if self._message is None:
            self._message = self.told(self.event.change.verb)
        return self._message

    def told(self, verb: Verb) -> bytes:
        """The message with that verb, where events were joined."""
        return wire.event(self.event, verb)

    @property
    def place(self) -> Place:
        if self._place is None:
            self._place = Place()
        return self._place

    def detailed(self, watched: Filter) -> Record:
        """What is told of it to one who sees it, in that detail (PROTOCOL 33)."""
        key = self.event.change.key
        if not watched.maps or key.kind is not Kind.POD:
            return self
        if watched.looks is not None and key.uid in watched.looks.uids:
            if self._looked is None:
                self._looked = _Looked(self.event, before=self.before, place=self.place)
            return self._looked
        if self._thin is None:
            self._thin = _Thin(self.event, before=self.before, place=self.place)
        return self._thin

    def frame(self, window_bits: int) -> bytes:
        frame = self._frames.get(window_bits)
        if frame is None:
            frame = self._frames[window_bits] = text_frame(self.message, window_bits)
        return frame

    def seen_by(self, watched: Filter) -> Record | None:
        """What it is to one with this filter (PROTOCOL 30): an object that begins to match is ADDED, one that ceases
        to is DELETED; None where it neither did nor does."""
        change = self.event.change
        if change.key not in watched:
            return None
        selector = watched.labels
        if change.key.kind is Kind.NAMESPACE and not watched.counts_pods:
            return self.uncounted
        if selector is None or change.key.kind is not Kind.POD:
            return self
        before, now = self.labels()
        matched = before is not None and selector.matches(before)
        matches = matched if now is before else now is not None and selector.matches(now)
        if matched and matches:
            return self
        if matches:
            return self.entering
        return self.leaving if matched else None

    @property
    def entering(self) -> Record:
        if self._entering is None:
            change = self.event.change
            self._entering = self if change.verb is Verb.ADDED else self._as(Verb.ADDED, change.body)
        return self._entering

    @property
    def leaving(self) -> Record:
        if self._leaving is None:
            change = self.event.change
            self._leaving = (
                self if change.verb is Verb.DELETED else self._as(Verb.DELETED, deleted_body(change.key))
            )
        return self._leaving

    @property
    def uncounted(self) -> Record:
        """A namespace without its `podCount`, which is that of all pods."""
        if self._uncounted is None:
            change = self.event.change
            bare = without_pod_count(change.body)  # one that is gone has none
            self._uncounted = self if bare == change.body else self._as(change.verb, bare)
        return self._uncounted

    def _as(self, verb: Verb, body: bytes) -> Record:
        change = self.event.change
        told = WatchEvent(verb, change.key, change.version, change.time, body)
        return Record(Event(self.seq, told), before=self.before, place=self.place)

    def labels(self) -> _Labels:
        """Those that the object had, and those that it has; None where it was not there, or is not. Kept until
        `forget_labels`; the same mapping twice where they did not change."""
        if self._labels is None:
            change = self.event.change
            before = labels_of(self.previous) if self.previous is not None else None
            now = labels_of(change.body) if change.verb is not Verb.DELETED else None
            self._labels = before, before if now == before else now
        return self._labels

    def forget_labels(self) -> None:
        """They are needed while the event is handed to the views, and 20,000 of them take tens of megabytes."""
        self._labels = None


class _Thin(Record):
    """The same for a map."""

    __slots__ = ()

    def told(self, verb: Verb) -> bytes:
        return thin.event(self.event, verb, self.place.number)


class _Looked(Record):
    """The same for one who sees a map and looks at that pod."""

    __slots__ = ()

    def told(self, verb: Verb) -> bytes:
        return wire.event(self.event, verb, number=self.place.number)
