"""What is read of a Kubernetes object, and nothing else (PROTOCOL 13)."""

from __future__ import annotations

import gc
import json
from typing import Any

import msgspec
import pytest

from kstream.core.kube import objects as k8s
from kstream.core.kube.objects import ListMetadata, Metadata, Node, Pod, PodCondition, Raw, Status


def read(kind: type[Any], value: object) -> Any:
    return msgspec.json.decode(json.dumps(value), type=kind)


def structs() -> list[type[Raw]]:
    return [found for found in vars(k8s).values() if isinstance(found, type) and issubclass(found, Raw)]


def test_what_is_read_is_listed_here_by_the_names_that_kubernetes_has_for_it() -> None:
    """A field that is added may leave for every browser: it is to be added here too, on purpose."""
    read_fields = {found.__name__: list(found.__struct_encode_fields__) for found in structs()}
    assert read_fields == {
        "Raw": [],
        "Annotations": ["k8s.io/initial-events-end"],
        "OwnerReference": ["kind", "name", "controller"],
        "Metadata": [
            *("name", "namespace", "uid", "resourceVersion", "creationTimestamp", "deletionTimestamp"),
            *("labels", "annotations", "ownerReferences"),
        ],
        "Condition": ["type", "status", "reason", "message"],
        "Container": ["name", "image", "restartPolicy"],
        "Running": [],
        "Waiting": ["reason"],
        "Terminated": ["exitCode", "signal", "reason"],
        "ContainerState": ["running", "waiting", "terminated"],
        "ContainerStatus": ["name", "state", "ready", "restartCount", "started"],
        "PodSpec": ["initContainers", "containers", "nodeName"],
        "PodCondition": ["type", "status", "reason"],
        "PodStatus": ["phase", "conditions", "reason", "initContainerStatuses", "containerStatuses"],
        "Pod": ["metadata", "spec", "status"],
        "Capacity": ["cpu", "memory", "pods"],
        "NodeSpec": ["unschedulable"],
        "NodeStatus": ["capacity", "conditions"],
        "Node": ["metadata", "spec", "status"],
        "NamespaceStatus": ["phase"],
        "Namespace": ["metadata", "status"],
        "StatusDetails": ["retryAfterSeconds"],
        "Status": ["code", "reason", "message", "details"],
    }
    assert list(ListMetadata.__struct_encode_fields__) == [
        "resourceVersion",
        "continue",
        "remainingItemCount",
    ]


@pytest.mark.parametrize("kind", structs(), ids=lambda kind: kind.__name__)
def test_every_field_may_be_missing_or_null(kind: type[Raw]) -> None:
    nulls: dict[str, None] = dict.fromkeys(kind.__struct_encode_fields__)
    assert read(kind, nulls) == read(kind, {}) == kind()


def test_what_is_not_read_never_becomes_an_object() -> None:
    pod = read(Pod, {"spec": {"containers": [{"name": "a", "env": [{"name": "A", "value": "hunter2"}]}]}})
    assert "hunter2" not in repr(pod)
    assert pod.spec.containers == [k8s.Container("a")]


@pytest.mark.parametrize("number", [-(2**31), 0, 2**31 - 1])
def test_a_32_bit_number_is_read(number: int) -> None:
    assert read(Status, {"code": number}).code == number
    assert read(k8s.ContainerStatus, {"restartCount": number}).restart_count == number
    found = read(k8s.Terminated, {"exitCode": number, "signal": number})
    assert (found.exit_code, found.signal) == (number, number)


@pytest.mark.parametrize("number", [-(2**31) - 1, 2**31, 0.5, "1"])
def test_a_number_that_go_would_not_take_is_refused(number: object) -> None:
    for kind, field in (
        (Status, "code"),
        (k8s.ContainerStatus, "restartCount"),
        (k8s.Terminated, "exitCode"),
    ):
        with pytest.raises(msgspec.ValidationError):
            read(kind, {field: number})


def test_the_conditions_of_a_pod_are_read_by_those_who_need_them() -> None:
    status = read(k8s.PodStatus, {"conditions": [{"type": "Ready", "status": "True", "message": "m"}]})
    assert msgspec.json.decode(status.conditions, type=list[PodCondition]) == [PodCondition("Ready", "True")]
    assert bytes(k8s.PodStatus().conditions) == b"null"


@pytest.mark.parametrize("quantity", ["4", 4, 4.5])
def test_a_quantity_may_be_a_bare_number(quantity: object) -> None:
    assert read(Node, {"status": {"capacity": {"cpu": quantity}}}).status.capacity.cpu == quantity


def test_what_is_read_is_nothing_for_the_garbage_collector_and_never_changed() -> None:
    pod = read(Pod, {"metadata": {"name": "a"}, "spec": {"nodeName": "n"}})
    assert [gc.is_tracked(part) for part in (pod, pod.metadata, pod.spec)] == [False] * 3
    with pytest.raises(AttributeError):
        pod.metadata.name = "b"
    assert Metadata("a") == pod.metadata
