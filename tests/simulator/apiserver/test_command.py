"""`kstream fake-apiserver` as a process, and kubectl against it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from simulator.apiserver.commands import fake_apiserver
from tests.recording import WIRE

KUBECTL = shutil.which("kubectl")
CAPTURE = str(WIRE / "incident.jsonl.gz")
LOG = str(WIRE.parent / "incident.db")
COMMAND = (sys.executable, "-c", "from kstream.cli import main; main()", "fake-apiserver")


@contextmanager
def _running(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process and its one line."""
    with subprocess.Popen(
        (*COMMAND, *options), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline()
        finally:
            process.kill()


def test_it_says_where_it_serves_writes_a_kubeconfig_and_stops_cleanly_at_ctrl_c(tmp_path: Path) -> None:
    config = tmp_path / "config"
    options = ("--token", "a=view", "--no-tls", "--kubeconfig-out", str(config))
    with _running("--recording", CAPTURE, *options) as (process, line):
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert found, line
        content = yaml.safe_load(config.read_text())
        assert content["clusters"][0]["cluster"]["server"] == found[0]
        assert config.stat().st_mode & 0o077 == 0, "it holds tokens"
        request = urllib.request.Request(f"{found[0]}/version", headers={"Authorization": "Bearer a"})
        with urllib.request.urlopen(request) as answer:
            assert b"v1.36.0" in answer.read()
        process.send_signal(signal.SIGINT)
        rest = process.communicate()
    assert (process.returncode, *rest) == (0, "", "")


def test_a_log_is_played_by_requests_to_its_control_address() -> None:
    with _running("--recording", LOG, "--at", "seq:400", "--paused", "--control-port", "0") as (
        process,
        line,
    ):
        api, control = re.findall(r"http://127\.0\.0\.1:\d+[a-z/]*", line)

        def version() -> str:
            with urllib.request.urlopen(f"{api}/api/v1/pods?limit=1") as answer:
                return str(json.load(answer)["metadata"]["resourceVersion"])

        assert version() == "400"
        with urllib.request.urlopen(control, data=b'{"action": "seek", "at": "seq:100"}') as answer:
            assert json.load(answer)["data"]["state"] == "paused"
        while version() != "1000000100":
            pass
        process.send_signal(signal.SIGINT)
        assert (process.wait(), process.stderr.read() if process.stderr else "") == (0, "")


@pytest.mark.parametrize(
    ("options", "code", "text"),
    [
        (["--recording", "nowhere.jsonl"], 1, "nowhere.jsonl: cannot be read: No such file or directory"),
        (["--recording", CAPTURE, "--at", "+1m"], 2, "--at is for an event log"),
        (["--control-port", "0"], 2, "--control-port is for an event log: give one with --recording"),
        (["--recording", LOG, "--at", "seq:9999"], 1, "--at seq:9999: the log ends with event 539"),
        (["--recording", "x", "--scenario", "tour"], 2, "are two clusters: give one"),
        (["--client-certificates"], 2, "name them with --token NAME=ROLE"),
        (["--client-certificates", "--token", "a=view", "--no-tls"], 2, "leave --no-tls out"),
        (["--speed", "-1"], 2, "neither a number above 0 nor `max`"),
        (["--token", "a=vieww", "--recording", CAPTURE], 1, "role vieww: not a role"),
        (
            ["--faults", "nowhere.yaml", "--recording", CAPTURE],
            1,
            "fault script nowhere.yaml: cannot be read",
        ),
    ],
)
def test_a_wrong_option_is_told_before_anything_is_served(options: list[str], code: int, text: str) -> None:
    result = CliRunner().invoke(fake_apiserver, options)
    assert result.exit_code == code
    assert text in f"{result.output} {result.exception}"


@pytest.mark.skipif(not (KUBECTL and shutil.which("openssl")), reason="kubectl or openssl is not here")
def test_kubectl_works_against_it_unmodified(tmp_path: Path) -> None:
    config = tmp_path / "config"

    def kubectl(*arguments: str, ok: bool = True) -> str:
        done = subprocess.run(
            (str(KUBECTL), "--kubeconfig", str(config), f"--cache-dir={tmp_path}", *arguments),
            check=False,
            capture_output=True,
            text=True,
            env={**os.environ, "HOME": str(tmp_path)},
        )
        assert (done.returncode == 0) == ok, done.stderr
        return done.stdout + done.stderr

    options = ("--speed", "max", "--token", "admin=view", "--token", "viewer=view@shop")
    with _running("--recording", CAPTURE, *options, "--kubeconfig-out", str(config)):
        wide = kubectl("get", "nodes,pods,ns", "-A", "-o", "wide")
        assert re.search(r"NAMESPACE +NAME +READY +STATUS +RESTARTS +AGE +IP +NODE +NOMINATED NODE", wide)
        assert re.search(r"node/node-1 +Ready +control-plane", wide)
        name = kubectl("get", "pods", "-n", "default", "-o", "name").split()[0].removeprefix("pod/")
        pod = yaml.safe_load(kubectl("get", "pod", name, "-n", "default", "-o", "yaml"))
        assert (pod["kind"], pod["metadata"]["name"]) == ("Pod", name)
        chosen = kubectl(
            "get", "pods", "-A", "-l", "app=web", "--field-selector", "status.phase=Running", "-o", "name"
        )
        assert chosen
        assert all(line.startswith("pod/web-") for line in chosen.splitlines())
        paged = kubectl("get", "pods", "-A", "--chunk-size=2", "-o", "name")
        assert sorted(paged.split()) == sorted(kubectl("get", "pods", "-A", "-o", "name").split())
        with subprocess.Popen(
            (str(KUBECTL), "--kubeconfig", str(config), "get", "ns", "-w", "-o", "name"),
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "HOME": str(tmp_path)},
        ) as watching:
            assert watching.stdout is not None
            assert "namespace/kube-system\n" in watching.stdout
            watching.kill()
        assert "NotFound" in kubectl("get", "pod", "nope", "-n", "default", ok=False)
        assert "yes" in kubectl("auth", "can-i", "list", "pods", "-A")
        viewer = ("--context", "viewer")
        assert 'User "viewer" cannot list resource "pods"' in kubectl("get", "pods", "-A", *viewer, ok=False)
        assert "web-" in kubectl("get", "pods", "-n", "shop", *viewer)
        assert "no" in kubectl("auth", "can-i", "watch", "nodes", *viewer, ok=False)


@pytest.mark.skipif(not KUBECTL, reason="kubectl is not here")
@pytest.mark.parametrize("at", ["+2m", "seq:468", "+6m"])
def test_kubectl_prints_of_a_log_what_the_log_says(tmp_path: Path, at: str) -> None:
    config = tmp_path / "config"
    state = subprocess.run(
        (*COMMAND[:-1], "log", "state", LOG, "--at", at, "-o", "json"),
        check=True,
        capture_output=True,
        text=True,
    )
    data = json.loads(state.stdout)["data"]
    with _running("--recording", LOG, "--at", at, "--paused", "--kubeconfig-out", str(config)):
        printed = {}
        for what in ("pods", "nodes", "namespaces"):
            done = subprocess.run(
                (
                    str(KUBECTL),
                    "--kubeconfig",
                    str(config),
                    f"--cache-dir={tmp_path}",
                    "get",
                    what,
                    "-A",
                    "--no-headers",
                ),
                check=True,
                capture_output=True,
                text=True,
                env={**os.environ, "HOME": str(tmp_path)},
            )
            printed[what] = sorted(tuple(row.split()) for row in done.stdout.splitlines())
    pods = [
        (
            pod["namespace"],
            pod["name"],
            f"{sum(each['ready'] for each in pod['containers'])}/{len(pod['containers'])}",
            pod["status"],
            str(sum(each["restartCount"] for each in pod["containers"])),
        )
        for pod in data["pods"]
    ]
    assert [row[:5] for row in printed["pods"]] == sorted(pods)
    assert all(re.fullmatch(r"(\d+[dhms])+", row[5]) for row in printed["pods"]), "AGE, at that moment"
    assert [row[:2] for row in printed["nodes"]] == sorted(
        (node["name"], node["status"]) for node in data["nodes"]
    )
    assert [row[:2] for row in printed["namespaces"]] == sorted(
        (namespace["name"], namespace["status"]) for namespace in data["namespaces"]
    )
