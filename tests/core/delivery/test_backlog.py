from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from kstream.core.delivery.backlog import Backlog, catch_up
from kstream.core.delivery.filters import EVERYTHING, Filter
from kstream.core.timeline.events import Event, Verb, WatchEvent
from tests.clientfold import ClientFold
from tests.frames_reader import FrameReader
from tests.making import change, namespace_key, node_key, numbered, pod_key


def actions(data: bytes) -> list[tuple[str, str]]:
    """(action, name) of the events in a joined run of frames or in one batch."""
    found = []
    for message in FrameReader().messages(data):
        events = message["data"] if message["type"] == "batch" else [message]
        found += [(event["action"], event["data"]["name"]) for event in events]
    return found


def test_a_view_sees_its_namespaces_and_all_nodes() -> None:
    backlog = Backlog(head=0)
    view = backlog.open(Filter(frozenset({"shop"})))
    other = backlog.open(Filter(frozenset({"quiet"})))
    touched = backlog.append(
        numbered(
            [
                change(Verb.ADDED, pod_key("a", "shop")),
                change(Verb.ADDED, pod_key("b", "bank")),
                change(Verb.ADDED, namespace_key("shop")),
                change(Verb.ADDED, namespace_key("bank")),
            ]
        )
    )
    assert touched == [view]
    assert actions(view.singles(0, 0)) == [("ADDED", "a"), ("ADDED", "shop")]
    touched = backlog.append(numbered([change(Verb.ADDED, node_key("n"))], after=4))
    assert list(touched) == [view, other]


def test_a_batch_joins_what_happened_to_an_object() -> None:
    a, b, c, d = (pod_key(name) for name in "abcd")
    backlog = Backlog(head=0)
    view = backlog.open(EVERYTHING)
    backlog.append(
        numbered(
            [
                change(Verb.ADDED, a),
                change(Verb.ADDED, b),
                change(Verb.MODIFIED, c),
                change(Verb.MODIFIED, a, note="later"),
                change(Verb.DELETED, b),
                change(Verb.MODIFIED, d),
                change(Verb.DELETED, c),
            ]
        )
    )
    (frame,) = view.batch(0, 0)
    (message,) = FrameReader().messages(frame)
    assert actions(frame) == [("ADDED", "a"), ("MODIFIED", "d"), ("DELETED", "c")]
    assert message["seq"] == 7
    assert message["data"][0]["seq"] == 4
    assert message["data"][0]["data"]["note"] == "later"


def test_a_deleted_and_recreated_object_is_two() -> None:
    backlog = Backlog(head=0)
    view = backlog.open(EVERYTHING)
    backlog.append(
        numbered([change(Verb.DELETED, pod_key("a", uid="1")), change(Verb.ADDED, pod_key("a", uid="2"))])
    )
    (frame,) = view.batch(0, 0)
    assert actions(frame) == [("DELETED", "a"), ("ADDED", "a")]


def test_what_cancels_out_is_no_message() -> None:
    backlog = Backlog(head=0)
    view = backlog.open(EVERYTHING)
    backlog.append(numbered([change(Verb.ADDED, pod_key("a")), change(Verb.DELETED, pod_key("a"))]))
    assert view.batch(0, 0) == ()


def test_the_window_is_bounded_and_says_what_it_lost() -> None:
    backlog = Backlog(head=0, max_events=100)
    view = backlog.open(EVERYTHING)
    quiet = backlog.open(Filter(frozenset({"quiet"})))
    for seq in range(1, 501):
        backlog.append([Event(seq, change(Verb.MODIFIED, pod_key(f"p{seq}")))])
    assert backlog.floor >= 390
    assert view.lost == backlog.floor
    assert view.count(0) <= 110
    assert quiet.lost == 0, "nothing that it shows was lost"


def test_the_window_is_bounded_in_bytes_too() -> None:
    backlog = Backlog(head=0, max_bytes=10_000)
    view = backlog.open(EVERYTHING)
    for seq in range(1, 101):
        backlog.append([Event(seq, change(Verb.MODIFIED, pod_key("p"), note="x" * 1000))])
    assert view.count(0) <= 10


def test_a_view_opened_late_sees_what_is_in_the_window() -> None:
    backlog = Backlog(head=0)
    backlog.append(numbered([change(Verb.ADDED, pod_key("a")), change(Verb.ADDED, pod_key("b"))]))
    view = backlog.open(EVERYTHING)
    assert actions(view.singles(1, 0)) == [("ADDED", "b")]
    backlog.close(view)
    assert backlog.append(numbered([change(Verb.ADDED, pod_key("c"))], after=2)) == []


@given(
    st.lists(
        st.tuples(st.sampled_from(["node", "pod", "namespace"]), st.integers(0, 3)), min_size=1, max_size=120
    ),
    st.sets(st.integers(0, 4), max_size=3),
    st.integers(5, 60),
)
def test_a_view_opened_late_sees_the_same_as_one_that_was_there(
    told: list[tuple[str, int]], numbers: set[int], kept: int
) -> None:
    """Whatever the window has forgotten meanwhile."""
    watched = Filter(frozenset(f"ns{number}" for number in numbers) or None)
    backlog, early = Backlog(head=0, max_events=kept), Backlog(head=0, max_events=kept)
    early.open(watched)
    for seq, (kind, number) in enumerate(told, 1):
        key = {
            "node": node_key(f"n{number}"),
            "pod": pod_key(f"p{number}", f"ns{number}"),
            "namespace": namespace_key(f"ns{number}"),
        }[kind]
        event = Event(seq, change(Verb.MODIFIED, key, note=str(seq)))
        backlog.append([event])
        early.append([event])
    there, late = early.open(watched), backlog.open(watched)
    assert late.count(0) == there.count(0)
    assert actions(late.singles(backlog.floor, 0)) == actions(there.singles(backlog.floor, 0))
    assert late.lost >= there.lost


@st.composite
def histories(draw: st.DrawFn) -> list[WatchEvent]:
    """Changes as a recorder would let them through: ADDED, then MODIFIED, then DELETED."""
    alive: set[str] = set()
    changes = []
    for number in range(draw(st.integers(1, 40))):
        name = draw(st.sampled_from("abcdef"))
        if name not in alive:
            alive.add(name)
            changes.append(change(Verb.ADDED, pod_key(name), note=str(number)))
        elif draw(st.booleans()):
            changes.append(change(Verb.MODIFIED, pod_key(name), note=str(number)))
        else:
            alive.remove(name)
            changes.append(change(Verb.DELETED, pod_key(name)))
    return changes


@given(histories(), st.data())
def test_a_batch_has_the_effect_of_its_events(changes: list[WatchEvent], data: st.DataObject) -> None:
    events = numbered(changes)
    after = data.draw(st.integers(0, len(events) - 1))
    single, joined = ClientFold(), ClientFold()
    for event in events:
        backlog = Backlog(head=event.seq - 1)
        view = backlog.open(EVERYTHING)
        backlog.append([event])
        (message,) = FrameReader().messages(view.singles(event.seq - 1, 0))
        single.take(message)
        if event.seq <= after:
            joined.take(json.loads(json.dumps(message)))
    for frame in catch_up(events[after:], EVERYTHING, head=len(events), time=0.0, window_bits=0):
        for message in FrameReader().messages(frame):
            joined.take(message)
    assert joined.objects == single.objects
