from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kstream.core.delivery.backlog import Backlog
from kstream.core.delivery.filters import EVERYTHING, Filter
from kstream.core.delivery.limits import Limits
from kstream.core.delivery.numbers import Numbers
from kstream.core.errors import DivergedError
from kstream.core.timeline.events import Event, Verb
from tests.core.delivery.viewing import actions, of_pods
from tests.frames_reader import FrameReader
from tests.making import change, namespace_key, node_key, numbered, pod_key, take


def test_a_view_sees_its_namespaces_and_all_nodes() -> None:
    backlog = Backlog(head=0)
    view = backlog.open(Filter(frozenset({"shop"})))
    other = backlog.open(Filter(frozenset({"quiet"})))
    touched = take(
        backlog,
        numbered(
            [
                change(Verb.ADDED, pod_key("a", "shop")),
                change(Verb.ADDED, pod_key("b", "bank")),
                change(Verb.ADDED, namespace_key("shop")),
                change(Verb.ADDED, namespace_key("bank")),
            ]
        ),
    )
    assert touched == [view]
    assert actions(view.singles(0, 0)) == [("ADDED", "a"), ("ADDED", "shop")]
    touched = take(backlog, numbered([change(Verb.ADDED, node_key("n"))], after=4))
    assert list(touched) == [view, other]


def test_the_window_is_bounded_and_says_what_it_lost() -> None:
    backlog = Backlog(head=0, limits=Limits(window_events=100))
    view = backlog.open(EVERYTHING)
    quiet = backlog.open(Filter(frozenset({"quiet"})))
    for seq in range(1, 501):
        take(backlog, [Event(seq, change(Verb.MODIFIED, pod_key(f"p{seq}")))])
    assert backlog.floor >= 390
    assert view.lost == backlog.floor
    assert view.count(0) <= 110
    assert quiet.lost == 0, "nothing that it shows was lost"


def test_the_window_is_bounded_in_bytes_too() -> None:
    backlog = Backlog(head=0, limits=Limits(window_bytes=10_000))
    view = backlog.open(EVERYTHING)
    for seq in range(1, 101):
        take(backlog, [Event(seq, change(Verb.MODIFIED, pod_key("p"), note="x" * 1000))])
    assert view.count(0) <= 10


def test_a_view_opened_late_sees_what_is_in_the_window() -> None:
    backlog = Backlog(head=0)
    take(backlog, numbered([change(Verb.ADDED, pod_key("a")), change(Verb.ADDED, pod_key("b"))]))
    view = backlog.open(EVERYTHING)
    assert actions(view.singles(1, 0)) == [("ADDED", "b")]
    backlog.close(view)
    assert take(backlog, numbered([change(Verb.ADDED, pod_key("c"))], after=2)) == []


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
    backlog, early = (
        Backlog(head=0, limits=Limits(window_events=kept)),
        Backlog(head=0, limits=Limits(window_events=kept)),
    )
    early.open(watched)
    for seq, (kind, number) in enumerate(told, 1):
        key = {
            "node": node_key(f"n{number}"),
            "pod": pod_key(f"p{number}", f"ns{number}"),
            "namespace": namespace_key(f"ns{number}"),
        }[kind]
        event = Event(seq, change(Verb.MODIFIED, key, note=str(seq)))
        take(backlog, [event])
        take(early, [event])
    there, late = early.open(watched), backlog.open(watched)
    assert late.count(0) == there.count(0)
    assert actions(late.singles(backlog.floor, 0)) == actions(there.singles(backlog.floor, 0))
    assert late.lost >= there.lost


def test_nothing_is_left_of_a_filter_that_nobody_uses() -> None:
    backlog = Backlog(head=0)
    narrow, wider = Filter(frozenset({"a"})), Filter(frozenset({"a", "b"}))
    one, two, all_of = backlog.open(narrow), backlog.open(wider), backlog.open(EVERYTHING)
    again = backlog.open(narrow)
    assert again is one
    assert one.users == 2
    backlog.close(again)
    assert take(backlog, of_pods(1, namespace="a")) == [all_of, one, two], "one still uses it"
    backlog.close(one)
    assert take(backlog, of_pods(1, after=1, namespace="a")) == [all_of, two]
    backlog.close(all_of)
    assert take(backlog, of_pods(1, after=2, namespace="b")) == [two]
    backlog.close(two)
    assert take(backlog, of_pods(1, after=3, namespace="b")) == []
    assert backlog._views == {}
    assert backlog.open(narrow).count(0) == 2, "a new one sees what is in the window"


def test_a_namespace_that_two_filters_share_is_seen_by_the_one_that_stays() -> None:
    backlog = Backlog(head=0)
    narrow, wider = backlog.open(Filter(frozenset({"a"}))), backlog.open(Filter(frozenset({"a", "b"})))
    backlog.close(wider)
    assert take(backlog, of_pods(1, namespace="a")) == [narrow]


@pytest.mark.parametrize(
    "seqs",
    [(1, 2), (2, 4), (2, 3), (4, 5), (3, 5), (3, 3), (3, 4, 6)],
    ids=lambda seqs: "-".join(map(str, seqs)),
)
def test_events_that_do_not_follow_what_is_here_are_refused_and_none_is_taken(seqs: tuple[int, ...]) -> None:
    backlog = Backlog(head=0)
    view = backlog.open(EVERYTHING)
    take(backlog, of_pods(2))
    events = [Event(seq, change(Verb.ADDED, pod_key(f"q{seq}"))) for seq in seqs]
    with pytest.raises(
        DivergedError, match=f"Events {seqs[0]} to {seqs[-1]}, {len(seqs)} of them, came after event 2"
    ):
        take(backlog, events)
    assert (backlog.head, view.count(0)) == (2, 2)


def test_a_view_of_a_map_begins_where_its_numbers_do_and_reaches_no_further_back_than_a_state_may() -> None:
    mapped = Filter.parse(detail="map")
    backlog = Backlog(head=0)
    take(backlog, numbered([change(Verb.ADDED, pod_key(f"p{n}")) for n in range(5)]))
    unnumbered = backlog.open(mapped)
    assert unnumbered.misses(4)
    backlog.close(unnumbered)
    assert backlog.number(Numbers("n", ["uid-default-p0", "uid-default-p1"], since=2))
    view = backlog.open(mapped)
    assert (view.misses(1), view.misses(2), view.count(2)) == (True, False, 3)
    messages = FrameReader().messages(view.singles(2, 0))
    assert [message["data"]["number"] for message in messages] == [3, 4, 5]


def test_numbers_whose_events_are_no_longer_here_are_refused() -> None:
    backlog = Backlog(head=5)
    assert not backlog.number(Numbers("n", [], since=4))
    assert backlog.numbers is None


def test_who_looks_at_nothing_any_more_goes_on_from_where_it_is() -> None:
    mapped = Filter.parse(detail="map")
    backlog = Backlog(head=0)
    assert backlog.number(Numbers("n", [], since=0))
    take(backlog, numbered([change(Verb.ADDED, pod_key("a")), change(Verb.ADDED, node_key("n"))]))
    view = backlog.look(mapped, since=0)
    other = backlog.look(mapped.looking_at(["uid-default-a"]), since=0)
    assert (view.count(0), other.count(0)) == (2, 1), "what is looked at was told up to the head"
    backlog.close(view)
    backlog.close(other)


def test_nodes_have_no_numbers_and_numbers_may_come_after_them() -> None:
    backlog = Backlog(head=0)
    take(backlog, numbered([change(Verb.ADDED, node_key("n")), change(Verb.ADDED, pod_key("a"))]))
    assert backlog.number(Numbers("n", [], since=0))
    assert backlog.numbers is not None
    assert backlog.numbers.uid(1) == "uid-default-a"
    labelled = backlog.open(Filter.parse(labels="app=web", detail="map"))
    assert labelled.misses(1)
