"""What a source says → what the log keeps."""

from __future__ import annotations

import json

import pytest

from kstream.core.timeline.events import Event, Kind, ObjectKey, Verb, WatchEvent
from kstream.core.timeline.recorder import Recorder
from kstream.core.timeline.state import ClusterState
from tests.making import START, change, namespace_key, node_key, numbered, pod_key

ALL_KINDS = pytest.mark.parametrize(
    "key", [pod_key("a", "shop"), node_key("a"), namespace_key("a")], ids=lambda key: key.kind
)
SHOP = namespace_key("shop")


def state_of(*changes: WatchEvent) -> ClusterState:
    state = ClusterState()
    for event in numbered(changes):
        state.apply(event)
    return state


def pod_count(recorder: Recorder, mark: str = "Terminating") -> int:
    """What the recorder stamps on the namespace `shop` when that is told with another status."""
    (told,) = recorder.take([change(Verb.MODIFIED, SHOP, mark=mark)])
    count: int = json.loads(told.body)["podCount"]
    return count


@ALL_KINDS
def test_a_change_that_changes_nothing_is_not_recorded(key: ObjectKey) -> None:
    recorder = Recorder(ClusterState())
    assert len(recorder.take([change(Verb.ADDED, key)])) == 1
    assert recorder.suppressed == 0
    assert recorder.take([change(Verb.MODIFIED, key, version="2"), change(Verb.ADDED, key)]) == []
    assert recorder.suppressed == 2
    assert recorder.versions() == {key: "1"}, "the version is that of what was recorded"


@ALL_KINDS
def test_verbs_become_true_of_what_is_known(key: ObjectKey) -> None:
    recorder = Recorder(ClusterState())
    kept = recorder.take(
        [
            change(Verb.MODIFIED, key),
            change(Verb.ADDED, key, note="again"),
            change(Verb.MODIFIED, key, note="once more", version="9"),
            change(Verb.DELETED, key),
            change(Verb.MODIFIED, key),
        ]
    )
    assert [item.verb for item in kept] == [
        Verb.ADDED,
        Verb.MODIFIED,
        Verb.MODIFIED,
        Verb.DELETED,
        Verb.ADDED,
    ]
    assert recorder.suppressed == 0


@ALL_KINDS
def test_what_was_never_there_is_not_deleted_and_what_is_gone_not_twice(key: ObjectKey) -> None:
    recorder = Recorder(ClusterState())
    assert recorder.take([change(Verb.DELETED, key)]) == []
    assert recorder.suppressed == 1
    recorder.take([change(Verb.ADDED, key)])
    assert recorder.take([change(Verb.DELETED, key), change(Verb.DELETED, key)]) == [
        change(Verb.DELETED, key)
    ]
    assert recorder.suppressed == 2
    assert recorder.versions() == {}


@ALL_KINDS
def test_what_comes_after_a_change_that_is_left_out_is_taken(key: ObjectKey) -> None:
    recorder = Recorder(ClusterState())
    pod = pod_key("after", "shop")
    recorder.take([change(Verb.ADDED, key)])
    for nothing in (change(Verb.MODIFIED, key), change(Verb.DELETED, pod_key("never", "shop"))):
        told = recorder.take([nothing, change(Verb.ADDED, pod)])
        assert [kept.key for kept in told] == [pod]
        recorder.take([change(Verb.DELETED, pod)])


def test_a_change_that_is_kept_stays_what_it_was() -> None:
    recorder = Recorder(ClusterState())
    told = change(Verb.MODIFIED, pod_key("web"), note="x", version="7", time=5.0)
    (kept,) = recorder.take([told])
    assert kept == WatchEvent(Verb.ADDED, told.key, "7", 5.0, told.body)
    node = change(Verb.MODIFIED, node_key("n"), note="x", version="8", time=6.0)
    (kept,) = recorder.take([node])
    assert kept == WatchEvent(Verb.ADDED, node.key, "8", 6.0, node.body)
    assert recorder.versions() == {told.key: "7", node.key: "8"}


def test_a_namespace_carries_the_pods_it_has_and_is_no_event_for_its_count_alone() -> None:
    recorder = Recorder(ClusterState())
    recorder.take([change(Verb.ADDED, pod_key("a", "shop")), change(Verb.ADDED, pod_key("b", "shop"))])
    (added,) = recorder.take([change(Verb.ADDED, SHOP)])
    assert json.loads(added.body)["podCount"] == 2
    recorder.take([change(Verb.DELETED, pod_key("a", "shop"))])
    assert recorder.take([change(Verb.MODIFIED, SHOP, version="2")]) == []
    (gone,) = recorder.take([change(Verb.MODIFIED, SHOP, mark="Terminating")])
    assert json.loads(gone.body) == {
        "name": "shop",
        "uid": "uid-shop",
        "status": "Terminating",
        "podCount": 1,
    }


def test_a_pod_is_counted_where_it_is_once_and_until_it_goes() -> None:
    recorder = Recorder(ClusterState())
    a, other = pod_key("a", "shop"), pod_key("a", "bank")
    recorder.take([change(Verb.ADDED, SHOP)])
    recorder.take([change(Verb.ADDED, a), change(Verb.MODIFIED, a, note="x"), change(Verb.ADDED, other)])
    assert pod_count(recorder, "one") == 1
    recorder.take([change(Verb.DELETED, other), change(Verb.DELETED, pod_key("none", "shop"))])
    assert pod_count(recorder, "two") == 1
    recorder.take([change(Verb.DELETED, a)])
    assert pod_count(recorder, "three") == 0
    recorder.take([change(Verb.ADDED, a)])
    assert pod_count(recorder, "four") == 1


def test_right_after_a_restart_the_pods_of_the_log_are_counted() -> None:
    recorder = Recorder(
        state_of(
            change(Verb.ADDED, pod_key("a", "shop")),
            change(Verb.ADDED, pod_key("b", "shop")),
            change(Verb.ADDED, pod_key("c", "bank")),
            change(Verb.ADDED, SHOP),
        )
    )
    assert pod_count(recorder, "first") == 2
    recorder.take([change(Verb.DELETED, pod_key("a", "shop"))])
    assert pod_count(recorder, "second") == 1
    recorder.take([change(Verb.DELETED, pod_key("b", "shop"))])
    assert pod_count(recorder, "third") == 0


def test_a_recorder_that_goes_on_knows_what_the_log_holds() -> None:
    keys = [node_key("n1"), pod_key("a"), namespace_key("default")]
    state = state_of(*(change(Verb.ADDED, key, version=f"4{n}") for n, key in enumerate(keys)))
    recorder = Recorder(state)
    assert dict(recorder.versions()) == {keys[0]: "40", keys[1]: "41", keys[2]: "42"}
    assert recorder.take([change(Verb.ADDED, key, version="50") for key in keys]) == []
    assert recorder.suppressed == 3
    assert [key.kind for key in recorder.versions()] == [Kind.NODE, Kind.POD, Kind.NAMESPACE]


def test_what_is_recorded_can_always_be_folded() -> None:
    """Each kept change is the next event of the log: the state refuses one that is not."""
    state, recorder = ClusterState(), Recorder(ClusterState())
    keys = [pod_key("a", "shop"), node_key("n"), SHOP]
    for verb in (Verb.DELETED, Verb.MODIFIED, Verb.ADDED, Verb.DELETED, Verb.DELETED, Verb.ADDED):
        for kept in recorder.take([change(verb, key, note=verb) for key in keys]):
            state.apply(Event(state.seq + 1, kept))
    assert len(state) == 3
    assert state.versions() == recorder.versions()


@pytest.mark.parametrize(
    ("at", "then"),
    [
        (pod_key("a", "shop", uid="u"), pod_key("a", "bank", uid="u")),
        (pod_key("a", "shop", uid="u"), pod_key("b", "shop", uid="u")),
        (ObjectKey(Kind.NODE, "", "a", "u"), ObjectKey(Kind.NODE, "", "b", "u")),
        (ObjectKey(Kind.NAMESPACE, "", "a", "u"), ObjectKey(Kind.NAMESPACE, "", "b", "u")),
    ],
)
def test_a_uid_that_is_told_of_elsewhere_is_gone_from_where_it_was(at: ObjectKey, then: ObjectKey) -> None:
    state, recorder = ClusterState(), Recorder(ClusterState())
    for told in (
        change(Verb.ADDED, at, version="1"),
        change(Verb.MODIFIED, then, version="2", time=START + 5),
        change(Verb.DELETED, at, version="1"),
    ):
        for kept in recorder.take([told]):
            state.apply(Event(state.seq + 1, kept))
    assert list(state.versions()) == [then]
    assert state.time == START + 5
    assert (state.seq, recorder.suppressed) == (3, 1)
    shop, bank = state.pod_bodies(frozenset({"shop"})), state.pod_bodies(frozenset({"bank"}))
    assert len(shop) + len(bank) == (then.kind is Kind.POD)
    assert recorder.take([change(Verb.DELETED, then)])


def test_the_pods_of_a_namespace_are_counted_when_a_uid_moves() -> None:
    recorder = Recorder(ClusterState())
    recorder.take([change(Verb.ADDED, SHOP), change(Verb.ADDED, pod_key("a", "shop", uid="u"))])
    recorder.take([change(Verb.MODIFIED, pod_key("a", "bank", uid="u"))])
    assert pod_count(recorder, "one") == 0
