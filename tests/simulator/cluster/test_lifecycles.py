"""The simulation lives through the recorded incident and must tell what the real control plane told."""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from kstream.core.kube.resources import decode_line
from kstream.core.timeline.events import Kind, Verb
from tests.simulator.telling import GONE, Teller, scenario_of

INCIDENT = Path(__file__).parents[3] / "fixtures" / "wire" / "incident.jsonl.gz"

CLUSTER = """
cluster: {nodes: 5, control_planes: 0, cpu: 4000, memory: 8}
churn: 0
"""
STORIES = {
    "web": "shop", "cart": "shop", "broken": "shop", "typo": "shop", "leaky": "monitoring",
    "prometheus": "monitoring", "node-exporter": "monitoring", "hello": "default", "nightly": "default",
}  # fmt: skip


def lines(stream: str) -> list[dict[str, Any]]:
    with gzip.open(INCIDENT, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return [row for row in rows if row["stream"] == stream and row["event"] == "line"]


def without_repeats(statuses: list[str]) -> list[str]:
    return [s for i, s in enumerate(statuses) if not i or statuses[i - 1] != s]


def collapsed(statuses: list[str]) -> tuple[str, ...]:
    """A loop is told once: how often it came round depends on how long one watches."""
    made: list[str] = []
    for status in statuses:
        made.append(status)
        for size in (2, 3):
            if len(made) >= 2 * size and made[-size:] == made[-2 * size : -size]:
                del made[-size:]
    return tuple(made)


@pytest.fixture(scope="module")
def recorded() -> dict[str, set[tuple[str, ...]]]:
    """Workload → the sequences of STATUS that the API server printed for its pods."""
    heard: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in lines("pods-table"):
        event = json.loads(row["body"])
        if event["type"] in ("BOOKMARK", "ERROR"):
            continue
        for line in event["object"]["rows"]:
            metadata = line["object"]["metadata"]
            heard[metadata["name"], metadata["uid"]].append(line["cells"][2])
            if event["type"] == "DELETED":
                heard[metadata["name"], metadata["uid"]].append(GONE)
    stories: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for (name, _), statuses in heard.items():
        story = next(story for story in STORIES if name.startswith(story + "-"))
        stories[story].add(collapsed(without_repeats(statuses)))
    return stories


def deployment(name: str, replicas: int, **more: object) -> dict[str, object]:
    return {"namespace": STORIES[name], "name": name, "replicas": replicas, "toleration": 15, **more}


@pytest.fixture(scope="module")
def teller() -> Teller:
    """The same incident: what was done, when it was done, on the nodes where it mattered."""
    teller = Teller(scenario_of(CLUSTER), seed=5)
    two = [{"name": "main", "image": "nginx:1.28"}, {"name": "sidecar", "image": "envoy:v1.31", "cpu": 0}]
    for workload in (
        deployment("web", 6, containers=two),
        deployment("cart", 3),
        deployment("prometheus", 2),
        deployment("hello", 3),
    ):
        teller.do(5, do="create", workload=workload)
    teller.do(25, do="scale", target="shop/web", replicas=14)
    teller.do(35, do="roll-out", target="shop/web", image="nginx:1.29", container="main")
    unprobed = {"startup": [0, 0]}
    later: tuple[dict[str, object], ...] = (
        deployment("broken", 1, fault={"kind": "crash"}, **unprobed),
        deployment("typo", 1, fault={"kind": "image"}, **unprobed),
        deployment("leaky", 1, fault={"kind": "oom"}, **unprobed),
        {
            "kind": "Job", "namespace": "default", "name": "nightly",
            "completions": 4, "parallelism": 2, "run_time": [3, 3],
        },
        {"kind": "DaemonSet", "namespace": "monitoring", "name": "node-exporter"},
    )  # fmt: skip
    for workload in later:
        teller.do(61, do="create", workload=workload)
    on = {pod.owner.template.labels["app"]: pod.node for pod in at(teller, 64)}
    removed, dead = on["broken"], on["typo"]
    assert removed is not None
    assert dead is not None
    assert removed is not dead
    drained = next(node for node in teller.simulation.cluster.nodes.values() if node not in (removed, dead))
    teller.do(76, do="drain", target=drained.name)
    teller.do(82, do="kill-node", target=dead.name)
    teller.do(88, do="uncordon", target=drained.name)
    teller.do(183, do="roll-out", target="shop/cart", image="redis:7")
    teller.do(193, do="delete", target="shop/typo")
    teller.do(199, do="delete-namespace", target="monitoring")
    teller.do(205, do="revive-node", target=dead.name)
    teller.do(316, do="remove-node", target=removed.name)
    finished = next(p.node for p in at(teller, 317) if p.finished and p.node is not removed)
    teller.do(320, do="remove-node", target=finished.name)
    teller.do(336, do="scale", target="shop/web", replicas=4)
    teller.run(600)
    return teller


def at(teller: Teller, when: float) -> list[Any]:
    teller.run(when)
    return list(teller.simulation.cluster.pods.values())


@pytest.mark.parametrize("story", STORIES)
def test_a_workload_tells_no_sequence_that_the_real_one_did_not_tell(
    story: str, teller: Teller, recorded: dict[str, set[tuple[str, ...]]]
) -> None:
    told = {collapsed(pod.statuses) for pod in teller.pods(STORIES[story], story + "-")}
    everything = set().union(*recorded.values())
    assert told, "the story was not told at all"
    assert told <= everything


def test_every_recorded_sequence_is_told(teller: Teller, recorded: dict[str, set[tuple[str, ...]]]) -> None:
    told = {collapsed(t.statuses) for t in teller.objects.values() if t.kind is Kind.POD}
    assert set().union(*recorded.values()) - told == set()


def test_nodes_and_namespaces_tell_what_the_real_ones_told(teller: Teller) -> None:
    recorded: dict[str, list[str]] = defaultdict(list)
    for stream, kind in (("nodes", Kind.NODE), ("namespaces", Kind.NAMESPACE)):
        for row in lines(stream):
            line = decode_line(kind, row["body"].encode())
            if line.decoded is not None:
                key = line.decoded.key
                body = json.loads(line.decoded.body)
                recorded[key.uid].append(GONE if line.type == "DELETED" else body["status"])
    real = {collapsed(without_repeats(statuses)) for statuses in recorded.values()}
    told = {
        collapsed(t.statuses)
        for t in teller.objects.values()
        if t.kind is not Kind.POD and t.name not in ("kube-system", "kube-public", "kube-node-lease")
    }
    assert real - told == set()
    # The recording missed the beginnings: a watch starts after the list.
    assert told - real <= {("Active",), ("Ready",)}


def disruptions(raw: list[dict[str, Any]]) -> set[tuple[str, str]]:
    """(why it was disrupted, its STATUS's source) of every pod that was deleted."""
    found = set()
    for event in raw:
        if event["type"] == "DELETED":
            status = event["object"]["status"]
            reasons = [c["reason"] for c in status.get("conditions", []) if c["type"] == "DisruptionTarget"]
            found.add((reasons[0] if reasons else "", status["phase"]))
    return found


def test_pods_that_had_to_go_say_why_as_the_real_ones_did() -> None:
    real = disruptions([json.loads(row["body"]) for row in lines("pods")])
    typo = "{name: typo, replicas: 12, toleration: 15, fault: {kind: image}}"
    hello = "{name: hello, replicas: 12, toleration: 15}"
    teller = Teller(scenario_of(CLUSTER + f"workloads: [{hello}, {typo}]"))
    raw: list[dict[str, Any]] = []

    def hear(until: float) -> None:
        while not teller.simulation.advance(round(until * 1000)):
            pass
        raw.extend(
            {"type": str(change.verb), "object": change.object}
            for change in teller.simulation.take()
            if change.kind is Kind.POD and change.verb is Verb.DELETED
        )

    teller.do(1, do="drain", target="node-1")
    hear(10)
    teller.do(10, do="kill-node", target="node-2")
    hear(100)
    teller.do(100, do="revive-node", target="node-2")
    hear(110)
    teller.do(110, do="remove-node", target="node-3")
    hear(300)
    assert {pair for pair in real if pair[0]} <= disruptions(raw)


def test_a_pod_has_the_fields_that_the_real_one_had() -> None:
    """Every key of a recorded running pod, at every depth, is there; what only a server adds is left out."""
    real = next(
        event["object"]
        for event in (json.loads(row["body"]) for row in lines("pods"))
        if event["type"] == "MODIFIED"
        and event["object"]["metadata"]["name"].startswith("cart-")
        and event["object"]["status"]["phase"] == "Running"
    )
    del real["metadata"]["managedFields"]
    for container in real["spec"]["containers"]:
        container.pop("env", None)  # nothing secret is simulated
    teller = Teller(scenario_of(CLUSTER))
    teller.do(1, do="create", workload=deployment("cart", 1))
    made: list[Any] = []
    for second in range(2, 12):
        while not teller.simulation.advance(second * 1000):
            pass
        taken = teller.simulation.take()
        made += [c.object for c in taken if c.kind is Kind.POD]
    assert set(keys(real)) - {key for version in made for key in keys(version)} == set()
    assert set(keys(made[-1]["metadata"])) - set(keys(real["metadata"])) == set()


def keys(value: Any, path: str = "") -> list[str]:
    if isinstance(value, dict):
        return [k for name, item in value.items() for k in (f"{path}.{name}", *keys(item, f"{path}.{name}"))]
    if isinstance(value, list):
        return [k for item in value for k in keys(item, path)]
    return []


def test_status_and_readiness_change_together_as_they_did(teller: Teller) -> None:
    """Every step from one (STATUS, all ready or not) to the next was recorded, and every recorded one is told."""
    recorded: dict[str, list[str]] = defaultdict(list)
    for row in lines("pods-table"):
        event = json.loads(row["body"])
        if event["type"] in ("BOOKMARK", "ERROR"):
            continue
        for line in event["object"]["rows"]:
            there, _, wanted = line["cells"][1].partition("/")
            uid = line["object"]["metadata"]["uid"]
            recorded[uid].append(f"{line['cells'][2]}, ready: {there == wanted}")
            if event["type"] == "DELETED":
                recorded[uid].append(GONE)
    told: dict[str, list[str]] = defaultdict(list)
    for change in teller.events:
        if change.key.kind is Kind.POD and change.key.namespace != "kube-system":
            body = json.loads(change.body)
            gone = change.verb is Verb.DELETED
            ready = not gone and all(container["ready"] for container in body["containers"])
            told[change.key.uid].append(GONE if gone else f"{body['status']}, ready: {ready}")
    # Two scripts played the recorded kubelets, and now and then one took back what the other had said.
    race = {("Running, ready: True", "Running, ready: False")}
    assert steps(told.values()) == steps(recorded.values()) - race


def steps(stories: Iterable[list[str]]) -> set[tuple[str, str]]:
    return {pair for story in stories for pair in pairwise(without_repeats(story))}
