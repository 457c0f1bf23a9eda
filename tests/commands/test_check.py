"""`kstream check`, as far as it looks at what is around the cluster: the log."""

from __future__ import annotations

import asyncio
import errno
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from kstream.cli import main
from kstream.core.errors import LogFullError
from kstream.core.timeline.health import ClusterInfo
from kstream.logs.sqlite import SqliteLog
from tests.scripted import ScriptedServer, answer, kubeconfig
from tests.sources.test_preflight import REVIEW, review

SAME, ANOTHER = "the-cluster", "another-cluster"


async def checked(server: ScriptedServer, folder: Path, log: Path) -> tuple[int, dict[str, Any]]:
    """Exit code, and the finding about the log."""
    async with server.running():
        config = kubeconfig(folder / "config", server.url)
        options = ["--kubeconfig", str(config), "--port", "0", "--log", str(log), "-o", "json"]
        result = await asyncio.to_thread(CliRunner().invoke, main, ["check", *options])
    return result.exit_code, json.loads(result.stdout)[-1]


async def a_log_of(path: Path, uid: str) -> Path:
    log = await SqliteLog.open(path)
    await log.identify(ClusterInfo("kind", "v1.29.0", uid))
    await log.close()
    return path


def a_cluster() -> ScriptedServer:
    server = ScriptedServer()
    server.on(REVIEW, *[review()] * 6)
    return server


async def test_a_log_of_another_cluster_is_refused_as_serve_does(tmp_path: Path) -> None:
    log = await a_log_of(tmp_path / "log.db", ANOTHER)
    code, finding = await checked(a_cluster(), tmp_path, log)
    assert (code, finding["ok"], finding["exit_code"]) == (6, False, 6)
    assert f"holds the history of the cluster kind (uid {ANOTHER}), not of" in finding["cause"]
    assert "give another file" in finding["cause"]


async def test_the_log_of_this_cluster_goes_on(tmp_path: Path) -> None:
    log = await a_log_of(tmp_path / "log.db", SAME)
    code, finding = await checked(a_cluster(), tmp_path, log)
    assert (code, finding["ok"], finding["cause"]) == (0, True, "0 events of kind; it goes on from there")


async def test_where_no_cluster_answers_the_log_is_looked_at_all_the_same(tmp_path: Path) -> None:
    server = ScriptedServer()
    server.on("get /version", answer(b"<html>"))
    code, finding = await checked(server, tmp_path, await a_log_of(tmp_path / "log.db", ANOTHER))
    assert (code, finding["ok"]) == (4, True)


async def test_a_remedy_is_told_once_and_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(path: str) -> SqliteLog:
        raise LogFullError(f"{path}: {os.strerror(errno.ENOSPC)}; make room on the disk")

    monkeypatch.setattr("kstream.commands.check.open_live", full)
    log = await a_log_of(tmp_path / "log.db", SAME)
    _, finding = await checked(a_cluster(), tmp_path, log)
    assert (finding["cause"], finding["remedy"]) == (
        f"{log}: No space left on device; make room on the disk",
        "",
    )


def told(findings: Sequence[dict[str, Any]]) -> list[str]:
    return [each["cause"] for each in findings]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has no contexts; give one that has with --kubeconfig"),
        (
            "contexts: [{name: b, context: {cluster: c}}, {name: a, context: {cluster: c}}]",
            "choose one with --context: a, b",
        ),
    ],
)
def test_a_kubeconfig_without_a_context_is_told_with_what_there_is(
    tmp_path: Path, text: str, said: str
) -> None:
    (tmp_path / "config").write_text(f"apiVersion: v1\nkind: Config\n{text}\n")
    result = CliRunner().invoke(
        main, ["check", "--kubeconfig", str(tmp_path / "config"), "--port", "0", "-o", "json"]
    )
    assert result.exit_code == 3
    assert said in told(json.loads(result.stdout))[0]
