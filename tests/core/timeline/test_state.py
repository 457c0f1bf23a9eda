from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kstream.core.errors import DivergedError
from kstream.core.timeline.events import Event, Kind, ObjectKey, Verb
from kstream.core.timeline.state import ClusterState, with_pod_count
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


def test_a_namespaces_count_replaces_the_one_it_had() -> None:
    assert with_pod_count(b'{"name":"a"}', 3) == b'{"name":"a","podCount":3}'
    assert with_pod_count(b'{"name":"a","podCount":3}', 12) == b'{"name":"a","podCount":12}'


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
