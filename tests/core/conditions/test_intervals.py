"""Intervals from events."""

from __future__ import annotations

from kstream.core.conditions.intervals import Interval, Intervals, Moment, intervals
from kstream.core.timeline.events import Event, ObjectKey, Verb
from kstream.core.timeline.state import Entry
from tests.making import START, change, pod_key

A, B, C = (pod_key(name) for name in "abc")
BEGIN = Moment(4, START)


def at(seq: int, verb: Verb, key: ObjectKey, mark: str = "") -> Event:
    return Event(seq, change(verb, key, mark=mark, time=START + seq))


def failed(body: bytes) -> bool:
    return b"Failed" in body


def test_an_interval_begins_with_the_event_that_makes_it_true_and_ends_with_the_one_that_does_not() -> None:
    known = [
        Entry(key, "1", change(Verb.ADDED, key, mark=mark).body, "") for key, mark in ((A, "Failed"), (B, ""))
    ]
    events = [
        at(5, Verb.ADDED, C, "Failed"),
        at(6, Verb.MODIFIED, C, "Failed"),
        at(7, Verb.MODIFIED, A),
        at(8, Verb.DELETED, C),
        at(9, Verb.MODIFIED, A, "Failed"),
        at(10, Verb.MODIFIED, B),
    ]
    assert intervals(known, events, BEGIN, failed) == [
        Interval(A, BEGIN, Moment(7, START + 7), earlier=True),
        Interval(C, Moment(5, START + 5), Moment(8, START + 8)),
        Interval(A, Moment(9, START + 9), None),
    ]


def test_as_many_as_are_wanted_are_held_and_it_is_known_when_nothing_more_can_change() -> None:
    known = [Entry(A, "1", change(Verb.ADDED, A, mark="Failed").body, "")]
    made = Intervals(known, BEGIN, failed, most=2)
    made.take([at(5, Verb.ADDED, B, "Failed"), at(6, Verb.ADDED, C, "Failed"), at(7, Verb.MODIFIED, B)])
    made.take([at(8, Verb.MODIFIED, B, "Failed"), at(9, Verb.DELETED, C)])
    before = made.complete
    made.take([at(10, Verb.MODIFIED, A), at(11, Verb.MODIFIED, A, "Failed")])
    assert (before, made.complete) == (False, True)
    assert made.found() == [
        Interval(A, BEGIN, Moment(10, START + 10), earlier=True),
        Interval(B, Moment(5, START + 5), Moment(7, START + 7)),
        Interval(C, Moment(6, START + 6), Moment(9, START + 9)),
    ]


def test_an_interval_is_told_with_the_events_that_prove_it() -> None:
    made = Interval(A, Moment(5, START), Moment(8, START + 1.5))
    assert made.as_json() == {
        "kind": "pod",
        "namespace": "default",
        "name": "a",
        "uid": A.uid,
        "from": {"seq": 5, "time": "2025-01-24T10:00:00.000Z"},
        "until": {"seq": 8, "time": "2025-01-24T10:00:01.500Z"},
        "earlier": False,
    }
    assert made._replace(until=None, earlier=True).as_json()["until"] is None
