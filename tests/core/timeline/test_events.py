"""The words of a history, which are those of the wire and of the log."""

from __future__ import annotations

import gc

import pytest

from kstream.core.timeline.events import Delivery, Event, Kind, ObjectKey, Verb, WatchEvent
from kstream.core.timeline.health import Lost
from tests.making import change, pod_key


def test_kinds_are_called_as_their_messages_are_and_verbs_as_the_contract_has_them() -> None:
    assert list(Kind) == ["node", "pod", "namespace"]
    assert [f"{kind}" for kind in Kind] == ["node", "pod", "namespace"]
    assert list(Verb) == ["ADDED", "MODIFIED", "DELETED"]


def test_a_name_that_is_used_again_is_another_object() -> None:
    first, second = (ObjectKey(Kind.POD, "shop", "web-0", uid) for uid in ("1", "2"))
    assert first != second
    assert len({first, second, ObjectKey(Kind.POD, "shop", "web-0", "1")}) == 2


@pytest.mark.parametrize("field", WatchEvent.__struct_fields__)
def test_a_fact_is_never_changed(field: str) -> None:
    fact = change(Verb.ADDED, pod_key("web"))
    with pytest.raises(AttributeError):
        setattr(fact, field, getattr(fact, field))


def test_facts_are_nothing_for_the_garbage_collector() -> None:
    """With 150,000 pods, a walk over them stops the server for a tenth of a second."""
    event = Event(1, change(Verb.ADDED, pod_key("web")))
    assert [gc.is_tracked(fact) for fact in (event, event.change, event.change.key)] == [False] * 3


def test_a_delivery_may_be_no_more_than_a_report() -> None:
    assert Delivery(reports=[Lost()]) == ((), {}, [Lost()])
    assert Delivery() == ((), {}, ())
