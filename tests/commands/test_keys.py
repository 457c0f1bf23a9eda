"""The operator's keys, as a person at a terminal has them: `kstream replay` and what is on the screen."""

from __future__ import annotations

import asyncio
import os
import pty
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kstream.commands.keys import HELP
from kstream.logs.sqlite import SqliteLog
from tests.logs.facts import history

MAIN = "from kstream.cli import main; main()"


class Terminal:
    """A person who presses keys and reads what is on the screen."""

    def __init__(self, screen: int) -> None:
        self._screen = screen
        self._read = ""

    def shows(self, text: str) -> None:
        """Read on until it does; what is before that is read then."""
        while text not in self._read:
            self._read += os.read(self._screen, 4096).decode()
        self._read = self._read.partition(text)[2]

    def send(self, keys: bytes) -> None:
        os.write(self._screen, keys)

    def press(self, keys: bytes, then: str) -> None:
        self.send(keys)
        self.shows(then)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    async def record() -> None:
        written = await SqliteLog.open(tmp_path / "log.db")
        await written.append(list(history(400)))
        await written.close()

    asyncio.run(record())
    return tmp_path / "log.db"


@contextmanager
def replaying(log: Path) -> Iterator[tuple[Terminal, subprocess.Popen[bytes]]]:
    screen, side = pty.openpty()
    before = termios.tcgetattr(side)
    process = subprocess.Popen(
        [sys.executable, "-c", MAIN, "replay", str(log), "--port", "0", "--start-paused"],
        stdin=side,
        stdout=subprocess.DEVNULL,
        stderr=side,
        start_new_session=True,
    )
    try:
        yield Terminal(screen), process
        assert process.wait() == 0
        assert termios.tcgetattr(side) == before, "the terminal is as it was"
    finally:
        process.kill()
        process.wait()
        os.close(side)
        os.close(screen)


def test_keys_move_a_recording_and_the_screen_says_where_it_is(log: Path) -> None:
    with replaying(log) as (terminal, _):
        terminal.shows(HELP)
        terminal.shows("paused 1x")
        terminal.press(b"+", "paused 2x")
        terminal.press(b"=", "paused 4x")
        terminal.press(b"-", "paused 2x")
        terminal.press(b".", "event 1")
        terminal.press(b"\x1b[C", "event 21")
        terminal.press(b"x\x1b[D", "event 1")
        terminal.press(b"\x1b[20~++--.", "event 2")
        terminal.press(b" ", "playing 2x")
        terminal.press(b" ", "paused 2x")
        terminal.press(b"0", "event 0")
        terminal.send(b"q")


def test_a_speed_has_its_bounds(log: Path) -> None:
    with replaying(log) as (terminal, _):
        terminal.shows("paused 1x")
        for power in range(1, 11):
            terminal.press(b"+", f"paused {2**power}x")
        terminal.press(b"+.", "paused 1024x")
        for power in range(9, -7, -1):
            terminal.press(b"-", f"paused {2.0**power:g}x")
        terminal.send(b"-q")


def test_ctrl_c_leaves_the_terminal_as_it_was(log: Path) -> None:
    with replaying(log) as (terminal, process):
        terminal.shows("paused 1x")
        process.terminate()
