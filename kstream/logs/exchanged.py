"""An export that is read: checked line by line, and that it is one history, while a log is made of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Final

import msgspec

from kstream.core.errors import ConfigError, DivergedError
from kstream.core.kube.brought import check, rewritten
from kstream.core.timeline.events import Event, Kind, Verb, WatchEvent
from kstream.core.timeline.exchange import LONGEST, read_event, read_header
from kstream.core.timeline.state import ClusterState
from kstream.logs.making import Start
from kstream.logs.reading import Status

_REMEDY: Final = "export the log again"
_NO_EXPORT: Final = f"{_REMEDY}, or say with --form what else wrote it"
_ORDER: Final = tuple(Kind)


class Lines:
    """What a file of lines says; read it in order: the header at once, `start.objects` first, then `events`.

    Whatever is wrong is a ConfigError with the number of its line.
    """

    def __init__(self, name: str, file: IO[bytes]) -> None:
        """Raises ConfigError. `name`: of the file, for whoever reads the error."""
        self._name = name
        self._file = file
        self._number = 0
        try:
            found = read_header(self._line())
        except ConfigError as error:
            raise self._wrong(error, _NO_EXPORT) from error
        self.status = Status(
            found.epoch,
            found.terms,
            found.seq + found.events,
            found.seq + 1,
            found.cluster,
            found.versions,
            found.meta,
        )
        self.objects, self.count = found.objects, found.events
        self._state = ClusterState()
        self.start = Start(found.seq, found.time, self._objects())

    def _objects(self) -> Iterator[Event]:
        begun, state = self.start, self._state
        seen: set[int] = set()
        kind = 0
        for _ in range(self.objects):
            event = self._event()
            change = event.change
            if event.seq > begun.seq or event.seq in seen or change.verb is Verb.DELETED:
                raise self._wrong(
                    f"event {event.seq}, {change.verb}, is of no object of the state after event {begun.seq}"
                )
            if (next_kind := _ORDER.index(change.key.kind)) < kind:
                raise self._wrong(
                    f"a {change.key.kind} comes after a {_ORDER[kind]}: they are told kind by kind"
                )
            kind = next_kind
            seen.add(event.seq)
            try:
                state.load([change], seq=begun.seq, time=begun.time)
            except (DivergedError, msgspec.DecodeError) as error:
                raise self._wrong(error) from error
            yield event
        state.load([], seq=begun.seq, time=begun.time)

    def events(self) -> Iterator[Event]:
        """The events, as they come. Raises ConfigError."""
        apply = self._state.apply
        for _ in range(self.count):
            event = self._event()
            try:
                apply(event)
            except (DivergedError, msgspec.DecodeError) as error:
                raise self._wrong(error) from error
            yield event
        if self._line():
            raise self._wrong(f"there is more than the {self.count} events that its first line tells of")

    def _event(self) -> Event:
        line = self._line()
        if not line:
            raise self._wrong(
                f"it ends here; its first line tells of {self.objects} objects and {self.count} events"
            )
        try:
            event = read_event(line)
            change = event.change
            check(change.key, change.body)
            body = rewritten(change.key.kind, change.body)
        except ConfigError as error:
            raise self._wrong(error) from error
        return Event(event.seq, WatchEvent(change.verb, change.key, change.version, change.time, body))

    def _line(self) -> bytes:
        self._number += 1
        try:
            line = self._file.readline(LONGEST + 1)
        except OSError as error:
            raise self._wrong(f"it cannot be read ({error.strerror})") from error
        if len(line) > LONGEST:
            raise self._wrong(f"it has more than {LONGEST} bytes")
        return line

    def _wrong(self, why: object, remedy: str = _REMEDY) -> ConfigError:
        return ConfigError(f"{self._name}: line {self._number}: {why}; {remedy}")
