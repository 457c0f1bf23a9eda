"""Which events are looked for."""

from __future__ import annotations

import pytest

from kstream.core.timeline.events import Kind, Verb
from kstream.core.timeline.narrow import Narrow
from tests.making import change, namespace_key, node_key, pod_key

EVENTS = {
    "pod": change(Verb.ADDED, pod_key("a", "shop"), note="rollout"),
    "node": change(Verb.ADDED, node_key("a")),
    "namespace": change(Verb.ADDED, namespace_key("shop")),
}


@pytest.mark.parametrize(
    ("narrow", "wanted"),
    [
        (Narrow(), {"pod", "node", "namespace"}),
        (Narrow(kinds=frozenset([Kind.POD, Kind.NODE])), {"pod", "node"}),
        (Narrow(namespaces=frozenset(["shop"])), {"pod", "node", "namespace"}),
        (Narrow(namespaces=frozenset(["a", "x"])), {"node"}),
        (Narrow(names=frozenset(["a"])), {"pod", "node"}),
        (Narrow(uids=frozenset(["uid-shop"])), {"namespace"}),
        (Narrow(texts=frozenset(["rollout", "nothing"])), {"pod"}),
        (Narrow(texts=frozenset()), set()),
        (Narrow(names=frozenset(["a"]), kinds=frozenset([Kind.NAMESPACE])), set()),
    ],
)
def test_all_that_is_wanted_has_to_be_true(narrow: Narrow, wanted: set[str]) -> None:
    assert {name for name, event in EVENTS.items() if narrow.fits(event)} == wanted
