"""`kstream log redact`: nothing that an original was called is in the file, and what happened is."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from kstream.cli import main
from kstream.core.kube.pseudonyms import KEPT
from kstream.core.kube.redaction import KEYS, REASONS
from kstream.core.timeline.events import Kind, ObjectKey, Verb, WatchEvent
from tests.logs.files import is_whole, stored, table

INCIDENT = Path(__file__).parents[3] / "fixtures" / "incident.db"
GOLDEN = Path(__file__).parents[2] / "logs" / "formats" / "format-4.db"
KEY = "0123456789abcdef"


def run(*arguments: str | Path, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(main, ["log", *map(str, arguments)], env=env)


def pod(name: str, number: int, **fields: Any) -> dict[str, Any]:
    return {
        "name": name,
        "uid": f"7f443835-a24b-436c-b92a-{number:012}",
        "namespace": "acme-payments",
        "nodeName": "ip-10-0-17-23.eu.acme.internal",
        "phase": "Running",
        "status": "Running",
        "containers": [
            {"name": "acme-proxy", "image": "registry.acme.internal:5000/team-blue/app:v7", "ready": True}
        ],
        "labels": {
            "app.kubernetes.io/instance": "acme-shop",
            "acme.internal/cost-centre": "cc-81234",
            "release": "r-april",
        },
        **fields,
    }


def acme() -> Iterator[WatchEvent]:
    """A cluster that tells whose it is wherever it can."""
    bodies: list[tuple[Kind, dict[str, Any]]] = [
        (Kind.NAMESPACE, {"name": "acme-payments", "uid": "uid-namespace", "status": "Active"}),
        (
            Kind.NODE,
            {
                "name": "ip-10-0-17-23.eu.acme.internal",
                "uid": "uid-node",
                "status": "NotReady",
                "role": "blue-gpu",
                "conditions": [
                    {"type": "Ready", "status": "False", "reason": "Gone", "message": "10.0.17.23: no route"}
                ],
                "labels": {
                    "node-role.kubernetes.io/blue-gpu": "",
                    "topology.kubernetes.io/zone": "basement-2",
                },
            },
        ),
        (Kind.POD, pod("ledger-7d9f8c6b5d-x2x4z", 1, owner={"kind": "Deployment", "name": "ledger"})),
        (Kind.POD, pod("vault-0", 2, owner={"kind": "StatefulSet", "name": "vault"})),
        (
            Kind.POD,
            pod(
                "etcd-ip-10-0-17-23.eu.acme.internal",
                3,
                owner={"kind": "Node", "name": "ip-10-0-17-23.eu.acme.internal"},
                status="BluePillMissing",
            ),
        ),
    ]
    for number, (kind, told) in enumerate(bodies):
        key = ObjectKey(kind, told.get("namespace", ""), told["name"], told["uid"])
        body = json.dumps(told, separators=(",", ":")).encode()
        yield WatchEvent(Verb.ADDED, key, f"88{number:03}", 1_750_000_000.0 + number, body)
        yield WatchEvent(Verb.MODIFIED, key, f"99{number:03}", 1_750_000_100.0 + number, body)


FIXED = KEPT | KEYS | REASONS | {value.lower() for value in REASONS}
COMMON = re.compile(
    # What a value may be that says nothing: numbers, times, quantities, what Kubernetes itself says; and what any uid
    # may have in it (`bad`).
    r"[\d.]+|[\d.]+[numkKMGT]i?|\d{4}-.*Z|(kubelet|Kubelet) .*|amd64|linux|latest|worker|control-plane"
    r"|Ready,SchedulingDisabled|[0-9a-f]{1,5}|Deployment|DaemonSet|StatefulSet|Job|Node|v1\.36\.0"
)


def originals(log: Path) -> set[str]:
    """Every text that a log holds, and their parts, but what is the same in every cluster."""
    found: set[str] = set()

    def walk(value: Any, *, labels: bool = False) -> None:
        match value:
            case str(text):
                found.update((text, *([] if COMMON.fullmatch(text) else re.split(r"[/:@]", text))))
            case dict(fields):
                for key, each in fields.items():
                    walk(each, labels=key == "labels")
                if labels:
                    walk([key for key in fields if key not in FIXED])
            case list(items):
                for each in items:
                    walk(each)
            case _:
                pass

    for name in ("events", "baseline"):
        for _, _, _, _, namespace, name_, uid, version, body, _ in table(log, name):
            walk([namespace, name_, uid, version if len(str(version)) > 4 else ""])
            walk(json.loads(str(body)))
    for _, value, _ in table(log, "meta"):
        walk(json.loads(str(value)))
    for _, term, _, _ in table(log, "terms"):
        walk(term)
    # `job`, of `job-name`, is in every such log whatever it is of.
    said = "\n".join(FIXED)
    return {each for each in found if len(each) > 2 and each not in said and not COMMON.fullmatch(each)}


@pytest.fixture
def cluster(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    stored(tmp_path / "in" / "log.db", acme())
    return tmp_path / "in" / "log.db"


@pytest.mark.parametrize("before", [None, 7])
def test_no_name_of_the_original_is_anywhere_in_the_folder(
    tmp_path: Path, cluster: Path, before: int | None
) -> None:
    if before:
        stored(cluster, (), before=before, term=False)
    out = tmp_path / "out"
    out.mkdir()
    assert run("redact", cluster, "-o", out / "log.db", "--key", KEY).exit_code == 0
    wanted = originals(cluster)
    assert wanted >= {"ip-10-0-17-23.eu.acme.internal", "ledger", "team-blue", "cc-81234", "r-april", "prod"}
    content = b"".join(each.read_bytes() for each in out.iterdir())
    assert [each for each in wanted if each.encode() in content] == []
    for part in (
        b"acme",
        b"blue",
        b"ledger",
        b"vault",
        b"10.0.17",
        b"10-0-17",
        b"Blue",
        b"basement",
        b"calm",
    ):
        assert part not in content
    assert is_whole(out / "log.db")


@pytest.mark.parametrize("log", [INCIDENT, GOLDEN])
def test_no_name_of_a_recorded_cluster_is_in_it(tmp_path: Path, log: Path) -> None:
    content = log.read_bytes()
    assert run("redact", log, "-o", tmp_path / "out.db", "--key", KEY).exit_code == 0
    assert log.read_bytes() == content
    assert os.listdir(tmp_path) == ["out.db"]
    told = (tmp_path / "out.db").read_bytes()
    assert [each for each in originals(log) if each.encode() in told] == []
    assert is_whole(tmp_path / "out.db")


def test_what_happened_is_told_as_it_was(tmp_path: Path) -> None:
    assert run("redact", INCIDENT, "-o", tmp_path / "out.db").exit_code == 0
    with closing(sqlite3.connect(tmp_path / "out.db")) as one, closing(sqlite3.connect(INCIDENT)) as other:
        for told in (
            "SELECT seq, time, verb, kind FROM events",
            "SELECT seq, json_extract(body, '$.status'), json_extract(body, '$.phase') FROM events",
            "SELECT seq, json_extract(body, '$.containers[0].reason') FROM events WHERE kind = 'pod'",
            "SELECT seq, count(*) OVER (PARTITION BY namespace, name) FROM events ORDER BY seq",
            "SELECT seq, count(*) OVER (PARTITION BY json_extract(body, '$.labels.app')) FROM events ORDER BY seq",
        ):
            assert one.execute(told).fetchall() == other.execute(told).fetchall()
        # A pod is named after the hash that its label tells.
        named = one.execute(
            "SELECT count(*) FROM pods JOIN objects USING (uid) WHERE json_extract(body, '$.labels.pod-template-hash')"
            " IS NOT NULL AND instr(pods.name, json_extract(body, '$.labels.\"pod-template-hash\"')) = 0"
        ).fetchone()
    assert named == (0,)
    assert json.loads(run("info", tmp_path / "out.db", "-o", "json").stdout)[
        "epoch"
    ] not in INCIDENT.read_text("latin-1")


def test_the_same_key_makes_the_same_log_and_no_key_another_each_time(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n")
    ways: list[tuple[list[str], dict[str, str]]] = [
        (["--key", KEY], {}),
        (["--key-file", str(tmp_path / "key")], {}),
        ([], {"KSTREAM_KEY": KEY}),
        ([], {}),
        ([], {}),
    ]
    for number, (options, env) in enumerate(ways):
        assert run("redact", INCIDENT, "-o", tmp_path / f"{number}.db", *options, env=env).exit_code == 0
    events = [table(tmp_path / f"{number}.db", "events") for number in range(len(ways))]
    assert events[0] == events[1] == events[2]
    assert events[0] != events[3] != events[4]


def test_what_is_no_resource_is_damage(tmp_path: Path) -> None:
    key = ObjectKey(Kind.NAMESPACE, "", "n", "u")
    stored(tmp_path / "log.db", [WatchEvent(Verb.ADDED, key, "1", 1.0, b"[1]")])
    done = run("redact", tmp_path / "log.db", "-o", tmp_path / "out.db")
    assert (done.exit_code, os.listdir(tmp_path)) == (6, ["log.db"])
    assert "event 1 is no resource (its body is no object)" in done.stderr
