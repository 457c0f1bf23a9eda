"""Whose a pod is, and whether what it says is bad."""

from __future__ import annotations

from typing import Any

import pytest

from kstream.core.insight.subjects import (
    Pod,
    Workload,
    decode_node,
    decode_pod,
    name_of,
    node_badness,
    workload_of,
)
from kstream.core.timeline.events import Kind, ObjectKey
from kstream.core.timeline.wellness import Badness


@pytest.mark.parametrize(
    ("badness", "status", "pressure"),
    [
        (Badness.NONE, "Ready", ""),
        (Badness.WAITING, "Ready,SchedulingDisabled", ""),
        (Badness.PRESSED, "Ready", "MemoryPressure"),
        (Badness.FAILING, "NotReady", "MemoryPressure"),
        (Badness.FAILING, "Unknown", ""),
        (Badness.FAILING, "NotReady,SchedulingDisabled", ""),
    ],
)
def test_a_node_is_as_bad_as_the_worst_of_it(badness: Badness, status: str, pressure: str) -> None:
    body = f'{{"status":"{status}","conditions":[{{"type":"{pressure or "Ready"}","status":"True"}}],"labels":{{}}}}'
    node = decode_node(body.encode())
    assert node_badness(node) is badness
    assert node.zone == ""
    assert node.cordoned is ("SchedulingDisabled" in status)


@pytest.mark.parametrize(
    ("name", "labels", "workload"),
    [
        ("web-6d4-x2x", {"pod-template-hash": "6d4"}, "Deployment shop/web"),
        ("odd", {"pod-template-hash": "6d4"}, "Pod shop/odd"),
        ("nightly-x2x", {"job-name": "nightly"}, "Job shop/nightly"),
        ("proxy-x2x", {"controller-revision-hash": "6d4"}, "DaemonSet shop/proxy"),
        (
            "db-0",
            {"controller-revision-hash": "6d4", "statefulset.kubernetes.io/pod-name": "db-0"},
            "StatefulSet shop/db",
        ),
        ("alone", {}, "Pod shop/alone"),
    ],
)
def test_a_pod_without_an_owner_is_of_what_its_labels_say(
    name: str, labels: dict[str, str], workload: str
) -> None:
    assert str(workload_of(ObjectKey(Kind.POD, "shop", name, "u"), Pod(labels=labels))) == workload


def test_an_owner_is_believed() -> None:
    pod = decode_pod(
        b'{"owner":{"kind":"Job","name":"j"},"containers":[{"image":"a"},{"image":"b"},{"image":"a"}]}'
    )
    assert workload_of(ObjectKey(Kind.POD, "shop", "x", "u"), pod) == Workload("Job", "shop", "j")
    assert (pod.images, pod.restarts) == ("a, b", 0)


@pytest.mark.parametrize(("kind", "name"), [(Kind.POD, "pod shop/a"), (Kind.NODE, "node a")])
def test_names_are_those_that_people_write(kind: Kind, name: Any) -> None:
    assert name_of(ObjectKey(kind, "shop" if kind is Kind.POD else "", "a", "u")) == name
