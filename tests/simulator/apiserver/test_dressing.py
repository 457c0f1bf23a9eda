"""What the fake server adds to simulated objects, so that they are as large and as odd as those of a real cluster."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from statistics import median
from typing import Any

import msgspec
import pytest

from kstream.core.kube.resources import decode_object
from kstream.core.timeline.events import Kind
from simulator.apiserver.dressing import Dressing
from simulator.apiserver.recording import read_recording
from simulator.apiserver.simulated import SimulatedFeed
from simulator.apiserver.store import Store
from simulator.cluster.objects import Change
from simulator.simulation import Simulation
from simulator.story.scenario import load_scenario
from tests.recording import WIRE
from tests.simulator.apiserver.making import serving

SCENARIOS = ("tour", "crash-loop", "node-failure", "namespace-teardown", "bad-rollout", "drain-and-upgrade")


@lru_cache
def _changes(scenario: str) -> tuple[Change, ...]:
    """All that happens in the first five minutes."""
    simulation = Simulation(load_scenario(scenario).adapted(nodes=4, pods=40, churn=1), seed=2)
    made: list[Change] = []
    while not simulation.advance(300_000):
        made += simulation.take()
    return (*made, *simulation.take())


def _dressed(scenario: str) -> Iterator[tuple[Change, dict[str, Any]]]:
    """Each change with its object as a client gets it."""
    dressing = Dressing()
    for change in _changes(scenario):
        yield change, msgspec.json.decode(msgspec.json.encode(dressing.dress(change).object))


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_kstream_sees_the_very_same_objects(scenario: str) -> None:
    dressing = Dressing()
    for change in _changes(scenario):
        plain, dressed = (msgspec.json.encode(each.object) for each in (change, dressing.dress(change)))
        assert len(dressed) > len(plain)
        assert decode_object(change.kind, dressed) == decode_object(change.kind, plain)


def test_what_is_there_already_stays_in_it_and_in_the_change_that_was_given() -> None:
    before = copy.deepcopy([change.object for change in _changes("tour")])

    def within(part: Any, whole: Any) -> bool:
        match part:
            case dict():
                return all(name in whole and within(value, whole[name]) for name, value in part.items())
            case list():
                return len(part) <= len(whole) and all(map(within, part, whole))
        return bool(part == whole) or part == ""  # an imageID is filled in

    for plain, (change, dressed) in zip(before, _dressed("tour"), strict=True):
        assert within(plain, dressed)
        assert change.object == plain


def _missing(fields: Mapping[str, Any], value: Any, path: str = "") -> list[str]:
    """The fields of a fieldsV1 that the object does not have."""
    missing: list[str] = []
    for name, inner in fields.items():
        found: Any = None
        if name == ".":
            continue
        if name.startswith("f:"):
            found = value.get(name[2:]) if isinstance(value, dict) else None
            there = isinstance(value, dict) and name[2:] in value
        else:
            [(key, wanted)] = json.loads(name[2:]).items()
            found = next((item for item in value if item.get(key) == wanted), None)
            there = found is not None
        missing += _missing(inner, found, f"{path}/{name}") if there else [f"{path}/{name}"]
    return missing


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_managed_fields_name_fields_that_are_there_and_times_that_have_been(scenario: str) -> None:
    for change, dressed in _dressed(scenario):
        entries = dressed["metadata"]["managedFields"]
        assert entries
        for entry in entries:
            assert _missing(entry["fieldsV1"], dressed) == []
            assert datetime.fromisoformat(entry["time"]).timestamp() <= change.time
            assert (entry["operation"], entry["apiVersion"], entry["fieldsType"]) == (
                "Update",
                "v1",
                "FieldsV1",
            )
            if "subresource" in entry:
                assert (entry["subresource"], set(entry["fieldsV1"])) == ("status", {"f:status"})


def test_managed_fields_are_shaped_like_those_that_a_real_server_wrote() -> None:
    def shapes(kind: Kind, objects: Iterator[dict[str, Any]]) -> set[tuple[str, ...]]:
        """The names of an entry, in their order, and the parts of the object that it speaks of."""
        return {
            (*entry, *(f"{part}/{name}" for part in entry["fieldsV1"] for name in entry["fieldsV1"][part]))
            for content in objects
            for entry in content["metadata"].get("managedFields", ())
            if entry["manager"] in ("kapi", "Python", "kubelet", "kube-controller-manager")
        }

    real = read_recording(WIRE / "incident.jsonl.gz").changes
    told = list(_dressed("node-failure"))
    for kind in (Kind.POD, Kind.NODE):
        theirs = shapes(kind, (change.object for change in real if change.kind is kind))
        ours = shapes(kind, (content for change, content in told if change.kind is kind))
        heads = {shape[: len([name for name in shape if "/" not in name])] for shape in ours}
        assert heads <= {shape[: len([name for name in shape if "/" not in name])] for shape in theirs}
        made = {shape for shape in ours if "f:metadata/f:generateName" in shape}
        assert made <= theirs
        assert bool(made) == (kind is Kind.POD)


def test_the_writers_are_those_of_a_real_cluster() -> None:
    managers: dict[Kind, set[tuple[str, str]]] = {kind: set() for kind in Kind}
    for scenario in (*SCENARIOS, "black-friday"):
        for change, dressed in _dressed(scenario):
            managers[change.kind] |= {
                (entry["manager"], entry.get("subresource", ""))
                for entry in dressed["metadata"]["managedFields"]
            }
    controller = "kube-controller-manager"
    assert managers[Kind.POD] == {
        (controller, ""),
        (controller, "status"),  # a disruption
        ("kube-scheduler", "status"),  # no room
        ("kubelet", "status"),
    }
    assert managers[Kind.NODE] == {
        *((controller, ""), (controller, "status"), ("kubectl-cordon", "")),
        *(("kubelet", ""), ("kubelet", "status")),
    }
    assert managers[Kind.NAMESPACE] == {
        ("kube-apiserver", ""),
        ("kubectl-create", ""),
        (controller, "status"),
    }


def test_every_container_has_the_token_of_the_service_account_mounted() -> None:
    seen = set()
    for change, pod in _dressed("tour"):
        if change.kind is not Kind.POD:
            continue
        spec = pod["spec"]
        assert (spec["serviceAccountName"], spec["serviceAccount"]) == ("default", "default")
        [volume] = spec["volumes"]
        assert re.fullmatch("kube-api-access-[a-z0-9]{5}", volume["name"])
        seen.add((pod["metadata"]["uid"], volume["name"]))
        for container in (*spec["containers"], *spec.get("initContainers", ())):
            assert [mount["name"] for mount in container["volumeMounts"]] == [volume["name"]]
    assert len(seen) == len(dict(seen)), "a pod keeps the name of its volume"
    assert len(set(dict(seen).values())) > len(seen) * 0.9, "and hardly shares it"


def test_a_container_has_an_identity_from_its_start_to_the_account_of_its_end() -> None:
    running: dict[tuple[str, str, int], set[str]] = {}
    restarted = 0
    for change, pod in _dressed("crash-loop"):
        for item in pod["status"].get("containerStatuses", ()) if change.kind is Kind.POD else ():
            key, restarts = (pod["metadata"]["uid"], item["name"]), item["restartCount"]
            last = item["lastState"].get("terminated", {}).get("containerID")
            if "running" in item["state"]:
                running.setdefault((*key, restarts), set()).add(item["containerID"])
                assert re.fullmatch("containerd://[0-9a-f]{64}", item["containerID"])
                assert re.fullmatch(r"\S+@sha256:[0-9a-f]{64}", item["imageID"])
            if last is not None:
                restarted += 1
                assert running[*key, restarts - 1] == {last}
            elif "waiting" in item["state"]:
                assert "containerID" not in item
                assert item["imageID"] == ""
    assert restarted > 10
    assert all(len(identities) == 1 for identities in running.values())
    assert len({identity for [identity] in running.values()}) == len(running)


def test_what_has_been_seen_of_a_pod_is_said_by_whoever_has() -> None:
    told = set()
    for change, pod in _dressed("tour"):
        if change.kind is Kind.POD:
            status, seen = pod["status"], pod["metadata"]["generation"]
            generations = {
                seen if each.get("observedGeneration") == seen else each.get("observedGeneration")
                for each in (status, *status.get("conditions", ()))
            }
            told.add(("startTime" in status, generations == {seen}, generations == {None}))
    assert told == {(True, True, False), (False, False, True)}


def test_pods_are_as_large_as_real_ones() -> None:
    simulation = Simulation(load_scenario("churn-at-scale").adapted(nodes=5, pods=100, churn=0), seed=1)
    store = Store()
    SimulatedFeed(simulation).load(store)
    assert 5000 < median(len(entry.body) for entry in store.snapshot(Kind.POD).entries) < 7000
    assert 3500 < median(len(entry.body) for entry in store.snapshot(Kind.NODE).entries) < 7000


@pytest.fixture
def happened() -> Sequence[Change]:
    return _changes("tour")  # outside of the event loop: the scenario is read from a file


async def test_tables_selectors_and_partial_metadata_work_with_it(happened: Sequence[Change]) -> None:
    plain, dressed = Store(), Store()
    dressing = Dressing()
    for change in happened:
        plain.apply(change)
        dressed.apply(dressing.dress(change))
    table = "application/json;as=Table;v=v1;g=meta.k8s.io"
    path = "/api/v1/pods?fieldSelector=status.phase=Running&labelSelector=app"
    async with serving(plain) as without, serving(dressed) as client:
        cells = [
            [row["cells"] for row in (await each.get(path, accept=table)).json()["rows"]]
            for each in (without, client)
        ]
        assert cells[0] == cells[1]
        assert len(cells[0]) > 30
        own = (await client.get("/api/v1/pods?fieldSelector=spec.serviceAccountName=default")).json()
        assert len(own["items"]) == dressed.count(Kind.POD)
        accept = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
        partial = (await client.get("/api/v1/pods?limit=5", accept=accept)).json()["items"]
        assert [set(item) for item in partial] == [{"metadata"}] * 5
        assert all(item["metadata"]["managedFields"] for item in partial)
