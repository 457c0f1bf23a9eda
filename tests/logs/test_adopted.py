"""What another program recorded becomes a history of its own."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kstream.core.errors import ConfigError
from kstream.core.timeline.events import Verb
from kstream.core.timeline.health import ClusterInfo
from kstream.logs.adopted import FORMS, Adopted
from tests.core.imports.making import file, other, pod

BEGUN = 1769248800.0  # 2026-01-24T10:00:00Z, when pods are made


def watched(verb: str, what: dict[str, Any]) -> dict[str, Any]:
    return {"type": verb, "object": what}


def adopted(*lines: object) -> Adopted:
    return Adopted("kubectl", [file(*lines)], cluster="prod")


def test_its_events_are_numbered_and_only_those_that_change_something() -> None:
    later = pod(version="7", status={"phase": "Failed", "startTime": "2026-01-24T10:00:09Z"})
    found = adopted(
        watched("ADDED", pod()),
        watched("ADDED", pod("b")),
        watched("MODIFIED", pod(version="6")),
        watched("MODIFIED", later),
        watched("DELETED", pod("never")),
        watched("DELETED", later | {"metadata": later["metadata"] | {"resourceVersion": "8"}}),
        {"type": "BOOKMARK", "object": {}},
    )
    events = list(found.events())
    assert [(each.seq, each.change.verb, each.change.key.name) for each in events] == [
        (1, Verb.ADDED, "a"),
        (2, Verb.ADDED, "b"),
        (3, Verb.MODIFIED, "a"),
        (4, Verb.DELETED, "a"),
    ]
    assert (found.first, found.last) == (BEGUN, BEGUN + 9)
    assert (found.unchanged, sum(found.left.counts.values())) == (2, 1)


def test_a_change_that_comes_to_two_events_has_two_numbers() -> None:
    elsewhere = pod(namespace="other")
    events = list(adopted(watched("ADDED", pod()), watched("MODIFIED", elsewhere)).events())
    assert [(each.seq, each.change.verb, each.change.key.namespace) for each in events] == [
        (1, Verb.ADDED, "shop"),
        (2, Verb.DELETED, "shop"),
        (3, Verb.ADDED, "other"),
    ]


def test_namespaces_know_how_many_pods_they_have() -> None:
    events = list(adopted(watched("ADDED", pod()), watched("ADDED", other("Namespace", "shop"))).events())
    assert json.loads(events[1].change.body)["podCount"] == 1


@pytest.mark.parametrize("form", FORMS)
def test_it_begins_with_nothing_under_an_epoch_that_nobody_had_before(form: str) -> None:
    found, again = (Adopted(form, [file()], cluster="prod") for _ in range(2))
    assert found.start == (0, 0.0, ())
    status = found.status
    assert (status.head, status.oldest, status.cluster) == (0, 1, ClusterInfo("prod", "unknown"))
    assert (status.meta, status.versions) == ({"imported": json.dumps(form)}, {})
    assert [term.first for term in status.terms] == [1]
    assert len({status.epoch, status.terms[0].id, again.status.epoch, again.status.terms[0].id}) == 4
    assert list(found.events()) == []
    assert (found.first, found.last, found.unchanged) == (0.0, 0.0, 0)


def test_what_cannot_be_read_is_told_when_it_is_come_to() -> None:
    events = adopted(
        watched("ADDED", pod()), watched("MODIFIED", pod(status={"phase": "Failed"})), "NAME READY"
    )
    with pytest.raises(ConfigError, match="f, line 3: no watch event"):
        list(events.events())
