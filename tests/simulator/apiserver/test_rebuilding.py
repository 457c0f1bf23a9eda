"""What is made again of a log reads like what the log was made of: byte for byte, and in kubectl's columns."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kstream.core.kube.resources import decode_object
from kstream.core.timeline.events import Kind, ObjectKey
from simulator.apiserver.rebuilding import Shape, plan_of, rebuilt
from simulator.apiserver.store import Entry
from simulator.apiserver.table import cells
from tests.recording import lines

REASONS = st.sampled_from(
    [
        "",
        "Completed",
        "Error",
        "OOMKilled",
        "CrashLoopBackOff",
        "PodInitializing",
        "ContainerCreating",
        "Évicté",
    ]
)


@st.composite
def states(draw: st.DrawFn) -> dict[str, Any]:
    what = draw(st.sampled_from(["none", "running", "waiting", "terminated"]))
    match what:
        case "none":
            return {}
        case "running":
            return {"running": {}}
        case "waiting":
            return {"waiting": {"reason": draw(REASONS)}}
    code = draw(st.sampled_from([0, 1, 137]))
    return {
        "terminated": {"exitCode": code, "signal": draw(st.sampled_from([0, 9])), "reason": draw(REASONS)}
    }


@st.composite
def pods(draw: st.DrawFn) -> dict[str, Any]:
    """Any pod that an API server could send, also ones that no kubelet would write."""
    reported = draw(st.booleans())

    def containers(most: int, name: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        number = draw(st.integers(0, most))
        names = [f"{name}{each}" for each in range(number)]
        declared = [{"name": each, "image": f"image-{each}"} for each in names]
        if name == "init":
            for each in declared:
                if draw(st.booleans()):
                    each["restartPolicy"] = "Always"
        told = [
            {
                "name": each,
                "state": draw(states()),
                "ready": draw(st.booleans()),
                "started": draw(st.booleans()),
                "restartCount": draw(st.integers(0, 9)),
            }
            for each in names
        ]
        return declared, told if reported else []

    mains, main_statuses = containers(3, "main")
    inits, init_statuses = containers(3, "init")
    conditions = [
        {"type": name, "status": draw(st.sampled_from(["True", "False"]))}
        for name in ("Initialized", "Ready")
        if draw(st.booleans())
    ]
    if draw(st.booleans()):
        conditions.append({"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"})
    labels = draw(st.sampled_from([{}, {"app": "a", "pod-template-hash": "abc"}, {"b": "ü", "a": "1"}]))
    owner = draw(
        st.sampled_from([None, ("ReplicaSet", "web-abc"), ("ReplicaSet", "own"), ("Job", "j"), ("Odd", "o")])
    )
    metadata: dict[str, Any] = {"name": "web-1", "namespace": "shop", "uid": "u", "resourceVersion": "5"}
    if draw(st.booleans()):
        metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    if draw(st.booleans()):
        metadata["creationTimestamp"] = "2025-12-31T00:00:00Z"
    if owner is not None:
        metadata["ownerReferences"] = [{"kind": owner[0], "name": owner[1], "controller": True}]
    return {
        "metadata": metadata | {"labels": labels},
        "spec": {"containers": mains, "initContainers": inits, "nodeName": draw(st.sampled_from(["", "n1"]))},
        "status": {
            "phase": draw(st.sampled_from(["Pending", "Running", "Succeeded", "Failed", "Unknown"])),
            "reason": draw(st.sampled_from(["", "Evicted", "NodeLost"])),
            "conditions": conditions,
            "containerStatuses": main_statuses,
            "initContainerStatuses": init_statuses,
        },
    }


def again(kind: Kind, raw: bytes) -> tuple[bytes, bytes, dict[str, Any]]:
    """The body of an object, that of the one that is made of it, and this one."""
    decoded = decode_object(kind, raw)
    made = rebuilt(decoded.key, decoded.body, version=7, time=1e9)
    return decoded.body, decode_object(kind, msgspec.json.encode(made)).body, made


@settings(max_examples=500)
@given(pods())
def test_whatever_pod_it_was_the_one_that_is_made_again_has_the_same_body(pod: dict[str, Any]) -> None:
    before, after, _ = again(Kind.POD, json.dumps(pod).encode())
    assert after == before


def test_every_object_of_a_recorded_incident_is_made_again_to_the_byte_with_what_kubectl_prints() -> None:
    seen = 0
    for kind in Kind:
        for line in lines(kind):
            event = json.loads(line)
            if event["type"] not in ("ADDED", "MODIFIED"):
                continue
            raw = json.dumps(event["object"]).encode()
            before, after, made = again(kind, raw)
            assert after == before
            seen += 1
            if kind is Kind.NAMESPACE:
                continue  # neither labels nor their age are kept
            rows = [cells(kind, Entry("", 0, body), now=2e9) for body in (raw, msgspec.json.encode(made))]
            # NAME, READY, STATUS, (how many) RESTARTS and AGE; NAME, STATUS, ROLES and AGE
            columns = [
                (*row[:3], str(row[3]).partition(" ")[0], row[4 if kind is Kind.POD else 3]) for row in rows
            ]
            assert columns[0] == columns[1]
    assert seen > 800


@pytest.mark.parametrize(
    ("status", "init"),
    [
        ("Init:1/3", ["done", "waiting", "waiting"]),
        ("Init:Error", ["Error"]),
        ("Init:Signal:9", ["signal"]),
        ("Init:ExitCode:2", ["exit code"]),
    ],
)
def test_init_containers_are_as_far_as_the_status_says(status: str, init: list[str]) -> None:
    body = json.dumps({"phase": "Pending", "status": status, "nodeName": "n"}).encode()
    made = rebuilt(ObjectKey(Kind.POD, "shop", "a", "u"), body, version=1, time=0.0)
    told = []
    for each in made["status"]["initContainerStatuses"]:
        state = each["state"]
        ended = state.get("terminated", {})
        told.append(
            "done"
            if ended.get("reason") == "Completed"
            else "signal"
            if ended.get("signal") == 9
            else "exit code"
            if ended.get("exitCode") == 2
            else "waiting"
            if state["waiting"]["reason"] == "PodInitializing"
            else state["waiting"]["reason"]
        )
    assert told == init
    assert decode_object(Kind.POD, msgspec.json.encode(made)).body.count(f'"{status}"'.encode()) == 1


def test_a_pod_of_a_deployment_is_owned_by_its_replicaset_the_same_for_all_of_its_pods() -> None:
    body = {"owner": {"kind": "Deployment", "name": "web"}, "labels": {"pod-template-hash": "abc"}}
    owners = [
        rebuilt(ObjectKey(Kind.POD, "shop", name, name), json.dumps(body).encode(), version=1, time=0.0)[
            "metadata"
        ]["ownerReferences"]
        for name in ("a", "b")
    ]
    assert owners[0] == owners[1]
    assert (owners[0][0]["apiVersion"], owners[0][0]["kind"], owners[0][0]["name"]) == (
        "apps/v1",
        "ReplicaSet",
        "web-abc",
    )


def test_what_is_being_deleted_is_marked_with_the_time_at_which_the_log_told_it() -> None:
    pod = rebuilt(
        ObjectKey(Kind.POD, "shop", "a", "u"),
        b'{"phase":"Running","status":"Terminating"}',
        version=1,
        time=90.5,
    )
    namespace = rebuilt(
        ObjectKey(Kind.NAMESPACE, "", "shop", "u"), b'{"status":"Terminating"}', version=1, time=90.5
    )
    for made in (pod, namespace):
        assert made["metadata"]["deletionTimestamp"] == "1970-01-01T00:01:30Z"


def test_a_status_that_no_api_server_gives_leaves_the_containers_right() -> None:
    plan = plan_of(Shape("Running", "", (("running", "", True),)))
    assert plan.init == (0, 0, "")
    body = b'{"phase":"Running","status":"","containers":[{"name":"a","state":"running","ready":true}]}'
    made = rebuilt(ObjectKey(Kind.POD, "shop", "a", "u"), body, version=1, time=0.0)
    again = json.loads(decode_object(Kind.POD, msgspec.json.encode(made)).body)
    assert (again["containers"][0]["state"], again["containers"][0]["ready"]) == ("running", True)


def test_a_body_of_an_older_log_is_made_as_far_as_it_goes() -> None:
    made = rebuilt(ObjectKey(Kind.POD, "shop", "a", "u"), b'{"phase":"Running"}', version=3, time=0.0)
    assert made["metadata"] == {"name": "a", "namespace": "shop", "uid": "u", "resourceVersion": "3"}
    node = rebuilt(ObjectKey(Kind.NODE, "", "n", "u"), b"{}", version=3, time=0.0)
    assert node["spec"] == {}
