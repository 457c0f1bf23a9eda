"""`kstream simulate` and `kstream sim do`, as a user and a frontend's test start them."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from kstream.cli import main
from kstream.commands.log.trim import trim
from kstream.core.errors import ConfigError, InvalidMessageError, KstreamError, UnreachableError, UsageError
from simulator.commands import sim, simulate
from simulator.story.scenario import shipped
from simulator.testing import SimulatedServer, simulated
from tests.web.serving import serving

_START = "from simulator.commands import simulate; simulate()"


def done(page: str, *arguments: str) -> dict[str, Any]:
    result = CliRunner().invoke(sim, ["do", *arguments, "--url", page], catch_exceptions=False)
    answer = json.loads(result.output)
    assert isinstance(answer, dict)
    return answer


def status_of(server: SimulatedServer, name: str) -> str:
    return str(next(node["status"] for node in server.state()["nodes"] if node["name"] == name))


def test_a_frontend_test_starts_at_a_moment_paused_and_steps() -> None:
    with simulated("node-failure", at="1m") as server:
        assert done(server.page, "status")["elapsed"] == 60
        assert done(server.websocket, "status")["elapsed"] == 60, "one server, whichever address"
        assert status_of(server, "node-3") == "Ready", "it died 30 s ago and nobody knows yet"
        after = server.step("20s")
        assert after["elapsed"] == 80
        assert after["paused"] is True
        assert status_of(server, "node-3") == "NotReady"
        with pytest.raises(
            KstreamError, match=r"There is no node node-77.*there are control-plane-1, node-1"
        ):
            done(server.page, "kill-node", "node-77")
        with pytest.raises(InvalidMessageError, match="There is no node node-77"):
            server.do("kill-node", target="node-77")
        assert done(server.page, "scale", "shop/web", "replicas=1")["injected"] == 1


def test_a_simulation_that_cannot_start_says_so() -> None:
    with pytest.raises(UnreachableError, match="did not start"), simulated("nowhere"):
        pytest.fail("it started")


def keep(log: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _START, "--port", "0", "--speed", "max", "--log", str(log), *options],
        check=False,
        capture_output=True,
        text=True,
    )


def rows(log: Path, table: str = "events") -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(log)) as connection:
        return connection.execute(f"SELECT * FROM {table}").fetchall()


def dump(log: Path) -> list[str]:
    """All that is in the file, but for who wrote it."""
    with closing(sqlite3.connect(log)) as connection:
        return [line for line in connection.iterdump() if not line.startswith('INSERT INTO "terms"')]


def test_a_log_that_is_kept_is_gone_on_with_and_another_run_is_refused(tmp_path: Path) -> None:
    log, whole, again = tmp_path / "run.db", tmp_path / "whole.db", tmp_path / "again.db"
    assert keep(log, "--duration", "30s").returncode == 0
    assert keep(log, "--duration", "1m").returncode == 0
    keep(whole, "--duration", "1m")
    keep(again, "--duration", "1m")
    assert rows(log) == rows(whole)
    assert len(rows(log)) > 150
    assert dump(whole) == dump(again), "one run, one history"
    assert rows(whole, "terms") != rows(again, "terms"), "each was written by somebody else (PROTOCOL 15)"
    refused = keep(log, "--seed", "2")
    assert "The log is of another run: its seed is 1, not 2" in refused.stderr


def test_a_log_that_was_trimmed_is_gone_on_with_to_the_same_state(tmp_path: Path) -> None:
    log, whole = tmp_path / "run.db", tmp_path / "whole.db"
    keep(log, "--duration", "30s")
    CliRunner().invoke(trim, [str(log), "--keep-for", "10s"], catch_exceptions=False)
    assert keep(log, "--duration", "1m").returncode == 0
    keep(whole, "--duration", "1m")
    assert 0 < len(rows(log)) < len(rows(whole))
    assert rows(log) == rows(whole)[-len(rows(log)) :]
    for view in ("pods", "nodes", "namespaces"):
        assert rows(log, view) == rows(whole, view)


def test_the_scenarios_are_listed_for_people_and_for_programs() -> None:
    text = CliRunner().invoke(simulate, ["--list"]).output
    assert [line.split()[0] for line in text.splitlines()] == shipped()
    listed = json.loads(CliRunner().invoke(simulate, ["--list", "-o", "json"]).output)
    assert [entry["name"] for entry in listed] == shipped()
    assert all(entry["summary"] for entry in listed)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--speed", "fast"], "speed: 'fast' is neither a number from 0.001 to 1000000 nor max"),
        (["--at", "later"], "'later' is not a span of time"),
        (["--start", "monday"], "'monday' is not a time"),
        (["--keep-for", "ever"], "--keep-for: 'ever' is not a span of time: write"),
        (["--keep-size", "big"], "--keep-size: 'big' is not a size: write 500MB"),
        (["--keep-size", "0"], "--keep-size: '0' would keep nothing"),
    ],
)
def test_an_option_that_makes_no_sense_is_named(options: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        CliRunner().invoke(simulate, ["--port", "0", *options], catch_exceptions=False)


def test_a_scenario_that_is_not_there_is_no_wrong_option() -> None:
    with pytest.raises(ConfigError, match="There is no scenario 'nowhere'"):
        CliRunner().invoke(simulate, ["--port", "0", "--scenario", "nowhere"], catch_exceptions=False)


def test_an_action_that_does_not_exist_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(UsageError, match=r"choose one of status, pause, .*kill-node"):
        CliRunner().invoke(sim, ["do", "explode"], catch_exceptions=False)
    with pytest.raises(UsageError, match="not KEY=VALUE"):
        CliRunner().invoke(sim, ["do", "scale", "shop/web", "nine"], catch_exceptions=False)


def test_a_server_that_is_not_there_is_named() -> None:
    with pytest.raises(UnreachableError, match="No server answers"):
        CliRunner().invoke(sim, ["do", "status", "--url", "http://127.0.0.1:1"], catch_exceptions=False)


async def test_a_server_without_a_simulation_is_named_with_what_to_do() -> None:
    async with serving() as server:
        page = server.http("")
        result = await asyncio.to_thread(CliRunner().invoke, main, ["sim", "do", "status", "--url", page])
    assert (result.exit_code, result.stdout) == (3, "")
    assert "is no simulation: it answers 404 to POST /api/sim/do; start `kstream simulate`" in result.stderr
    assert page.rstrip("/") in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["frob"], "There is no action 'frob'"),
        (["kill-node", "node-99"], "node-99"),
        (["scale", "shop/web"], "replicas: this key is missing"),
        (["step", "by=x"], "by: 'x' is not a span of time"),
        (["speed"], "do: speed takes the speed and nothing else: speed=4"),
        (["status", "foo"], "do: status takes nothing else"),
    ],
)
def test_an_action_that_makes_no_sense_is_wrong_usage(words: list[str], said: str) -> None:
    with simulated("node-failure") as server:
        result = CliRunner().invoke(main, ["sim", "do", *words, "--url", server.page])
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


@pytest.mark.parametrize("option", ["--start", "--at", "--duration"])
def test_a_time_that_is_none_is_named_by_its_option(option: str) -> None:
    result = CliRunner().invoke(main, ["simulate", "--port", "0", option, "xx"])
    assert result.exit_code == 2
    assert f"Error: {option}: 'xx' is not a " in result.stderr
