"""A redacted resource: what Kubernetes says stays, whatever else it says is replaced or left out."""

from __future__ import annotations

import hmac
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kstream.core.kube.pseudonyms import Pseudonyms
from kstream.core.kube.redaction import Redaction
from kstream.core.timeline.events import Event, Kind, ObjectKey, Verb, WatchEvent
from kstream.core.timeline.health import ClusterInfo

WORDS = Pseudonyms(lambda text: hmac.digest(b"key", text, "sha256"), nodes={"node-7"})
REDACTION = Redaction(WORDS)
UID = "7f443835-a24b-436c-b92a-279752340d57"


def redacted(kind: Kind, told: Any, *, namespace: str = "", verb: Verb = Verb.ADDED) -> Event:
    key = ObjectKey(kind, namespace, told.get("name", ""), told.get("uid", UID))
    return REDACTION.event(Event(7, WatchEvent(verb, key, "123456", 12.5, json.dumps(told).encode())))


def body(kind: Kind, told: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(redacted(kind, told).change.body)
    return found


POD: dict[str, Any] = {
    "name": "web-7d9f8c6b5d-x2x4z",
    "uid": UID,
    "namespace": "shop",
    "nodeName": "node-7",
    "phase": "Running",
    "status": "CrashLoopBackOff",
    "containers": [
        {
            "name": "main",
            "image": "acme/web:1",
            "ready": True,
            "restartCount": 3,
            "state": "waiting",
            "reason": None,
        }
    ],
    "labels": {"app": "web", "pod-template-hash": "7d9f8c6b5d", "acme.test/team": "payments"},
    "creationTimestamp": "2026-11-22T20:56:39Z",
    "owner": {"kind": "Deployment", "name": "web"},
    "secret": "of a later version",
}


def test_a_pod_matches_its_owner_its_labels_its_node_and_its_namespace() -> None:
    event = redacted(Kind.POD, POD, namespace="shop")
    told = json.loads(event.change.body)
    web, revision = WORDS.name("web"), WORDS.end("7d9f8c6b5d")
    assert told == {
        "name": f"{web}-{revision}-{WORDS.end('x2x4z')}",
        "uid": WORDS.uid(UID),
        "namespace": WORDS.name("shop"),
        "nodeName": WORDS.name("node-7"),
        "phase": "Running",
        "status": "CrashLoopBackOff",
        "containers": [
            {**POD["containers"][0], "name": WORDS.name("main"), "image": WORDS.image("acme/web:1")}
        ],
        "labels": {
            "app": web,
            "pod-template-hash": revision,
            f"{WORDS.word('acme.test')}/{WORDS.word('team')}": WORDS.name("payments"),
        },
        "creationTimestamp": "2026-11-22T20:56:39Z",
        "owner": {"kind": "Deployment", "name": web},
    }
    assert list(told) == [name for name in POD if name != "secret"]
    assert event.change.key == ObjectKey(Kind.POD, WORDS.name("shop"), told["name"], told["uid"])
    assert (event.seq, event.change.version, event.change.time, event.change.verb) == (
        7,
        "7",
        12.5,
        Verb.ADDED,
    )


def test_a_node_keeps_what_it_can_and_how_it_is() -> None:
    told = body(
        Kind.NODE,
        {
            "name": "node-7",
            "uid": UID,
            "status": "NotReady,SchedulingDisabled",
            "role": "acme-gpu,control-plane",
            "capacity": {"cpu": "4000m", "memory": "8130288Ki", "pods": "acme"},
            "conditions": [
                {
                    "type": "Ready",
                    "status": "False",
                    "reason": "KubeletNotReady",
                    "message": "10.0.0.1 is down",
                },
                {
                    "type": "AcmeProblem",
                    "status": "True",
                    "reason": "",
                    "message": "kubelet has no disk pressure",
                },
            ],
            "labels": {
                "kubernetes.io/hostname": "node-7",
                "kubernetes.io/arch": "amd64",
                "kubernetes.io/os": "acmeos",
                "node-role.kubernetes.io/acme-gpu": "",
                "node-role.kubernetes.io/control-plane": "",
                "env": "true",
                "number": 7,
            },
            "creationTimestamp": None,
        },
    )
    assert told["status"] == "NotReady,SchedulingDisabled"
    assert told["role"] == ",".join(sorted(["control-plane", WORDS.word("acme-gpu")]))
    assert told["capacity"] == {"cpu": "4000m", "memory": "8130288Ki", "pods": WORDS.word("acme")}
    message = f"redacted {WORDS.word('10.0.0.1 is down')}"
    assert told["conditions"] == [
        {"type": "Ready", "status": "False", "reason": "KubeletNotReady", "message": message},
        {
            "type": WORDS.title("AcmeProblem"),
            "status": "True",
            "reason": "",
            "message": "kubelet has no disk pressure",
        },
    ]
    assert told["labels"] == {
        "kubernetes.io/hostname": told["name"],
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/os": WORDS.name("acmeos"),
        f"node-role.kubernetes.io/{WORDS.word('acme-gpu')}": "",
        "node-role.kubernetes.io/control-plane": "",
        WORDS.word("env"): "true",
    }
    assert told["creationTimestamp"] is None


def test_a_namespace_and_what_is_gone_keep_their_fields() -> None:
    assert body(Kind.NAMESPACE, {"name": "shop", "uid": UID, "status": "Active", "podCount": 4}) == {
        "name": WORDS.name("shop"),
        "uid": WORDS.uid(UID),
        "status": "Active",
        "podCount": 4,
    }
    gone = redacted(Kind.POD, {"uid": UID, "name": "db-0", "namespace": "kube-system"}, verb=Verb.DELETED)
    assert json.loads(gone.change.body) == {
        "uid": WORDS.uid(UID),
        "name": f"{WORDS.word('db')}-0",
        "namespace": "kube-system",
    }


@pytest.mark.parametrize(
    "status",
    [
        "",
        "Init:1/3",
        "Init:CrashLoopBackOff",
        "Init:ExitCode:2",
        "Signal:9",
        "OOMKilled",
        "NotReady,SchedulingDisabled",
    ],
)
def test_a_status_of_kubernetes_is_kept(status: str) -> None:
    assert body(Kind.POD, {**POD, "status": status})["status"] == status


def test_a_status_of_somebody_else_is_one_word() -> None:
    assert body(Kind.POD, {**POD, "status": "AcmeLost"})["status"] == WORDS.title("AcmeLost")
    assert body(Kind.POD, {**POD, "status": "Init:AcmeLost"})["status"] == f"Init:{WORDS.title('AcmeLost')}"
    assert body(Kind.POD, {**POD, "owner": {"kind": "AcmeSet", "name": "web"}})["owner"] == {
        "kind": WORDS.title("AcmeSet"),
        "name": WORDS.name("web"),
    }
    assert body(Kind.POD, {**POD, "creationTimestamp": "when acme began"})["creationTimestamp"] is None


def test_a_hash_that_is_none_is_a_word() -> None:
    labels = {"pod-template-hash": "acme", "controller-revision-hash": "web-6596ffb49"}
    assert body(Kind.POD, {**POD, "labels": labels})["labels"] == {
        "pod-template-hash": WORDS.word("acme"),
        "controller-revision-hash": WORDS.name("web-6596ffb49"),
    }


secrets = st.just("acme-secret")
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | secrets,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(secrets | st.sampled_from(list(POD)), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    st.sampled_from(Kind),
    st.dictionaries(secrets | st.sampled_from([*POD, "role", "capacity", "conditions"]), anything),
)
def test_whatever_a_field_holds_nothing_of_it_is_told(kind: Kind, told: dict[str, Any]) -> None:
    key = ObjectKey(kind, "acme-secret", "acme-secret", "acme-secret")
    event = REDACTION.event(
        Event(1, WatchEvent(Verb.ADDED, key, "acme-secret", 0.0, json.dumps(told).encode()))
    )
    assert "acme" not in repr(event)
    json.loads(event.change.body)


@pytest.mark.parametrize(("raw", "error"), [(b"no json", msgspec.DecodeError), (b"[]", ValueError)])
def test_what_is_no_resource_is_refused(raw: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        REDACTION.event(Event(1, WatchEvent(Verb.ADDED, ObjectKey(Kind.POD, "", "", ""), "", 0.0, raw)))


def test_a_cluster_keeps_the_version_that_kubernetes_counts() -> None:
    assert REDACTION.cluster(ClusterInfo("acme", "v1.29.3-gke.1282001", UID)) == ClusterInfo(
        WORDS.word("acme"), "v1.29.3", WORDS.uid(UID)
    )
    assert REDACTION.cluster(ClusterInfo("acme", "acme")) == ClusterInfo(WORDS.word("acme"), "unknown", "")


def test_a_history_has_another_identity() -> None:
    assert REDACTION.identity("e1") == WORDS.uid("e1").replace("-", "")
