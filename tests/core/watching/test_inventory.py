"""What is known of one kind of object, and what a list tells of it."""

from __future__ import annotations

import pytest

from kstream.core.kube.resources import Decoded
from kstream.core.timeline.events import Kind, ObjectKey, Verb, WatchEvent
from kstream.core.watching.inventory import Inventory
from tests.making import node_key, pod_key

A, B, C = pod_key("a", "shop"), pod_key("b", "shop"), pod_key("c", "bank")
ANOTHER_A = pod_key("a", "shop", uid="another")


def item(key: ObjectKey, version: str = "1") -> Decoded:
    return Decoded(key, version, b'{"v":%b}' % version.encode())


def holding(*keys: ObjectKey) -> Inventory:
    inventory = Inventory(Kind.POD)
    inventory.see([item(key) for key in keys], time=0.0, sweep=inventory.begin_sweep())
    return inventory


def told(events: list[WatchEvent]) -> list[tuple[Verb, str, str]]:
    return [(event.verb, event.key.uid, event.version) for event in events]


def namespaces(inventory: Inventory) -> list[str]:
    return list(inventory._namespaces)


def test_what_the_log_holds_of_its_kind_is_known_at_its_version() -> None:
    inventory = Inventory(Kind.POD)
    inventory.load([(A, "7"), (C, "8"), (node_key("n"), "9")])
    assert set(inventory.namespaces) == {"shop", "bank"}
    assert list(inventory.known()) == [A, C]
    assert list(inventory.known("bank")) == [C]
    assert (inventory.count(), inventory.count("shop"), inventory.count("none")) == (2, 1, 0)
    assert [inventory.version(key) for key in (A, C, B, ANOTHER_A, pod_key("x", "none"))] == [
        "7",
        "8",
        "",
        "",
        "",
    ]


def test_an_empty_log_leaves_nothing_to_doubt() -> None:
    inventory = holding()
    assert (inventory.count(), list(inventory.known()), namespaces(inventory)) == (0, [], [])


def test_what_is_new_is_added_and_what_is_another_version_modified() -> None:
    inventory = holding(A)
    events = inventory.see([item(A), item(B, "5"), item(C, "6"), item(A, "2")], time=3.0)
    assert events == [
        WatchEvent(Verb.ADDED, B, "5", 3.0, b'{"v":5}'),
        WatchEvent(Verb.ADDED, C, "6", 3.0, b'{"v":6}'),
        WatchEvent(Verb.MODIFIED, A, "2", 3.0, b'{"v":2}'),
    ]
    assert [inventory.version(key) for key in (A, B, C)] == ["2", "5", "6"]
    assert (inventory.count("shop"), inventory.count("bank")) == (2, 1)


def test_without_a_version_nobody_knows_that_it_is_a_repetition() -> None:
    inventory = holding()
    assert told(inventory.see([item(A, ""), item(A, "")], time=0.0)) == [
        (Verb.ADDED, A.uid, ""),
        (Verb.MODIFIED, A.uid, ""),
    ]


def test_cluster_wide_objects_are_in_no_namespace() -> None:
    inventory = Inventory(Kind.NODE)
    first, second = node_key("n1"), node_key("n2")
    assert told(inventory.see([item(first), item(second)], time=0.0)) == [
        (Verb.ADDED, first.uid, "1"),
        (Verb.ADDED, second.uid, "1"),
    ]
    assert inventory.see([item(second), item(first)], time=0.0) == []
    assert inventory.count() == 2
    assert namespaces(inventory) == [""]


def test_a_name_that_is_used_again_is_a_deletion_and_an_addition() -> None:
    inventory = holding(A)
    events = inventory.see([item(ANOTHER_A)], time=3.0)
    assert events == [
        WatchEvent(Verb.DELETED, A, "1", 3.0, b'{"uid":"uid-shop-a","name":"a","namespace":"shop"}'),
        WatchEvent(Verb.ADDED, ANOTHER_A, "1", 3.0, b'{"v":1}'),
    ]
    assert list(inventory.known()) == [ANOTHER_A]


def test_only_what_is_known_under_its_uid_is_dropped() -> None:
    inventory = holding(A, B)
    for unknown in (ANOTHER_A, C, pod_key("x", "shop")):
        assert inventory.drop(item(unknown), time=0.0) == []
    assert inventory.count() == 2
    assert inventory.drop(item(A, "9"), time=3.0) == [WatchEvent(Verb.DELETED, A, "9", 3.0, b'{"v":9}')]
    assert inventory.drop(item(A, "9"), time=3.0) == []
    assert list(inventory.known()) == [B]


def test_a_namespace_that_has_become_empty_is_not_kept() -> None:
    """Namespaces come and go for months: what is kept of each would never be freed."""
    inventory = holding(A, B, C)
    inventory.drop(item(A), time=0.0)
    assert namespaces(inventory) == ["shop", "bank"]
    inventory.drop(item(B), time=0.0)
    assert namespaces(inventory) == ["bank"]
    inventory.clear("bank", time=0.0)
    assert namespaces(inventory) == []
    inventory.see([item(A)], time=0.0)
    inventory.end_sweep(inventory.begin_sweep(), namespace="", time=0.0)
    assert namespaces(inventory) == []


def test_what_a_list_does_not_hold_is_gone_at_the_version_it_was_known_at() -> None:
    inventory = holding(A, B, C)
    sweep = inventory.begin_sweep()
    assert inventory.see([item(B)], time=3.0, sweep=sweep) == []
    assert inventory.end_sweep(sweep, namespace="", time=4.0) == [
        WatchEvent(Verb.DELETED, A, "1", 4.0, b'{"uid":"uid-shop-a","name":"a","namespace":"shop"}'),
        WatchEvent(Verb.DELETED, C, "1", 4.0, b'{"uid":"uid-bank-c","name":"c","namespace":"bank"}'),
    ]
    assert list(inventory.known()) == [B]
    assert inventory.end_sweep(sweep, namespace="", time=5.0) == []


def test_a_list_of_a_namespace_says_nothing_of_the_others() -> None:
    inventory = holding(A, C)
    sweep = inventory.begin_sweep()
    assert told(inventory.end_sweep(sweep, namespace="shop", time=0.0)) == [(Verb.DELETED, A.uid, "1")]
    assert told(inventory.clear("none", time=0.0)) == []
    assert list(inventory.known()) == [C]


def test_what_a_watch_tells_during_a_list_stays_what_the_list_said_of_it() -> None:
    inventory = holding(A, B)
    sweep = inventory.begin_sweep()
    inventory.see([item(A)], time=0.0, sweep=sweep)
    inventory.see([item(A, "2"), item(B, "2")], time=0.0)
    assert told(inventory.end_sweep(sweep, namespace="", time=0.0)) == [(Verb.DELETED, B.uid, "2")]


def test_each_list_has_a_number_of_its_own() -> None:
    inventory = holding(A)
    first = inventory.begin_sweep()
    inventory.see([item(A)], time=0.0, sweep=first)
    second = inventory.begin_sweep()
    assert second > first > 0
    assert told(inventory.end_sweep(second, namespace="", time=0.0)) == [(Verb.DELETED, A.uid, "1")]


@pytest.mark.parametrize(("listed", "gone"), [(A, ANOTHER_A), (ANOTHER_A, A)])
def test_of_two_objects_of_one_name_a_list_says_which_one_there_is(
    listed: ObjectKey, gone: ObjectKey
) -> None:
    inventory = Inventory(Kind.POD)
    inventory.load([(A, "1"), (ANOTHER_A, "1")])
    sweep = inventory.begin_sweep()
    events = inventory.see([item(listed)], time=0.0, sweep=sweep)
    events += inventory.end_sweep(sweep, namespace="", time=0.0)
    assert [event.key for event in events if event.verb is Verb.DELETED] == [gone]
    assert list(inventory.known()) == [listed]
    assert inventory.clear("", time=0.0)[0].key == listed, "the doubt is told once"
    assert inventory.clear("", time=0.0) == []


def test_of_two_objects_of_one_name_that_are_both_gone_both_are_deleted() -> None:
    inventory = Inventory(Kind.POD)
    inventory.load([(A, "1"), (ANOTHER_A, "2"), (C, "3")])
    assert told(inventory.end_sweep(inventory.begin_sweep(), namespace="", time=0.0)) == [
        (Verb.DELETED, A.uid, ""),
        (Verb.DELETED, ANOTHER_A.uid, "2"),
        (Verb.DELETED, C.uid, "3"),
    ]


def test_what_is_doubted_is_told_again_at_the_version_that_is_known_and_then_no_more() -> None:
    inventory = holding(A, B)
    assert inventory.see([item(A)], time=0.0) == []
    inventory.doubt()
    sweep = inventory.begin_sweep()
    assert told(inventory.see([item(A)], time=0.0, sweep=sweep)) == [(Verb.MODIFIED, A.uid, "1")]
    assert inventory.see([item(A)], time=0.0, sweep=sweep) == []
    assert told(inventory.see([item(B)], time=0.0)) == [(Verb.MODIFIED, B.uid, "1")], (
        "no list has held it since"
    )


def test_what_the_log_holds_is_doubted() -> None:
    inventory = Inventory(Kind.POD)
    inventory.load([(A, "1")])
    assert inventory.version(A) == "1"
    sweep = inventory.begin_sweep()
    assert told(inventory.see([item(A)], time=0.0, sweep=sweep)) == [(Verb.MODIFIED, A.uid, "1")]
    assert inventory.see([item(A)], time=0.0, sweep=sweep) == []
