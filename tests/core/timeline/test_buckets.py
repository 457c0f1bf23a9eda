"""Buckets of a timeline, from what each event is."""

from __future__ import annotations

from kstream.core.timeline.buckets import Bucket, bucketed, change_of, edges, within
from kstream.core.timeline.codes import BAD, CODES, UNREADABLE, WAS_BAD
from kstream.core.timeline.events import Kind, Verb

ADDED, MODIFIED, GONE = (CODES["pod", verb] for verb in ("ADDED", "MODIFIED", "DELETED"))
NODE = CODES["node", "MODIFIED"]


def test_edges_are_as_far_from_each_other() -> None:
    assert edges(10.0, 20.0, 4) == [10.0, 12.5, 15.0, 17.5, 20.0]
    assert edges(0.1, 0.7, 3)[-1] == 0.7


def test_a_bucket_tells_what_happened_in_it_and_how_much_is_bad_at_its_end() -> None:
    codes = bytes([ADDED | BAD, MODIFIED | WAS_BAD, MODIFIED | BAD, NODE | BAD, UNREADABLE, GONE | WAS_BAD])
    made = bucketed([3, 4, 6, 7, 8, 9], codes, times=[0.0, 1.0, 2.0, 3.0], reached=[2, 5, 5, 9], bad=4)
    assert made == [
        Bucket(0.0, 1.0, 3, 4, {Kind.POD: {Verb.MODIFIED: 1, Verb.ADDED: 1}}, 1, 1, 4),
        Bucket(1.0, 2.0, None, None, {}, 0, 0, 4),
        Bucket(
            2.0,
            3.0,
            6,
            9,
            {Kind.POD: {Verb.MODIFIED: 1, Verb.DELETED: 1}, Kind.NODE: {Verb.MODIFIED: 1}},
            2,
            1,
            5,
        ),
    ]
    assert made[0].as_json() == {
        "from": "1970-01-01T00:00:00.000Z",
        "to": "1970-01-01T00:00:01.000Z",
        "first": 3,
        "last": 4,
        "counts": {"pods": {"MODIFIED": 1, "ADDED": 1}},
        "worse": 1,
        "better": 1,
        "bad": 4,
    }


def test_events_with_the_same_code_are_counted_together() -> None:
    (made,) = bucketed(
        [1, 2, 3], bytes([MODIFIED, MODIFIED | BAD | WAS_BAD, MODIFIED]), times=[0, 1], reached=[0, 9], bad=1
    )
    assert (made.counts, made.worse, made.better, made.bad) == ({Kind.POD: {Verb.MODIFIED: 3}}, 0, 0, 1)


def test_what_is_not_as_it_was_written_changes_nothing() -> None:
    assert change_of(bytes([BAD, BAD, WAS_BAD, UNREADABLE, 0])) == 1


def test_those_within_a_span_are_after_its_beginning_and_up_to_its_end() -> None:
    seqs = [2, 4, 6, 8]
    assert seqs[within(seqs, 2, 6)] == [4, 6]
    assert seqs[within(seqs, 0, 1)] == []
