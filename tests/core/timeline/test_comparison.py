"""What came, went and changed between two states, and the life of an object."""

from __future__ import annotations

from kstream.core.timeline.comparison import Biography, Change, compared, key_as_json
from kstream.core.timeline.difference import Difference
from kstream.core.timeline.events import ObjectKey, Verb, WatchEvent
from kstream.core.timeline.state import ClusterState
from tests.making import START, change, labelled, namespace_key, node_key, numbered, pod_key

POD, OTHER, NODE, SPACE = pod_key("p"), pod_key("q"), node_key("n"), namespace_key("default")


def state_of(*changes: WatchEvent) -> ClusterState:
    state = ClusterState()
    for event in numbered(changes):
        state.apply(event)
    return state


def everything(_: ObjectKey, __: bytes) -> bool:
    return True


def test_objects_come_go_and_change_and_what_stays_as_it_was_is_not_told() -> None:
    before = state_of(
        change(Verb.ADDED, NODE), change(Verb.ADDED, POD), change(Verb.ADDED, OTHER, mark="Pending")
    )
    after = state_of(
        change(Verb.ADDED, NODE),
        change(Verb.ADDED, OTHER, mark="Running"),
        change(Verb.ADDED, pod_key("new")),
    )
    assert list(compared(before, after, everything)) == [
        Change(Verb.DELETED, POD),
        Change(Verb.MODIFIED, OTHER, [Difference("phase", "Pending", "Running")]),
        Change(Verb.ADDED, pod_key("new")),
    ]


def test_a_namespace_changes_with_the_number_of_its_pods() -> None:
    before = state_of(change(Verb.ADDED, SPACE), change(Verb.ADDED, POD))
    after = state_of(change(Verb.ADDED, SPACE), change(Verb.ADDED, POD), change(Verb.ADDED, OTHER))
    assert list(compared(before, after, lambda key, _: key == SPACE)) == [
        Change(Verb.MODIFIED, SPACE, [Difference("podCount", 1, 2)])
    ]


def test_one_that_begins_to_be_asked_for_came_and_one_that_ceases_to_went() -> None:
    web, db = (
        state_of(WatchEvent(Verb.ADDED, POD, "1", START, labelled("p", {"app": app})))
        for app in ("web", "db")
    )

    def is_web(_: ObjectKey, body: bytes) -> bool:
        return b'"web"' in body

    assert list(compared(db, web, is_web)) == [Change(Verb.ADDED, POD)]
    assert list(compared(web, db, is_web)) == [Change(Verb.DELETED, POD)]
    assert list(compared(db, db, is_web)) == []


def test_a_change_is_told_as_json() -> None:
    told = Change(Verb.MODIFIED, POD, [Difference("phase", "Pending", "Running")]).as_json()
    assert told == {
        "action": "MODIFIED",
        "kind": "pod",
        "namespace": "default",
        "name": "p",
        "uid": POD.uid,
        "changes": [{"path": "phase", "before": "Pending", "after": "Running"}],
    }
    assert key_as_json(NODE) == {"kind": "node", "namespace": "", "name": "n", "uid": NODE.uid}


def test_a_life_is_told_from_what_was_known_and_after_a_deletion_from_nothing() -> None:
    life = Biography(state_of(change(Verb.ADDED, POD, mark="Pending")))
    verbs = [
        (Verb.MODIFIED, "Running"),
        (Verb.DELETED, ""),
        (Verb.ADDED, "Pending"),
        (Verb.MODIFIED, "Pending"),
    ]
    told = [life.tell(event) for event in numbered([change(verb, POD, mark=mark) for verb, mark in verbs], 1)]
    assert [(each["seq"], each["action"], each["changes"]) for each in told] == [
        (2, "MODIFIED", [{"path": "phase", "before": "Pending", "after": "Running"}]),
        (3, "DELETED", []),
        (4, "ADDED", []),
        (5, "MODIFIED", []),
    ]
    assert told[0] | {"changes": []} == {
        "seq": 2,
        "time": "2025-01-24T10:00:00.000Z",
        "action": "MODIFIED",
        "uid": POD.uid,
        "version": "1",
        "changes": [],
    }
