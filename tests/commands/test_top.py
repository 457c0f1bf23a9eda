"""`kstream top` as a person starts it: in a terminal, which is as it was when it has ended."""

from __future__ import annotations

import asyncio
import os
import pty
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from click.testing import CliRunner

pytest.importorskip("textual", reason="the extra `tui` is not installed")

from kstream.cli import main
from kstream.commands import top
from kstream.core.errors import UsageError
from kstream.logs.sqlite import SqliteLog
from tests.commands.extras import leave_out

INCIDENT = str(Path(__file__).parents[2] / "fixtures" / "incident.db")
COMMAND = (sys.executable, "-c", "from kstream.cli import main; main()", "top")


def test_a_recording_is_looked_at_in_a_terminal_that_is_as_before_after_ctrl_c() -> None:
    terminal, end = pty.openpty()
    termios.tcsetwinsize(end, (30, 110))
    before = termios.tcgetattr(end)
    with subprocess.Popen(
        (*COMMAND, INCIDENT, "--at", "+200s"),
        stdin=end,
        stdout=end,
        stderr=end,
        env=os.environ | {"TERM": "xterm"},
    ) as process:
        seen = b""
        while b"CrashLoopBackOff" not in seen:
            seen += os.read(terminal, 65536)
        os.write(terminal, b"\x03")
        while b"\x1b[?1049l" not in seen:  # the screen that was there before
            seen += os.read(terminal, 65536)
    assert process.returncode == 0
    assert termios.tcgetattr(end) == before
    assert (
        seen.endswith(b"\x1b[?25h") or b"\x1b[?25h" in seen[seen.index(b"\x1b[?1049l") - 200 :]
    )  # the cursor
    assert b"incident" in seen
    os.close(terminal)
    os.close(end)


def test_without_a_terminal_it_says_what_to_use_instead() -> None:
    done = CliRunner().invoke(main, ["top", INCIDENT])
    assert done.exit_code == 2
    assert "`kstream tail`" in done.stderr
    assert "`kstream log`" in done.stderr


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if there was one: what is wrong is told before anything is drawn."""
    monkeypatch.setattr(top, "check_terminal", lambda: None)


def test_a_terminal_that_cannot_move_its_cursor_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    with pytest.raises(UsageError):
        top.check_terminal()


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["nowhere.db"], 6, "there is no such event log"),
        (["localhost"], 2, "write http://localhost:3001 for a server"),
        (["http://127.0.0.1:1"], 4, "Is a kstream server running there?"),
        (["127.0.0.1:1"], 4, "Is a kstream server running there?"),
        (["ftp://127.0.0.1:1"], 2, "ftp://127.0.0.1:1"),
        ([INCIDENT, "--at", "tea"], 2, "--at"),
        ([INCIDENT, "--speed", "tea"], 2, "--speed"),
        ([INCIDENT, "-n", "Bad_NS"], 2, "--namespace"),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_drawn(words: list[str], code: int, said: str) -> None:
    done = CliRunner().invoke(main, ["top", *words])
    assert (done.exit_code, said in done.stderr) == (code, True), done.stderr


async def _made(path: Path) -> None:
    log = await SqliteLog.open(path)
    await log.close()


@pytest.mark.usefixtures("terminal")
def test_an_empty_recording_is_told(tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    asyncio.run(_made(path))
    done = CliRunner().invoke(main, ["top", str(path)])
    assert (done.exit_code, "Nothing was recorded" in done.stderr) == (6, True)


@pytest.mark.usefixtures("terminal")
def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    leave_out(monkeypatch, "textual", needed_by="kstream.top.app")
    done = CliRunner().invoke(main, ["top", INCIDENT])
    assert done.exit_code == 3
    assert "pip install 'kstream[tui]'" in done.stderr
