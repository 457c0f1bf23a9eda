"""Label and field selectors: which objects a list or a watch is for. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from kstream.core.timeline.events import Kind
from simulator.apiserver import statuses
from simulator.apiserver.kinds import Resource
from simulator.apiserver.requests import Ask
from simulator.apiserver.store import Entry

_FIELDS: Final[Mapping[Kind, frozenset[str]]] = {
    Kind.NODE: frozenset({"metadata.name", "spec.unschedulable"}),
    Kind.NAMESPACE: frozenset({"metadata.name", "status.phase", "name"}),
    Kind.POD: frozenset(
        {
            "metadata.name",
            "metadata.namespace",
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.nominatedNodeName",
        }
    ),
}
_SET: Final = re.compile(r"^(?P<key>[^\s!=,()<>]+)\s+(?P<op>in|notin)\s*\((?P<values>[^()]*)\)$")
_EQUAL: Final = re.compile(r"^(?P<key>[^\s!=,()<>]+)\s*(?P<op>!=|==|=)\s*(?P<value>[^\s!=,()]*)$")
_EXISTS: Final = re.compile(r"^(?P<not>!?)\s*(?P<key>[^\s!=,()<>]+)$")
_BIGGER: Final = re.compile(r"^(?P<key>[^\s!=,()<>]+)\s*(?P<op>[<>])\s*(?P<value>-?\d+)$")
_SPLIT: Final = re.compile(r",(?![^()]*\))")


class Term(NamedTuple):
    """One requirement; all of them must hold."""

    key: str
    op: str  # in, notin, exists, absent, >, <
    values: frozenset[str]

    def holds(self, value: str | None) -> bool:
        match self.op:
            case "in":
                return value is not None and value in self.values
            case "notin":
                return value is None or value not in self.values
            case "exists":
                return value is not None
            case "absent":
                return value is None
        try:
            number, bound = int(value or ""), int(next(iter(self.values)))
        except ValueError:
            return False
        return number > bound if self.op == ">" else number < bound


class Selector(NamedTuple):
    """What the two selectors of a request say together."""

    labels: Sequence[Term]
    fields: Sequence[Term]
    namespace: str = (
        ""  # taken from the field selector, where a list can seek it instead of trying every object
    )
    given: bool = False  # there was a selector at all

    @property
    def everything(self) -> bool:
        return not self.labels and not self.fields

    def takes(self, entry: Entry) -> bool:
        if self.everything:
            return True
        content = msgspec.json.decode(entry.body)
        labels = content["metadata"].get("labels") or {}
        return all(term.holds(labels.get(term.key)) for term in self.labels) and all(
            term.holds(_field(content, term.key)) for term in self.fields
        )


def parse(ask: Ask) -> Selector:
    """The selectors of a request. Raises StatusError (400) with the API server's text."""
    resource, query = ask.resource, ask.query
    label_text, field_text = query.get("labelSelector", ""), query.get("fieldSelector", "")
    labels = [_label_term(part.strip(), label_text) for part in _SPLIT.split(label_text) if part.strip()]
    fields = [
        _field_term(resource, part.strip(), field_text) for part in field_text.split(",") if part.strip()
    ]
    namespace = ""
    for term in list(fields):
        if resource.namespaced and not ask.namespace and term.key == "metadata.namespace" and term.op == "in":
            namespace = next(iter(term.values))
            if namespace:  # "" is that of no pod, and not of all
                fields.remove(term)
                break
    return Selector(labels, fields, namespace, bool(label_text or field_text))


def _label_term(text: str, whole: str) -> Term:
    if found := _SET.match(text):
        values = frozenset(value.strip() for value in found["values"].split(","))
        return Term(found["key"], found["op"], values)
    if found := _EQUAL.match(text):
        return Term(found["key"], "notin" if found["op"] == "!=" else "in", frozenset({found["value"]}))
    if found := _BIGGER.match(text):
        return Term(found["key"], found["op"], frozenset({found["value"]}))
    if found := _EXISTS.match(text):
        return Term(found["key"], "absent" if found["not"] else "exists", frozenset())
    raise statuses.bad_request(
        f'unable to parse requirement: found "{text}" in "{whole}", expected a requirement'
    )


def _field_term(resource: Resource, text: str, whole: str) -> Term:
    found = _EQUAL.match(text)
    if not found:
        raise statuses.bad_request(f"invalid selector: '{whole}'; can't understand '{text}'")
    if found["key"] not in _FIELDS[resource.kind]:
        raise statuses.bad_request(f"field label not supported: {found['key']}")
    return Term(found["key"], "notin" if found["op"] == "!=" else "in", frozenset({found["value"]}))


def _field(content: Mapping[str, Any], path: str) -> str:
    """The value of a field as text; what is missing is empty, as in Go."""
    if path == "name":
        path = "metadata.name"
    value: Any = content
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if path in ("spec.hostNetwork", "spec.unschedulable"):
        return "true" if value else "false"
    return "" if value is None else str(value)
