"""The documentation names what there is: a command, an option, a message or a code that is missing fails here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest

from docs.make_rooms import page as rooms_page
from kstream.cli import main
from kstream.core.timeline.health import ErrorCode

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


def commands() -> list[str]:
    return main.list_commands(click.Context(main))


def test_the_page_of_commands_is_what_the_commands_say() -> None:
    # In a process of its own: click keeps the help option that a command was first asked for, in whatever test.
    script = "import runpy, sys; sys.stdout.write(runpy.run_path('docs/make_commands.py')['page']())"
    said = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert (DOCS / "commands.md").read_text(encoding="utf-8") == said.stdout, "run make generated"


def test_the_page_of_rooms_is_what_the_rooms_say_of_themselves() -> None:
    assert (DOCS / "rooms.md").read_text(encoding="utf-8") == rooms_page(), "run make generated"


@pytest.mark.parametrize("command", [name for name in commands() if name != "sim"])
def test_the_readme_names_every_command(command: str) -> None:
    assert f"kstream {command}" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "name",
    [
        *ErrorCode,
        *("connection", "initial_state", "node_event", "pod_event", "namespace_event"),
        *("batch", "metrics", "pong", "ping", "error", "playback", "subscribe"),
        *("HOST_NOT_ALLOWED", "ORIGIN_NOT_ALLOWED", "TOO_MANY_CLIENTS", "UPGRADE_REQUIRED", "NOT_FOUND"),
        *("/livez", "/readyz", "/version", "/api/state", "/api/status"),
        *("1001", "1003", "1007", "1008", "1009", "1013"),
    ],
)
def test_the_protocol_page_names_every_message_path_and_code(name: str) -> None:
    assert f"`{name}" in (text := (DOCS / "protocol.md").read_text(encoding="utf-8")) or f"| {name} |" in text
