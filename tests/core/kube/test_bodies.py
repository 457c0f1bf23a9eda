"""The contract's resources, field by field and byte by byte: equal resources are equal bytes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kstream.core.kube import objects as k8s
from kstream.core.kube.bodies import namespace_body, node_body, pod_body

META = k8s.Metadata("web", "shop", "u1", "7", "2025-01-24T09:30:00Z", labels={"app": "web"})
BARE = k8s.Metadata()


def pod(spec: k8s.PodSpec | None = None, status: k8s.PodStatus | None = None) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(pod_body(k8s.Pod(META, spec, status), META))
    return found


def node(
    spec: k8s.NodeSpec | None = None,
    status: k8s.NodeStatus | None = None,
    labels: dict[str, str] | None = None,
) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(node_body(k8s.Node(META, spec, status), k8s.Metadata(labels=labels)))
    return found


def test_the_fields_of_each_resource_stand_in_the_order_of_the_contract() -> None:
    containers = [k8s.Container("main", "nginx")]
    statuses = [k8s.ContainerStatus("main", k8s.ContainerState(running=k8s.Running()), True, 2, True)]
    assert pod_body(
        k8s.Pod(
            META,
            k8s.PodSpec(containers=containers, node_name="node-1"),
            k8s.PodStatus("Running", container_statuses=statuses),
        ),
        META,
    ) == (
        b'{"name":"web","uid":"u1","namespace":"shop","nodeName":"node-1","phase":"Running","status":"Running",'
        b'"containers":[{"name":"main","image":"nginx","ready":true,"restartCount":2,"state":"running","reason":null}],'
        b'"labels":{"app":"web"},"creationTimestamp":"2025-01-24T09:30:00Z","owner":null}'
    )
    status = k8s.NodeStatus(k8s.Capacity("4", "8Gi", "110"), [k8s.Condition("Ready", "True", "R", "m")])
    assert node_body(k8s.Node(META, None, status), META) == (
        b'{"name":"web","uid":"u1","status":"Ready","role":"worker",'
        b'"capacity":{"cpu":"4000m","memory":"8Gi","pods":"110"},'
        b'"conditions":[{"type":"Ready","status":"True","reason":"R","message":"m"}],'
        b'"labels":{"app":"web"},"creationTimestamp":"2025-01-24T09:30:00Z"}'
    )
    assert namespace_body(k8s.Namespace(META, k8s.NamespaceStatus("Active")), META) == (
        b'{"name":"web","uid":"u1","status":"Active"}'
    )


def test_what_is_not_known_is_empty_and_never_missing() -> None:
    assert pod_body(k8s.Pod(), BARE) == (
        b'{"name":"","uid":"","namespace":"","nodeName":null,"phase":"","status":"","containers":[],"labels":{},'
        b'"creationTimestamp":null,"owner":null}'
    )
    assert node_body(k8s.Node(), BARE) == (
        b'{"name":"","uid":"","status":"Unknown","role":"worker","capacity":{"cpu":"0m","memory":"0","pods":"0"},'
        b'"conditions":[],"labels":{},"creationTimestamp":null}'
    )
    for status in (None, k8s.NamespaceStatus(), k8s.NamespaceStatus("")):
        assert namespace_body(k8s.Namespace(status=status), BARE) == b'{"name":"","uid":"","status":""}'
    assert pod(k8s.PodSpec(node_name=""))["nodeName"] is None
    condition = k8s.NodeStatus(conditions=[k8s.Condition()])
    assert node(status=condition)["conditions"] == [{"type": "", "status": "", "reason": "", "message": ""}]


def owner(*references: k8s.OwnerReference, labels: dict[str, str] | None = None) -> Any:
    metadata = k8s.Metadata(labels=labels, owner_references=list(references) or None)
    return json.loads(pod_body(k8s.Pod(), metadata))["owner"]


def controller(kind: str | None, name: str | None) -> k8s.OwnerReference:
    return k8s.OwnerReference(kind, name, True)


def test_the_owner_of_a_pod_is_its_controller() -> None:
    assert owner() is None
    assert owner(k8s.OwnerReference("Node", "n1"), k8s.OwnerReference("Node", "n2", False)) is None
    assert owner(k8s.OwnerReference("Node", "n1"), controller("DaemonSet", "log")) == {
        "kind": "DaemonSet",
        "name": "log",
    }
    assert owner(controller(None, "x")) is owner(controller("Job", None)) is owner(controller("", "")) is None


@pytest.mark.parametrize(
    ("name", "labels", "told"),
    [
        ("web-5d8f", {"pod-template-hash": "5d8f"}, ("Deployment", "web")),
        ("my-web-5d8f", {"pod-template-hash": "5d8f"}, ("Deployment", "my-web")),
        ("web-5d8f", {"pod-template-hash": "other"}, ("ReplicaSet", "web-5d8f")),
        ("web-5d8f", {"app": "web"}, ("ReplicaSet", "web-5d8f")),
        ("web-5d8f", None, ("ReplicaSet", "web-5d8f")),
        ("web-", {"pod-template-hash": ""}, ("ReplicaSet", "web-")),
        ("5d8f", {"pod-template-hash": "5d8f"}, ("ReplicaSet", "5d8f")),
        ("-5d8f", {"pod-template-hash": "5d8f"}, ("ReplicaSet", "-5d8f")),
    ],
)
def test_a_deployment_stands_for_the_replica_sets_that_it_made(
    name: str, labels: dict[str, str] | None, told: tuple[str, str]
) -> None:
    found = owner(controller("ReplicaSet", name), labels=labels)
    assert (found["kind"], found["name"]) == told
    assert owner(controller("StatefulSet", name), labels=labels)["kind"] == "StatefulSet"


WAITING = {"name": "", "image": "", "ready": False, "restartCount": 0, "state": "waiting", "reason": None}


@pytest.mark.parametrize(
    ("declared", "statuses", "expected"),
    [
        (None, [k8s.ContainerStatus("a")], []),
        ([], None, []),
        ([k8s.Container()], None, [WAITING]),
        ([k8s.Container("a", "x")], [], [WAITING | {"name": "a", "image": "x"}]),
        (
            [k8s.Container("a")],
            [k8s.ContainerStatus("a", restart_count=3)],
            [WAITING | {"name": "a", "restartCount": 3}],
        ),
        (
            [k8s.Container("a", "x")],
            [k8s.ContainerStatus("b", ready=True)],
            [WAITING | {"name": "a", "image": "x"}],
        ),
        ([k8s.Container()], [k8s.ContainerStatus(ready=True)], [WAITING | {"ready": True}]),
        (
            [k8s.Container("a", "x"), k8s.Container(None, "y"), k8s.Container("c", "z")],
            [k8s.ContainerStatus("c", ready=True, restart_count=1), k8s.ContainerStatus("gone")],
            [
                WAITING | {"name": "a", "image": "x"},
                WAITING | {"image": "y"},
                WAITING | {"name": "c", "image": "z", "ready": True, "restartCount": 1},
            ],
        ),
    ],
)
def test_the_declared_containers_come_in_their_order_with_what_is_known_of_each(
    declared: list[k8s.Container] | None,
    statuses: list[k8s.ContainerStatus] | None,
    expected: list[dict[str, Any]],
) -> None:
    found = pod(k8s.PodSpec(containers=declared), k8s.PodStatus(container_statuses=statuses))
    assert found["containers"] == expected


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (None, ("waiting", None)),
        (k8s.ContainerState(), ("waiting", None)),
        (k8s.ContainerState(running=k8s.Running()), ("running", None)),
        (k8s.ContainerState(waiting=k8s.Waiting("ErrImagePull")), ("waiting", "ErrImagePull")),
        (k8s.ContainerState(waiting=k8s.Waiting("")), ("waiting", None)),
        (k8s.ContainerState(terminated=k8s.Terminated(137, reason="OOMKilled")), ("terminated", "OOMKilled")),
        (k8s.ContainerState(terminated=k8s.Terminated(0)), ("terminated", None)),
    ],
)
def test_a_container_is_in_one_state_for_a_reason_or_none(
    state: k8s.ContainerState | None, expected: tuple[str, str | None]
) -> None:
    statuses = [k8s.ContainerStatus("a", state)]
    (found,) = pod(k8s.PodSpec(containers=[k8s.Container("a")]), k8s.PodStatus(container_statuses=statuses))[
        "containers"
    ]
    assert (found["state"], found["reason"]) == expected


def test_sidecars_come_after_the_main_ones_and_other_init_containers_not_at_all() -> None:
    init = [
        k8s.Container("setup"),
        k8s.Container("proxy", "envoy", "Always"),
        k8s.Container("once", None, "Never"),
    ]
    statuses = [
        k8s.ContainerStatus(name, restart_count=n) for n, name in enumerate(("setup", "proxy", "once"), 1)
    ]
    found = pod(
        k8s.PodSpec(init, [k8s.Container("main")]),
        k8s.PodStatus(init_container_statuses=statuses, container_statuses=[k8s.ContainerStatus("main")]),
    )
    assert [(each["name"], each["restartCount"]) for each in found["containers"]] == [
        ("main", 0),
        ("proxy", 2),
    ]


@pytest.mark.parametrize(
    ("conditions", "cordoned", "expected"),
    [
        (None, None, "Unknown"),
        ([], True, "Unknown,SchedulingDisabled"),
        ([k8s.Condition("Ready", "True")], None, "Ready"),
        ([k8s.Condition("Ready", "True")], False, "Ready"),
        ([k8s.Condition("Ready", "True")], True, "Ready,SchedulingDisabled"),
        ([k8s.Condition("Ready", "Unknown")], False, "NotReady"),
        ([k8s.Condition("Ready", "true")], False, "NotReady"),
        ([k8s.Condition("DiskPressure", "True")], False, "Unknown"),
        ([k8s.Condition("Ready", "True"), k8s.Condition("DiskPressure", "True")], False, "Ready"),
        ([k8s.Condition("DiskPressure", "False"), k8s.Condition("Ready", "True")], False, "Ready"),
    ],
)
def test_a_nodes_status_is_what_kubectl_prints(
    conditions: list[k8s.Condition] | None, cordoned: bool | None, expected: str
) -> None:
    assert node(k8s.NodeSpec(cordoned), k8s.NodeStatus(conditions=conditions))["status"] == expected


@pytest.mark.parametrize(
    ("labels", "role"),
    [
        ({}, "worker"),
        ({"app": "x", "kubernetes.io/role": "master"}, "worker"),
        ({"node-role.kubernetes.io/": "x"}, "worker"),
        ({"node-role.kubernetes.io/edge": ""}, "edge"),
        ({"node-role.kubernetes.io/b": "", "node-role.kubernetes.io/a": "", "app": "x"}, "a,b"),
    ],
)
def test_roles_are_in_the_names_of_labels_in_their_order(labels: dict[str, str], role: str) -> None:
    assert node(labels=labels)["role"] == role


@pytest.mark.parametrize(
    ("capacity", "expected"),
    [
        (k8s.Capacity(), ("0m", "0", "0")),
        (k8s.Capacity("", "", ""), ("0m", "0", "0")),
        (k8s.Capacity(4, 1024, 110), ("4000m", "1Ki", "110")),
        (k8s.Capacity(0.5, 2.0, 0), ("500m", "2", "0")),
        (k8s.Capacity("1500m", "8388608Ki", "110"), ("1500m", "8Gi", "110")),
        (k8s.Capacity("many", "much", "1k"), ("many", "much", "1k")),
    ],
)
def test_a_capacity_is_in_the_spelling_of_the_contract(
    capacity: k8s.Capacity, expected: tuple[str, str, str]
) -> None:
    assert node(status=k8s.NodeStatus(capacity))["capacity"] == dict(
        zip(("cpu", "memory", "pods"), expected, strict=True)
    )
