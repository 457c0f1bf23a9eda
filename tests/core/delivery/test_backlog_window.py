"""How much of the past the backlog holds: events, bytes, and every index of them."""

from __future__ import annotations

import msgspec

from kstream.core.delivery.backlog import Backlog
from kstream.core.delivery.filters import EVERYTHING, Filter
from kstream.core.delivery.limits import Limits
from kstream.core.timeline.events import Event, Verb
from tests.making import change, node_key, numbered, pod_key, take


def of_pods(count: int, *, note: str = "", after: int = 0, namespace: str = "default") -> list[Event]:
    return numbered(
        [change(Verb.ADDED, pod_key(f"p{after + n}", namespace), note=note) for n in range(count)], after
    )


def test_more_events_than_a_tenth_too_many_are_dropped_down_to_the_window() -> None:
    backlog = Backlog(head=0, limits=Limits(window_events=100))
    view = backlog.open(EVERYTHING)
    take(backlog, of_pods(109))
    assert (view.count(0), backlog.floor, view.lost) == (109, 0, 0)
    take(backlog, of_pods(1, after=109))
    assert (view.count(0), backlog.floor, view.lost) == (100, 10, 10)
    assert view.count(11) == 99, "the newest are kept"


def test_of_too_many_bytes_only_as_many_are_dropped_as_brings_it_to_nine_tenths() -> None:
    size = len(change(Verb.ADDED, pod_key("p0"), note="x" * 1000).body)
    backlog = Backlog(head=0, limits=Limits(window_bytes=10 * size))
    view = backlog.open(EVERYTHING)
    take(backlog, of_pods(10, note="x" * 1000))
    assert (view.count(0), backlog.floor) == (10, 0), "exactly as much as there may be"
    take(backlog, of_pods(1, note="x" * 998, after=10))
    assert (view.count(0), backlog.floor) == (9, 2), "more than half remains"
    take(backlog, of_pods(1, note="x" * 998, after=11))
    assert (view.count(0), backlog.floor) == (10, 2), "what was dropped is not counted any more"


def test_both_bounds_are_kept_at_once() -> None:
    size = len(change(Verb.ADDED, pod_key("p0"), note="x" * 1000).body)
    backlog = Backlog(head=0, limits=Limits(window_events=20, window_bytes=10 * size))
    view = backlog.open(EVERYTHING)
    take(backlog, [*of_pods(12), *of_pods(11, note="x" * 1000, after=12)])
    assert view.count(0) == 8, "12 of them to come down to bytes, 3 to come down to events"
    assert backlog.floor == 15


def test_one_event_that_is_larger_than_the_window_is_not_kept() -> None:
    backlog = Backlog(head=0, limits=Limits(window_bytes=1000))
    view = backlog.open(EVERYTHING)
    take(backlog, of_pods(1, note="x" * 2000))
    assert (view.count(0), view.lost, backlog.floor, view.last) == (0, 1, 1, 1)
    take(backlog, of_pods(1, after=1))
    assert view.count(0) == 1


def test_what_the_window_has_forgotten_is_in_no_index() -> None:
    """A namespace that was deleted long ago would be kept for ever."""
    backlog = Backlog(head=0, limits=Limits(window_events=10))
    take(backlog, [*of_pods(5, namespace="old"), *of_pods(5, after=5, namespace="new")])
    assert set(backlog._of) == {"old", "new"}
    take(backlog, of_pods(1, after=10, namespace="new"))
    assert [len(backlog._of[name]) for name in ("old", "new")] == [4, 6]
    take(backlog, of_pods(4, after=11, namespace="new"))
    assert {name: len(records) for name, records in backlog._of.items()} == {"new": 10}


def test_nodes_are_forgotten_with_the_window_too() -> None:
    backlog = Backlog(head=0, limits=Limits(window_events=10))
    for event in numbered([change(Verb.MODIFIED, node_key("n"), note=str(n)) for n in range(50)]):
        take(backlog, [event])
    late = backlog.open(Filter(frozenset({"none"})))
    assert late.count(0) == 10
    assert late.lost == backlog.floor == 40


def test_a_window_holds_twenty_thousand_events_and_64_mib_if_nothing_else_is_said() -> None:
    backlog = Backlog(head=0)
    take(backlog, of_pods(21_999))
    assert backlog.floor == 0
    take(backlog, of_pods(1, after=21_999))
    assert backlog.floor == 2_000
    backlog = Backlog(head=0)
    megabyte = change(Verb.ADDED, pod_key("p")).body.ljust(2**20)
    large = [msgspec.structs.replace(change(Verb.ADDED, pod_key(f"p{n}")), body=megabyte) for n in range(65)]
    take(backlog, numbered(large[:64]))
    assert backlog.floor == 0
    take(backlog, numbered(large[64:], 64))
    assert backlog.floor == 65 - 57, "down to nine tenths"
