from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kstream.core.errors import DivergedError
from kstream.core.timeline.events import Event, Kind, ObjectKey, Verb
from kstream.core.timeline.state import ClusterState, entries_of, with_pod_count, without_pod_count
from tests.making import START, change, namespace_key, node_key, numbered, pod_key


def test_counts_follow_phases_and_readiness() -> None:
    state = ClusterState()
    for event in numbered(
        [
            change(Verb.ADDED, node_key("n1")),
            change(Verb.ADDED, node_key("n2"), mark="Ready,SchedulingDisabled"),
            change(Verb.ADDED, node_key("n3"), mark="NotReady"),
            change(Verb.ADDED, pod_key("a")),
            change(Verb.ADDED, pod_key("b"), mark="Pending"),
            change(Verb.MODIFIED, pod_key("b"), mark="Failed"),
            change(Verb.ADDED, pod_key("c"), mark="Pending"),
            change(Verb.DELETED, pod_key("a")),
        ]
    ):
        state.apply(event)
    assert state.counts() == (3, 2, 2, 0, 1, 1)
    assert state.seq == 8


def test_an_object_keeps_its_place_when_it_changes_and_loses_it_with_its_deletion() -> None:
    state = ClusterState()
    keys = [node_key("n1"), node_key("n2"), pod_key("a"), pod_key("b")]
    changed = [change(Verb.MODIFIED, keys[0], mark="NotReady"), change(Verb.MODIFIED, keys[2], mark="Failed")]
    for event in numbered([*(change(Verb.ADDED, key) for key in keys), *changed]):
        state.apply(event)
    assert [entry.key for entry in state] == keys
    for event in numbered([change(Verb.DELETED, keys[0]), change(Verb.ADDED, keys[0])], after=6):
        state.apply(event)
    assert [entry.key for entry in state.entries(Kind.NODE)] == [keys[1], keys[0]]


def test_a_namespaces_count_replaces_the_one_it_had() -> None:
    assert with_pod_count(b'{"name":"a"}', 3) == b'{"name":"a","podCount":3}'
    assert with_pod_count(b'{"name":"a","podCount":3}', 12) == b'{"name":"a","podCount":12}'
    assert without_pod_count(b'{"name":"a","podCount":3}') == b'{"name":"a"}'


@given(
    st.lists(
        st.tuples(st.sampled_from(list(Verb)), st.integers(0, 5), st.sampled_from(["Running", "Pending"])),
        max_size=60,
    )
)
def test_the_fold_is_what_a_naive_fold_is(steps: list[tuple[Verb, int, str]]) -> None:
    state = ClusterState()
    naive: dict[str, tuple[str, str]] = {}
    for verb, number, phase in steps:
        key = pod_key(f"p{number}", f"ns{number % 2}")
        if (key.uid in naive) is (verb is Verb.ADDED):
            continue
        state.apply(Event(state.seq + 1, change(verb, key, mark=phase)))
        if verb is Verb.DELETED:
            naive.pop(key.uid, None)
        else:
            naive[key.uid] = (key.namespace, phase)
    counted = Counter(phase for _, phase in naive.values())
    counts = state.counts()
    assert (counts.totalPods, counts.runningPods, counts.pendingPods) == (
        len(naive),
        counted["Running"],
        counted["Pending"],
    )
    for namespaces in (None, {"ns0"}, {"ns1", "none"}):
        shown = (
            entry.body
            for entry in state.entries(Kind.POD)
            if namespaces is None or entry.key.namespace in namespaces
        )
        assert Counter(state.pod_bodies(namespaces)) == Counter(shown)
    for name in ("ns0", "ns1"):
        assert state.pod_count(name) == sum(namespace == name for namespace, _ in naive.values())
    assert {entry.key.uid for entry in state.entries(Kind.POD)} == set(naive)


def test_a_keyframe_stands_for_all_before_it() -> None:
    state = ClusterState()
    changes = [change(Verb.ADDED, namespace_key("a")), change(Verb.ADDED, pod_key("p", "a"))]
    state.load(changes, seq=90, time=5.0)
    assert (state.seq, state.time, state.pod_count("a"), len(state)) == (90, 5.0, 1, 2)


OBJECTS = [
    change(Verb.ADDED, namespace_key("a")),
    change(Verb.ADDED, pod_key("p", "a"), mark="Pending", version="7"),
    change(Verb.ADDED, node_key("n1")),
    change(Verb.ADDED, pod_key("q", "b")),
    change(Verb.ADDED, node_key("n2"), mark="NotReady"),
    change(Verb.ADDED, pod_key("r", "a")),
]


def test_a_state_that_is_filled_is_the_one_that_is_loaded() -> None:
    loaded, filled = ClusterState(), ClusterState()
    loaded.load(OBJECTS, seq=90, time=5.0)
    entries = entries_of(
        [each.key for each in OBJECTS], [each.version for each in OBJECTS], [each.body for each in OBJECTS]
    )
    filled.fill(entries, seq=90, time=5.0)
    more = [
        change(Verb.MODIFIED, OBJECTS[1].key, mark="Failed"),
        change(Verb.DELETED, OBJECTS[3].key),
        change(Verb.DELETED, OBJECTS[2].key),
        change(Verb.ADDED, pod_key("s", "b")),
    ]
    for event in [None, *numbered(more, after=90)]:
        if event is not None:
            assert filled.apply(event) == loaded.apply(event)
        assert list(filled) == list(loaded)
        assert (filled.seq, filled.time, filled.counts()) == (loaded.seq, loaded.time, loaded.counts())
        for namespaces in (None, {"a"}, {"b"}, {"a", "b"}):
            assert filled.pod_bodies(namespaces) == loaded.pod_bodies(namespaces)
        assert [filled.pod_count(name) for name in "abc"] == [loaded.pod_count(name) for name in "abc"]


@pytest.mark.parametrize("twice", [pod_key("p", "a"), node_key("n1"), namespace_key("a")])
def test_a_state_that_is_filled_with_an_object_twice_is_refused(twice: ObjectKey) -> None:
    changes = [*OBJECTS, change(Verb.ADDED, twice)]
    entries = entries_of([each.key for each in changes], ["1"] * 7, [each.body for each in changes])
    with pytest.raises(DivergedError, match=f"The state at 9 has the {twice.kind} {twice.uid} twice"):
        ClusterState().fill(entries, seq=9, time=1.0)


@pytest.mark.parametrize("seq", [0, 1, 2, 4])
def test_an_event_that_is_not_the_next_is_refused_by_its_number(seq: int) -> None:
    state = ClusterState()
    for event in numbered([change(Verb.ADDED, pod_key("a")), change(Verb.ADDED, pod_key("b"))]):
        state.apply(event)
    with pytest.raises(DivergedError, match=f"Event {seq} came after event 2"):
        state.apply(Event(seq, change(Verb.ADDED, pod_key("c"))))
    assert (state.seq, state.counts().totalPods) == (2, 2)


@pytest.mark.parametrize("key", [pod_key("a"), node_key("a"), namespace_key("a")], ids=lambda key: key.kind)
def test_what_contradicts_the_state_is_refused_and_named(key: ObjectKey) -> None:
    state = ClusterState()
    for verb in (Verb.MODIFIED, Verb.DELETED):
        with pytest.raises(
            DivergedError, match=f"Event 1 is {verb} of the {key.kind} {key.uid}, which is not there"
        ):
            state.apply(Event(1, change(verb, key)))
        state = ClusterState()
    state.apply(Event(1, change(Verb.ADDED, key)))
    with pytest.raises(DivergedError, match=f"the {key.kind} {key.uid}, which is there already"):
        state.apply(Event(2, change(Verb.ADDED, key)))
    assert state.seq == 1


def test_a_keyframe_with_an_object_twice_is_refused() -> None:
    with pytest.raises(DivergedError, match="at 9 has the pod uid-default-a twice"):
        ClusterState().load([change(Verb.ADDED, pod_key("a"))] * 2, seq=9, time=START)


def test_an_empty_cluster_counts_exactly_nothing() -> None:
    assert ClusterState().counts()._asdict() == {
        "totalNodes": 0,
        "readyNodes": 0,
        "totalPods": 0,
        "runningPods": 0,
        "pendingPods": 0,
        "failedPods": 0,
    }
    assert (ClusterState().seq, ClusterState().time, len(ClusterState())) == (0, 0.0, 0)
    assert ClusterState().pod_count("default") == 0
    assert ClusterState().pod_bodies(None) == ClusterState().pod_bodies({"default"}) == []


def test_nothing_is_left_when_everyone_has_gone() -> None:
    state = ClusterState()
    keys = [pod_key("a"), pod_key("b"), node_key("n"), namespace_key("default")]
    for event in numbered(change(verb, key) for verb in (Verb.ADDED, Verb.DELETED) for key in keys):
        state.apply(event)
    assert state.counts() == (0,) * 6
    assert list(state) == []
    assert state.versions() == {}
    assert state.pod_bodies(None) == state.pod_bodies({"default"}) == []
    assert state.pod_count("default") == 0
    assert state._bodies_of == {}, "namespaces come and go for months"
    assert (state.seq, state.time) == (8, START)


def test_a_node_counts_as_ready_while_it_is() -> None:
    state = ClusterState()
    node = node_key("n")
    seen = []
    steps = [
        (Verb.ADDED, "Ready"),
        (Verb.MODIFIED, "Ready,SchedulingDisabled"),
        (Verb.MODIFIED, "NotReady"),
        (Verb.MODIFIED, "ReadyOrNot"),
        (Verb.MODIFIED, "Ready"),
        (Verb.DELETED, ""),
    ]
    for event in numbered(change(verb, node, mark=mark) for verb, mark in steps):
        state.apply(event)
        seen.append(state.counts()[:2])
    assert seen == [(1, 1), (1, 1), (1, 0), (1, 0), (1, 1), (0, 0)]


def test_a_pod_is_counted_by_the_phase_that_it_is_in_now() -> None:
    state = ClusterState()
    seen = []
    for number, phase in enumerate(["Pending", "Running", "Failed", "Succeeded"]):
        verb = Verb.MODIFIED if number else Verb.ADDED
        state.apply(Event(number + 1, change(verb, pod_key("a"), mark=phase)))
        seen.append(state.counts()[2:])
    assert seen == [(1, 0, 1, 0), (1, 1, 0, 0), (1, 0, 0, 1), (1, 0, 0, 0)]


def test_objects_are_told_kind_by_kind_each_as_it_is_now() -> None:
    state = ClusterState()
    later = change(Verb.MODIFIED, pod_key("a"), note="later", version="7", time=START + 1)
    for event in numbered(
        [
            change(Verb.ADDED, pod_key("a")),
            change(Verb.ADDED, namespace_key("default"), version="3"),
            change(Verb.ADDED, node_key("n"), version="4"),
            later,
        ]
    ):
        state.apply(event)
    assert [entry.key for entry in state] == [node_key("n"), pod_key("a"), namespace_key("default")]
    assert state.versions() == {node_key("n"): "4", pod_key("a"): "7", namespace_key("default"): "3"}
    (pod,) = state.entries(Kind.POD)
    assert (pod.version, pod.body, pod.mark) == ("7", later.body, "Running")
    assert [entry.mark for entry in state] == ["Ready", "Running", ""]
    assert (len(state), state.time) == (3, START + 1)
    assert state.pod_bodies(None) == state.pod_bodies({"default", "none"}) == [later.body]


def test_pods_are_given_by_namespace_in_the_order_of_their_names() -> None:
    state = ClusterState()
    pods = [pod_key("p", name) for name in ("c", "a", "b")]
    for event in numbered(change(Verb.ADDED, key) for key in pods):
        state.apply(event)
    c, a, b = (entry.body for entry in state.entries(Kind.POD))
    assert state.pod_bodies(["c", "b", "a"]) == [a, b, c]
    assert state.pod_bodies(["b"]) == [b]
    assert state.pod_bodies([]) == []
    assert state.pod_bodies(None) == [c, a, b]


def test_a_copy_goes_its_own_way() -> None:
    state = ClusterState()
    events = numbered(
        [change(Verb.ADDED, key) for key in (node_key("n"), pod_key("a"), pod_key("b", "shop"))]
    )
    for event in events:
        state.apply(event)
    copy = state.copy()
    assert (copy.seq, copy.time, list(copy), copy.counts()) == (3, state.time, list(state), state.counts())
    copy.apply(Event(4, change(Verb.DELETED, pod_key("b", "shop"))))
    state.apply(Event(4, change(Verb.MODIFIED, pod_key("a"), note="x")))
    assert [len(each) for each in (copy, state)] == [2, 3]
    assert (copy.pod_count("shop"), state.pod_count("shop")) == (0, 1)
    assert (copy.pod_bodies({"shop"}), len(state.pod_bodies({"shop"}))) == ([], 1)
    assert copy.pod_bodies(None) != state.pod_bodies(None)


def test_a_branch_takes_nothing_until_something_changes_on_it() -> None:
    trunk = ClusterState()
    for event in numbered([change(Verb.ADDED, key) for key in (node_key("n"), pod_key("a"), pod_key("b"))]):
        trunk.apply(event)
    whole = list(trunk)
    one, other, third = trunk.branch(), trunk.branch(), trunk.branch()
    assert (one.seq, one.time, list(one), one.counts()) == (3, trunk.time, whole, trunk.counts())
    assert one._kinds is other._kinds is trunk._kinds
    one.apply(Event(4, change(Verb.DELETED, pod_key("b"))))
    twig = one.branch()
    twig.apply(Event(5, change(Verb.ADDED, pod_key("c"))))
    list(third.share(ClusterState()))
    assert [len(each) for each in (trunk, one, twig, other, third)] == [3, 2, 3, 3, 3]
    assert (list(trunk), list(other), other.counts()) == (whole, whole, trunk.counts())
    assert third._kinds is not trunk._kinds, "what it holds in place of its own is not the trunk's affair"


def test_what_two_states_have_alike_is_held_once_and_nothing_else_changes() -> None:
    count = 2500
    keys = [pod_key(f"p{number}") for number in range(count)]
    events = numbered([change(Verb.ADDED, key) for key in (node_key("n"), *keys)])
    ours, theirs = ClusterState(), ClusterState()
    for event in events:
        ours.apply(event)
    for event in numbered([change(Verb.ADDED, key) for key in (node_key("n"), *keys)]):
        theirs.apply(event)
    changed = change(Verb.MODIFIED, keys[0], note="x")
    theirs.apply(Event(count + 2, changed))
    theirs.apply(Event(count + 3, change(Verb.DELETED, keys[1])))
    before = [(entry.key, entry.version, entry.body) for entry in ours]
    assert len(list(ours.share(theirs))) == 2, "every thousand objects of a kind"
    assert [(entry.key, entry.version, entry.body) for entry in ours] == before
    there = {entry.key: entry for entry in theirs}
    shared = [entry for entry in ours if there.get(entry.key) is entry]
    assert len(shared) == count - 1
    bodies = {id(entry.body) for entry in theirs}
    assert sum(id(body) in bodies for body in ours.pod_bodies(None)) == count - 2
    assert sum(id(body) in bodies for body in ours.pod_bodies({"default"})) == count - 2


def test_uids_and_bodies_of_pods_are_in_one_order() -> None:
    state = ClusterState()
    keys = [pod_key("a", "x"), pod_key("b", "y"), pod_key("c", "x")]
    for event in numbered([change(Verb.ADDED, key) for key in keys]):
        state.apply(event)
    for names in (None, ["y", "x", "z"], []):
        found = [state.pod(uid) for uid in state.pod_uids(names)]
        assert [entry and entry.body for entry in found] == state.pod_bodies(names)
    assert state.pod_uids(["x"]) == [keys[0].uid, keys[2].uid]
    assert state.pod("another") is None
