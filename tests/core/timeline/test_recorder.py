from __future__ import annotations

import json

from kstream.core.timeline.events import Kind, Verb
from kstream.core.timeline.recorder import Recorder
from kstream.core.timeline.state import ClusterState
from tests.making import change, namespace_key, node_key, numbered, pod_key


def test_a_change_that_changes_nothing_is_not_recorded() -> None:
    recorder = Recorder(ClusterState())
    web = pod_key("web")
    assert len(recorder.take([change(Verb.ADDED, web)])) == 1
    assert recorder.take([change(Verb.MODIFIED, web, version="2"), change(Verb.ADDED, web)]) == []
    assert recorder.suppressed == 2


def test_verbs_become_true_of_what_is_known() -> None:
    recorder = Recorder(ClusterState())
    web, db = pod_key("web"), pod_key("db")
    kept = recorder.take(
        [
            change(Verb.MODIFIED, web),
            change(Verb.ADDED, web, note="again"),
            change(Verb.DELETED, db),
            change(Verb.DELETED, web),
        ]
    )
    assert [item.verb for item in kept] == [Verb.ADDED, Verb.MODIFIED, Verb.DELETED]


def test_a_namespace_carries_the_pods_it_has_and_is_no_event_for_its_count_alone() -> None:
    recorder = Recorder(ClusterState())
    shop = namespace_key("shop")
    recorder.take([change(Verb.ADDED, pod_key("a", "shop")), change(Verb.ADDED, pod_key("b", "shop"))])
    (added,) = recorder.take([change(Verb.ADDED, shop)])
    assert json.loads(added.body)["podCount"] == 2
    recorder.take([change(Verb.DELETED, pod_key("a", "shop"))])
    assert recorder.take([change(Verb.MODIFIED, shop, version="2")]) == []
    (gone,) = recorder.take([change(Verb.MODIFIED, shop, mark="Terminating")])
    assert json.loads(gone.body) == {
        "name": "shop",
        "uid": "uid-shop",
        "status": "Terminating",
        "podCount": 1,
    }


def test_a_recorder_that_goes_on_knows_what_the_log_holds() -> None:
    state = ClusterState()
    for event in numbered([change(Verb.ADDED, node_key("n1"), version="41")]):
        state.apply(event)
    recorder = Recorder(state)
    assert dict(recorder.versions()) == {node_key("n1"): "41"}
    assert recorder.take([change(Verb.ADDED, node_key("n1"), version="42")]) == []
    assert next(iter(recorder.versions())).kind is Kind.NODE
