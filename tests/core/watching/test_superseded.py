"""What is known to be past, and how much of it is remembered."""

from __future__ import annotations

import pytest

from kstream.core.kube.resources import Decoded
from kstream.core.timeline.events import Verb
from kstream.core.watching.superseded import Superseded
from tests.making import change, pod_key

KEPT, KEPT_DELETIONS = 1000, 10_000


def item(name: str, version: str) -> Decoded:
    return Decoded(pod_key(name), version, b"{}")


def gone(superseded: Superseded, name: str) -> bool:
    """Whether it was seen to go: it cannot be changed any more, whatever is known of it."""
    return superseded.contradicts("MODIFIED", item(name, "9"), "1")


def deleted(*names: str) -> Superseded:
    superseded = Superseded()
    superseded.noted([change(Verb.DELETED, pod_key(name)) for name in names])
    return superseded


def test_what_an_object_was_before_is_no_news_and_what_it_is_is_not_past() -> None:
    superseded = Superseded()
    assert not superseded.passed(item("a", "2"), "1")
    assert superseded.passed(item("a", "1"), "2")
    assert not superseded.passed(item("a", "2"), "2")
    assert not superseded.passed(item("a", "3"), "2")
    assert superseded.passed(item("a", "2"), "3")
    assert not superseded.passed(item("b", "1"), ""), "another object may have the same version"


def test_a_repetition_and_a_new_object_leave_nothing_behind() -> None:
    superseded = Superseded()
    assert not superseded.passed(item("a", "1"), "1")
    assert not superseded.passed(item("a", "1"), "")
    assert not superseded.passed(item("a", "1"), "1"), "it is not its own past"
    assert not superseded.passed(item("a", ""), "1")
    assert not superseded.passed(item("a", ""), ""), "an object without a version is not known to be past"


def test_an_older_state_does_not_make_the_present_one_past() -> None:
    superseded = Superseded()
    superseded.passed(item("a", "2"), "1")
    assert superseded.passed(item("a", "1"), "2")
    assert not superseded.passed(item("a", "2"), "2")


def test_of_too_many_changes_the_first_is_forgotten_and_not_the_last() -> None:
    superseded = Superseded()
    for number in range(KEPT):
        superseded.passed(item(f"p{number}", "2"), "1")
    assert superseded.passed(item("p0", "1"), ""), "as many as are kept are all known"
    superseded.passed(item(f"p{KEPT}", "2"), "1")
    known = [superseded.passed(item(f"p{number}", "1"), "") for number in range(KEPT + 1)]
    assert known == [False] + [True] * KEPT


def test_what_is_deleted_is_gone_at_any_version_and_changes_are_handed_on_as_they_are() -> None:
    superseded = Superseded()
    changes = [
        change(Verb.DELETED, pod_key("a")),
        change(Verb.ADDED, pod_key("b")),
        change(Verb.MODIFIED, pod_key("c")),
    ]
    assert superseded.noted(changes) is changes
    assert [gone(superseded, name) for name in "abc"] == [True, False, False]
    assert superseded.passed(item("a", changes[0].version), ""), "told once more"
    assert not superseded.passed(item("a", "7"), ""), "with a version that it never had"
    assert not superseded.passed(item("a", "8"), "7"), "nor does what is gone have a past"
    assert not superseded.passed(item("a", "7"), "")


def test_of_too_many_deletions_the_first_is_forgotten_and_not_the_last() -> None:
    superseded = deleted(*(f"p{number}" for number in range(KEPT_DELETIONS)))
    assert gone(superseded, "p0"), "as many as are kept are all known"
    superseded.noted([change(Verb.DELETED, pod_key(f"p{KEPT_DELETIONS}"))])
    known = [gone(superseded, f"p{number}") for number in range(KEPT_DELETIONS + 1)]
    assert known == [False] + [True] * KEPT_DELETIONS


def test_what_a_list_holds_exists_and_what_it_does_not_hold_stays_gone() -> None:
    superseded = deleted("a", "b")
    superseded.listed([item("a", "5"), item("c", "5")])
    assert [gone(superseded, name) for name in "abc"] == [False, True, False]


def test_a_list_costs_nothing_where_nothing_is_gone() -> None:
    """With 150,000 pods, each look shows."""
    items = iter([item("a", "5")])
    Superseded().listed(items)
    assert len(list(items)) == 1, "nobody has looked"


def test_after_a_list_versions_may_begin_anew_and_deletions_stand() -> None:
    superseded = deleted("b")
    superseded.passed(item("a", "2"), "1")
    superseded.relisted()
    assert not superseded.passed(item("a", "1"), "2")
    assert gone(superseded, "b")


@pytest.mark.parametrize(
    ("verb", "version", "known", "contradicts"),
    [
        ("ADDED", "2", "", False),
        ("ADDED", "2", "2", False),
        ("ADDED", "2", "1", True),
        ("MODIFIED", "2", "1", False),
        ("MODIFIED", "2", "2", False),
        ("MODIFIED", "2", "", True),
        ("DELETED", "2", "1", False),
        ("DELETED", "2", "", False),
    ],
)
def test_what_cannot_follow_from_what_is_known_is_of_another_history(
    verb: str, version: str, known: str, contradicts: bool
) -> None:
    assert Superseded().contradicts(verb, item("a", version), known) is contradicts


@pytest.mark.parametrize(("verb", "contradicts"), [("ADDED", True), ("MODIFIED", True), ("DELETED", False)])
def test_what_is_gone_does_not_come_back_and_may_be_deleted_twice(verb: str, contradicts: bool) -> None:
    assert deleted("a").contradicts(verb, item("a", "9"), "") is contradicts


def test_of_what_was_deleted_no_more_is_remembered_than_of_what_was_changed() -> None:
    superseded = deleted(*(f"p{number}" for number in range(KEPT)))
    assert superseded.passed(item("p0", "1"), "")
    superseded.noted([change(Verb.DELETED, pod_key("one-more"))])
    assert not superseded.passed(item("p0", "1"), "")
    assert superseded.passed(item("p1", "1"), "")
