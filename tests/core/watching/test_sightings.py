"""What is told of objects, beside what is known of them."""

from __future__ import annotations

import pytest

from kstream.core.kube.resources import Decoded
from kstream.core.timeline.events import Kind, WatchEvent
from kstream.core.watching.inventory import Inventory
from kstream.core.watching.reflection import Moment, Stream, Tally
from kstream.core.watching.sightings import Sightings
from tests.making import namespace_key, pod_key

NOW = Moment(monotonic=100.0, time=1000.0)


class Stage:
    """One stream whose first list held `names`, all of them at version 1."""

    def __init__(self, *names: str, stream: Stream | None = None) -> None:
        self.stream = stream or Stream(Kind.POD)
        self.inventory = Inventory(self.stream.kind)
        self.tally = Tally()
        self.sightings = Sightings(self.stream, self.inventory, self.tally)
        self.listed = self.lists(*names)

    def item(self, name: str, version: str = "1") -> Decoded:
        key = pod_key(name) if self.stream.kind is Kind.POD else namespace_key(name)
        return Decoded(key, version, b"{}")

    def lists(self, *names: str) -> list[str]:
        sweep = self.inventory.begin_sweep()
        events = self.sightings.seen([self.item(name) for name in names], NOW, sweep=sweep)
        return said(events + self.sightings.complete(sweep, NOW))

    def told(self, verb: str, name: str, version: str, *, sweep: int = 0) -> list[str] | None:
        events = self.sightings.told(verb, self.item(name, version), NOW, sweep=sweep)
        return None if events is None else said(events)


def said(events: list[WatchEvent]) -> list[str]:
    return [f"{event.verb} {event.key.name} {event.version}" for event in events]


def test_a_list_adds_what_is_new_and_deletes_what_it_does_not_hold() -> None:
    stage = Stage("a", "b")
    assert stage.listed == ["ADDED a 1", "ADDED b 1"]
    assert stage.lists("b", "c") == ["ADDED c 1", "DELETED a 1"]
    assert stage.tally.suppressed == 1, "b is as it was"


def test_a_watch_changes_adds_and_deletes() -> None:
    stage = Stage("a")
    assert stage.told("MODIFIED", "a", "2") == ["MODIFIED a 2"]
    assert stage.told("ADDED", "b", "3") == ["ADDED b 3"]
    assert stage.told("DELETED", "a", "4") == ["DELETED a 4"]
    assert stage.tally.suppressed == 0


@pytest.mark.parametrize(
    ("verb", "name", "version"),
    [("MODIFIED", "new", "5"), ("ADDED", "a", "5")],
    ids=["an unknown", "a known"],
)
def test_what_cannot_follow_is_another_history(verb: str, name: str, version: str) -> None:
    stage = Stage("a")
    assert stage.told(verb, name, version) is None
    assert stage.told(verb, name, version, sweep=1) is not None, "but for the initial events of a list"


def test_one_that_is_gone_and_is_changed_is_of_another_history_until_a_list_holds_it() -> None:
    stage = Stage("a")
    stage.told("DELETED", "a", "2")
    assert stage.told("MODIFIED", "a", "3") is None
    assert stage.lists("a") == ["ADDED a 1"]
    assert stage.told("MODIFIED", "a", "3") == ["MODIFIED a 3"]


def test_one_that_a_list_did_not_hold_is_gone_too() -> None:
    stage = Stage("a")
    stage.lists("b")
    assert stage.told("MODIFIED", "a", "3") is None


def test_an_older_state_is_past_and_counted_and_a_list_forgets_that() -> None:
    stage = Stage("a")
    assert not stage.sightings.past(stage.item("a", "2"))
    stage.told("MODIFIED", "a", "2")
    assert stage.sightings.past(stage.item("a", "1"))
    assert stage.tally.suppressed == 1
    stage.lists("a")
    assert not stage.sightings.past(stage.item("a", "2"))
    assert stage.tally.suppressed == 1


def test_of_some_names_only_these_are_followed() -> None:
    stage = Stage("a", "b", stream=Stream(Kind.NAMESPACE, only=frozenset({"a"})))
    assert stage.listed == ["ADDED a 1"]
    assert stage.told("MODIFIED", "b", "2") == [], "no other can contradict anything"
    assert stage.told("MODIFIED", "a", "2") == ["MODIFIED a 2"]
    assert stage.tally.suppressed == 0


def test_a_list_of_one_namespace_says_nothing_of_the_others() -> None:
    inventory = Inventory(Kind.POD)
    inventory.load([(pod_key("there", "b"), "1"), (pod_key("gone", "a"), "1")])
    sightings = Sightings(Stream(Kind.POD, "a"), inventory, Tally())
    assert said(sightings.complete(inventory.begin_sweep(), NOW)) == ["DELETED gone 1"]
    assert [key.name for key in inventory.known()] == ["there"]
