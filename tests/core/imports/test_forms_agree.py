"""One simulated history, written as each of the forms would have it: what is imported ends with the same state."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest

from kstream.core.imports import audit, capture, kubectl
from kstream.core.imports.foreign import Form, Left
from kstream.core.timeline.events import Event, Kind, Verb, WatchEvent
from kstream.core.timeline.recorder import Recorder
from kstream.core.timeline.state import ClusterState, with_pod_count
from simulator.cluster.objects import Change
from simulator.simulation import Simulation
from simulator.source import watch_event
from simulator.story.scenario import load_scenario
from tests.core.imports.making import file
from tests.core.imports.test_audit import entry, status

STREAMS = {Kind.NODE: "nodes", Kind.POD: "pods", Kind.NAMESPACE: "namespaces"}


def simulated() -> list[Change]:
    simulation = Simulation(load_scenario("namespace-teardown"), seed=1)
    while not simulation.built:
        simulation.step(0)
    while not simulation.advance(240_000):
        pass
    return list(simulation.take())


def folded(changes: Iterable[WatchEvent]) -> dict[str, bytes]:
    state = ClusterState()
    for seq, change in enumerate(Recorder(state).take(changes), 1):
        state.apply(Event(seq, change))
    return {
        entry.key.uid: with_pod_count(entry.body, 0) if entry.key.kind is Kind.NAMESPACE else entry.body
        for entry in state
    }


def as_kubectl(change: Change) -> dict[str, Any]:
    return {"type": change.verb.value, "object": change.object}


def as_audit(change: Change) -> dict[str, Any]:
    metadata, ref = (
        change.object["metadata"],
        {"resource": STREAMS[change.kind], "name": change.object["metadata"]["name"]},
    )
    if change.verb is not Verb.DELETED:
        return entry("create" if change.verb is Verb.ADDED else "patch", change.object, **ref)
    match change.kind:
        case Kind.NODE:
            return entry("delete", status(name=metadata["name"], uid=metadata["uid"]), **ref)
        case Kind.POD:
            return entry(
                "delete", {**change.object, "metadata": {**metadata, "deletionGracePeriodSeconds": 0}}, **ref
            )
        case Kind.NAMESPACE:
            return entry(
                "update", {**change.object, "spec": {"finalizers": []}}, subresource="finalize", **ref
            )


def as_capture(change: Change) -> dict[str, Any]:
    return {
        "t": change.time,
        "stream": STREAMS[change.kind],
        "event": "line",
        "body": json.dumps(as_kubectl(change)),
    }


@pytest.mark.parametrize(
    ("form", "written"),
    [(kubectl.changes, as_kubectl), (audit.changes, as_audit), (capture.changes, as_capture)],
    ids=["kubectl", "audit", "capture"],
)
def test_what_is_imported_ends_with_the_state_that_there_was(form: Form, written: Any) -> None:
    history = simulated()
    assert {change.verb for change in history} == set(Verb)
    left = Left()
    imported = list(form([file(*map(written, history))], left))
    assert folded(imported) == folded(map(watch_event, history))
    assert not left.counts
    times = [change.time for change in imported]
    assert times == sorted(times)
