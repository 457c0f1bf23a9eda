"""A span of a log as columns: what a page that replays it offline holds (web/static/columns.js reads it).

One JSON object. An object is what its template says, and of its own a name, a uid, a node, a time; a version is an edit
of the one before. Templates and edits are few, and each stands there once; what is left of an event is four small
numbers in four lists, which deflate makes smaller than anything that names fields. What each list holds:

- `templates`: [kind, namespace, fields, body]; `fields`: which of `FIELDS` of the body are in the lists below.
- `added`: `template`, `name`, `uid` of every object, those of the start first, then in the order of their events;
  `node` (a place in `nodes`) and `created` (seconds from `base`) of those whose template has the field there.
- `edits`: lists of [path, value] (core/timeline/edits.py).
- `events`: `what` (0 ADDED, 1 DELETED, else the place of its edit + 2); `of`, but for ADDED: how many objects were
  added after the one that it is of; `time`: in units of 1 / `unit` seconds from the one before, the first from `base`;
  `version`: a number that is added to the last one that was a number, or a text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from kstream.core.timeline.edits import edits
from kstream.core.timeline.events import Event, Kind, ObjectKey, Verb
from kstream.core.timeline.health import ClusterInfo
from kstream.core.timeline.terms import Term

VERSION: Final = 1  # of these columns; a page reads no other
KINDS: Final = (Kind.NODE, Kind.POD, Kind.NAMESPACE)
FIELDS: Final = ("name", "uid", "nodeName", "creationTimestamp")
ADDED: Final = 0
DELETED: Final = 1
_EDITED: Final = 2  # and above
_UNITS: Final = (1_000, 10_000, 1_000_000)  # of a second: the coarsest that says every time as it is
_NUMBER: Final = re.compile(r"0|[1-9]\d{0,14}", re.ASCII)  # which JavaScript counts exactly
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)

_decode: Final = msgspec.json.Decoder().decode
_encode: Final = msgspec.json.Encoder().encode


class _Few:
    """Values of which each stands in a list once."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._places: dict[bytes, int] = {}

    def place(self, value: Any) -> int:
        key = _encode(value)
        if (found := self._places.get(key)) is None:
            found = self._places[key] = len(self.values)
            self.values.append(value)
        return found


class _Object:
    __slots__ = ("body", "place")

    def __init__(self, place: int, body: Any) -> None:
        self.place = place
        self.body = body


class Columns:
    """Takes the objects of the start, then the events; `encoded` is the whole."""

    def __init__(self, *, base: int) -> None:
        """`base`: whole seconds since the Unix epoch, near the span; times count from there."""
        self._base = base
        self._templates, self._edits, self._nodes = _Few(), _Few(), _Few()
        self._objects: dict[tuple[Kind, str], _Object] = {}
        self._template: list[int] = []
        self._name: list[str] = []
        self._uid: list[str] = []
        self._node: list[int] = []
        self._created: list[int] = []
        self._what: list[int] = []
        self._of: list[int] = []
        self._times: list[float] = []
        self._version: list[int | str] = []
        self._last_version = 0

    def begin(self, event: Event) -> None:
        """What there was before the first event: the one that last touched an object.

        Raises msgspec.DecodeError for a body that is no JSON, ValueError for one that is no object.
        """
        self._add(event)

    def take(self, event: Event) -> None:
        """The next one. Raises as `begin` does, and KeyError where it is of an object that is not there."""
        change = event.change
        key = change.key.kind, change.key.uid
        if change.verb is Verb.ADDED:
            self._add(event)
            self._what.append(ADDED)
        elif change.verb is Verb.DELETED:
            self._refer(self._objects.pop(key))
            self._what.append(DELETED)
        else:
            known, body = self._objects[key], _body(event)
            self._refer(known)
            self._what.append(_EDITED + self._edits.place(edits(known.body, body)))
            known.body = body
        self._times.append(change.time)
        self._version.append(self._numbered(change.version))

    def encoded(
        self,
        *,
        epoch: str,
        cluster: ClusterInfo | None,
        terms: Sequence[Term],
        redacted: bool,
        start: tuple[int, float],
        end: tuple[int, float],
    ) -> bytes:
        """JSON. `start`, `end`: the moments between which the events are: a seq, and seconds since the Unix epoch."""
        unit = _unit(self._times)
        return _encode(
            {
                "kstream": "recording",
                "version": VERSION,
                "epoch": epoch,
                "cluster": None if cluster is None else {"name": cluster.name, "version": cluster.version},
                "terms": [[term.id, term.first] for term in terms],
                "redacted": redacted,
                "from": {"seq": start[0], "time": start[1]},
                "to": {"seq": end[0], "time": end[1]},
                "base": self._base,
                "unit": unit,
                "templates": self._templates.values,
                "nodes": self._nodes.values,
                "edits": self._edits.values,
                "added": {
                    "template": self._template,
                    "name": self._name,
                    "uid": self._uid,
                    "node": self._node,
                    "created": self._created,
                },
                "events": {
                    "what": self._what,
                    "of": self._of,
                    "time": _steps([round((time - self._base) * unit) for time in self._times]),
                    "version": self._version,
                },
            }
        )

    def _add(self, event: Event) -> None:
        key, body = event.change.key, _body(event)
        fields = [place for place, name in enumerate(FIELDS) if self._has_own(name, body, key)]
        template = body | dict.fromkeys((FIELDS[place] for place in fields), None)
        self._template.append(self._templates.place([KINDS.index(key.kind), key.namespace, fields, template]))
        self._objects[key.kind, key.uid] = _Object(len(self._name), body)
        self._name.append(key.name)
        self._uid.append(key.uid)

    def _has_own(self, field: str, body: Mapping[str, Any], key: ObjectKey) -> bool:
        """Whether the lists say it, and not the template."""
        value = body.get(field)
        if field == "name":
            return bool(value == key.name)
        if field == "uid":
            return bool(value == key.uid)
        if field == "nodeName" and isinstance(value, str):
            self._node.append(self._nodes.place(value))
            return True
        if field == "creationTimestamp" and (moment := _moment(value)) is not None:
            self._created.append(moment - self._base)
            return True
        return False

    def _refer(self, known: _Object) -> None:
        self._of.append(len(self._name) - 1 - known.place)

    def _numbered(self, version: str) -> int | str:
        if not _NUMBER.fullmatch(version):
            return version
        before, self._last_version = self._last_version, int(version)
        return self._last_version - before


def _body(event: Event) -> dict[str, Any]:
    body = _decode(event.change.body)
    if not isinstance(body, dict):
        raise ValueError("its body is no object")
    return body


def _moment(text: object) -> int | None:
    """Seconds since the Unix epoch of a time as Kubernetes writes it; None for anything else."""
    if not isinstance(text, str) or not _MOMENT.fullmatch(text):
        return None
    try:
        return round(datetime.fromisoformat(text).timestamp())
    except ValueError:  # the 31st of February
        return None


def _unit(times: Iterable[float]) -> int:
    fitting = (unit for unit in _UNITS[:-1] if all(round(time * unit) / unit == time for time in times))
    return next(fitting, _UNITS[-1])


def _steps(numbers: Sequence[int]) -> list[int]:
    return [number - before for before, number in zip([0, *numbers], numbers, strict=False)]
