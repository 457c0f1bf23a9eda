"""`kstream simulate` and `kstream sim do`, as a user and a frontend's test start them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from kstream.core.errors import ConfigError, KstreamError, UnreachableError
from simulator.commands import sim, simulate
from simulator.scenario import shipped

_START = "from simulator.commands import simulate; simulate()"


@contextmanager
def served(*options: str) -> Iterator[dict[str, Any]]:
    """A server in a process of its own; what `-o json` printed of it."""
    command = [sys.executable, "-c", _START, "--port", "0", "-o", "json", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 0


def asked(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def done(page: str, *arguments: str) -> dict[str, Any]:
    result = CliRunner().invoke(sim, ["do", *arguments, "--url", page], catch_exceptions=False)
    answer = json.loads(result.output)
    assert isinstance(answer, dict)
    return answer


def wait_until_ready(page: str) -> None:
    """/readyz holds the request back by refusing it: ask again until it says yes."""
    for _ in range(200):
        try:
            with urllib.request.urlopen(f"{page}readyz", timeout=10):
                return
        except urllib.error.HTTPError as refused:
            refused.close()
    raise AssertionError("the server never got ready")


def node_status(page: str, name: str) -> str:
    nodes = asked(f"{page}api/state")["data"]["nodes"]
    return str(next(node["status"] for node in nodes if node["name"] == name))


def test_a_frontend_test_starts_at_a_moment_paused_and_steps() -> None:
    with served("--scenario", "node-failure", "--at", "1m", "--paused") as server:
        page = server["page"]
        wait_until_ready(page)
        assert done(page, "status")["elapsed"] == 60
        assert node_status(page, "node-3") == "Ready", "it died 30 s ago and nobody knows yet"
        after = done(page, "step", "by=20s")
        assert after["elapsed"] == 80
        assert after["paused"] is True
        assert node_status(page, "node-3") == "NotReady"
        with pytest.raises(
            KstreamError, match=r"There is no node node-77.*there are control-plane-1, node-1"
        ):
            done(page, "kill-node", "node-77")
        assert done(page, "scale", "shop/web", "replicas=1")["injected"] == 1


def test_a_log_that_is_kept_is_gone_on_with_and_another_run_is_refused(tmp_path: Path) -> None:
    log = str(tmp_path / "run.db")
    for duration in ("30s", "1m"):
        command = ["--port", "0", "--log", log, "--speed", "max", "--duration", duration]
        subprocess.run([sys.executable, "-c", _START, *command], check=True, timeout=30, capture_output=True)
    refused = subprocess.run(
        [sys.executable, "-c", _START, "--port", "0", "--log", log, "--seed", "2"],
        check=False,
        timeout=30,
        capture_output=True,
        text=True,
    )
    assert "The log is of another run: its seed is 1, not 2" in refused.stderr


def test_the_scenarios_are_listed_for_people_and_for_programs() -> None:
    text = CliRunner().invoke(simulate, ["--list"]).output
    assert [line.split()[0] for line in text.splitlines()] == shipped()
    listed = json.loads(CliRunner().invoke(simulate, ["--list", "-o", "json"]).output)
    assert [entry["name"] for entry in listed] == shipped()
    assert all(entry["summary"] for entry in listed)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--speed", "fast"], "speed: 'fast' is neither a number above 0 nor max"),
        (["--at", "later"], "'later' is not a span of time"),
        (["--start", "monday"], "'monday' is not a time"),
        (["--scenario", "nowhere"], "There is no scenario 'nowhere'"),
    ],
)
def test_an_option_that_makes_no_sense_is_named(options: list[str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        CliRunner().invoke(simulate, ["--port", "0", *options], catch_exceptions=False)


def test_an_action_that_does_not_exist_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(ConfigError, match=r"choose one of status, pause, .*kill-node"):
        CliRunner().invoke(sim, ["do", "explode"], catch_exceptions=False)
    with pytest.raises(ConfigError, match="not KEY=VALUE"):
        CliRunner().invoke(sim, ["do", "scale", "shop/web", "nine"], catch_exceptions=False)


def test_a_server_that_is_not_there_is_named() -> None:
    with pytest.raises(UnreachableError, match="No server answers"):
        CliRunner().invoke(sim, ["do", "status", "--url", "http://127.0.0.1:1"], catch_exceptions=False)
