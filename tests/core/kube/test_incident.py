"""The decoder against a recorded incident: the server's own words, for every version of every object."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import msgspec
import pytest

from kstream.core.kube.resources import Decoded, decode_line, decode_object, decode_page
from kstream.core.timeline.events import Kind, ObjectKey, deleted_body
from tests.recording import SECRET, Cells, cells, exchanges, lines, lists, table

FIELDS = {
    Kind.NODE: ["name", "uid", "status", "role", "capacity", "conditions", "labels", "creationTimestamp"],
    Kind.POD: [
        "name",
        "uid",
        "namespace",
        "nodeName",
        "phase",
        "status",
        "containers",
        "labels",
        "creationTimestamp",
        "owner",
    ],
    Kind.NAMESPACE: ["name", "uid", "status"],
}


def versions(kind: Kind) -> list[Decoded]:
    """Every recorded version of every object of a kind, that of a DELETED line too."""
    found = [item for page in lists(kind) for item in decode_page(kind, page).items]
    for line in lines(kind):
        raw = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
        if bytes(raw["type"]) != b'"BOOKMARK"':
            found.append(decode_object(kind, bytes(raw["object"])))
    return found


def printed(body: dict[str, Any]) -> Cells:
    """What a client would print from a pod's body."""
    containers = body["containers"]
    ready = sum(container["ready"] for container in containers)
    restarts = sum(container["restartCount"] for container in containers)
    return Cells(f"{ready}/{len(containers)}", body["status"], restarts)


def test_status_ready_and_restarts_of_every_pod_version_are_those_that_the_server_prints() -> None:
    expected = cells()
    seen = {(pod.key.uid, pod.version): printed(json.loads(pod.body)) for pod in versions(Kind.POD)}
    assert seen == expected
    assert len(versions(Kind.POD)) == 845
    assert {status for _, status, _ in expected.values()} >= {
        *("Pending", "ContainerCreating", "Running", "Terminating", "CrashLoopBackOff", "Error", "Completed"),
        *("OOMKilled", "ErrImagePull", "ImagePullBackOff", "Failed"),
    }


def test_status_of_pods_in_a_list_is_what_the_table_of_them_says() -> None:
    expected = table(json.loads(exchanges()["pods as a Table"]["body"]))
    found = 0
    for name in ("first page of pods, limit 1", "second page by its continue token"):
        page = decode_page(Kind.POD, exchanges()[name]["body"].encode())
        for pod in page.items:
            if (cell := expected.get((pod.key.uid, pod.version))) is not None:
                assert printed(json.loads(pod.body)) == cell
                found += 1
    assert found


def test_node_status_and_role_follow_the_incident() -> None:
    seen = Counter((body["status"], body["role"]) for body in bodies(Kind.NODE))
    assert seen == {
        ("Ready", "control-plane"): 29,
        ("Ready", "worker"): 109,
        ("Ready,SchedulingDisabled", "worker"): 3,
        ("NotReady", "worker"): 3,
    }


def test_a_node_goes_through_cordon_and_death_and_back() -> None:
    paths: dict[str, list[str]] = {}
    for body in bodies(Kind.NODE):
        path = paths.setdefault(body["name"], [])
        if not path or path[-1] != body["status"]:
            path.append(body["status"])
    assert ["Ready", "Ready,SchedulingDisabled", "Ready"] in paths.values()
    assert ["Ready", "NotReady", "Ready"] in paths.values()


def test_capacity_is_in_the_units_of_the_contract() -> None:
    capacities = {tuple(body["capacity"].values()) for body in bodies(Kind.NODE)}
    assert ("4000m", "8130288Ki", "110") in capacities


def test_namespaces_are_active_then_terminating() -> None:
    monitoring = [body["status"] for body in bodies(Kind.NAMESPACE) if body["name"] == "monitoring"]
    assert monitoring[0] == "Active"
    assert monitoring[-1] == "Terminating"


@pytest.mark.parametrize("kind", Kind)
def test_a_body_has_the_fields_of_the_contract_in_order_and_is_compact(kind: Kind) -> None:
    for item in versions(kind):
        body = json.loads(item.body)
        assert list(body) == FIELDS[kind]
        assert item.body == json.dumps(body, separators=(",", ":")).encode()


@pytest.mark.parametrize("kind", Kind)
def test_a_watch_line_gives_the_same_as_its_object_and_a_bookmark_only_a_version(kind: Kind) -> None:
    seen = []
    bookmarks = 0
    for raw in lines(kind):
        line = decode_line(kind, raw)
        assert line.status is None
        assert line.version
        if line.type == "BOOKMARK":
            bookmarks += 1
            assert line.decoded is None
            assert not line.initial_end
        else:
            assert line.decoded is not None
            assert line.version == line.decoded.version
            seen.append(line)
    assert bookmarks >= 10
    listed = sum(len(decode_page(kind, page).items) for page in lists(kind))
    for line, whole in zip(seen, versions(kind)[listed:], strict=True):
        body = deleted_body(whole.key) if line.type == "DELETED" else whole.body
        assert line.decoded == Decoded(whole.key, whole.version, body)


def test_the_key_names_the_object() -> None:
    pod = versions(Kind.POD)[0]
    assert pod.key == ObjectKey(
        Kind.POD, "shop", "web-76dbbcb477-tw4ls", "cb125998-e59d-4f97-a2b1-5523dd429e15"
    )
    assert all(item.key.namespace == "" for kind in (Kind.NODE, Kind.NAMESPACE) for item in versions(kind))


def test_nothing_secret_leaves_the_decoder() -> None:
    raw = b"".join(lines(Kind.POD) + lines(Kind.NODE))
    for word in (SECRET, "DB_PASSWORD", "annotations", "managedFields", "tolerations", "lastHeartbeatTime"):
        assert word.encode() in raw, "the recording holds what must not leave"
        for kind in Kind:
            assert not any(word.encode() in item.body for item in versions(kind))


def test_a_heartbeat_changes_no_body() -> None:
    changes = Counter(body for body in (item.body for item in versions(Kind.NODE)))
    assert len(changes) < 30 < len(versions(Kind.NODE))


def bodies(kind: Kind) -> list[dict[str, Any]]:
    return [json.loads(item.body) for item in versions(kind)]
