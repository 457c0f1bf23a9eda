"""`kstream mcp` as an agent starts it."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner

pytest.importorskip("mcp", reason="the extra `mcp` is not installed")

from mcp import Client, StdioServerParameters

from kstream.cli import main
from tests.commands.extras import leave_out

INCIDENT = str(Path(__file__).parents[2] / "fixtures" / "incident.db")
COMMAND = ("-c", "from kstream.cli import main; main()", "mcp", INCIDENT)
HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}


async def test_an_agent_talks_to_it_over_stdin_and_stdout() -> None:
    parameters = StdioServerParameters(
        command=sys.executable, args=[*COMMAND, "--page", "http://localhost:3001/ws"]
    )
    async with Client(parameters) as client:
        result = await client.call_tool("what_changed", {"from": "+30s"})
        told = json.loads(result.content[0].text)  # type: ignore[union-attr]
    assert told["findings"][0]["subject"] == "node node-5"
    assert told["findings"][0]["page"] == "http://localhost:3001/?at=seq:366"


def test_who_tries_it_in_a_terminal_is_told_what_it_waits_for_and_can_end_it() -> None:
    controller, terminal = pty.openpty()
    with subprocess.Popen(
        (sys.executable, *COMMAND), stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert "--http is for those that connect  ·  Ctrl-C stops" in process.stderr.readline()
        os.write(controller, json.dumps(HELLO).encode() + b"\n")
        assert '"serverInfo"' in process.stdout.readline()
        process.send_signal(signal.SIGINT)  # while it waits for the next line
        assert process.wait() == 0
        assert process.stderr.read() == ""
    os.close(controller)
    os.close(terminal)


def asked(url: str, **headers: str) -> int:
    request = urllib.request.Request(
        url,
        data=json.dumps(HELLO).encode(),
        headers={
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            **headers,
        },
    )
    try:
        with urllib.request.urlopen(request) as answer:
            assert b"kstream" in answer.read()
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_over_http_it_answers_this_machine_alone_and_ends_at_ctrl_c() -> None:
    with subprocess.Popen(
        (sys.executable, *COMMAND, "--http", "--port", "0"), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        found = re.search(r"http://127\.0\.0\.1:(\d+)/mcp", process.stdout.readline())
        assert found is not None
        url, port = found[0], found[1]
        assert asked(url) == 200
        assert asked(url, Origin=f"http://localhost:{port}") == 200
        assert asked(url, Origin="http://evil.example") == 403
        assert asked(url, Host=f"evil.example:{port}") == 421
        process.send_signal(signal.SIGINT)
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["nowhere.db"], 6, "there is no such event log"),
        (["http://localhost:1", "--page", "http://localhost:2"], 2, "--page is for a LOG"),
        (["ftp://localhost"], 2, "ftp://localhost"),
    ],
)
def test_what_is_wrong_is_told_at_the_start(words: list[str], code: int, said: str) -> None:
    done = CliRunner().invoke(main, ["mcp", *words])
    assert (done.exit_code, said in done.stderr) == (code, True), done.stderr


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = CliRunner().invoke(main, ["mcp", INCIDENT, "--http", "--port", str(port)])
    assert done.exit_code == 7
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    leave_out(monkeypatch, "mcp", needed_by="kstream.agents.server")
    done = CliRunner().invoke(main, ["mcp", INCIDENT])
    assert done.exit_code == 3
    assert "pip install 'kstream[mcp]'" in done.stderr
