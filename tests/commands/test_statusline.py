"""A line on a terminal, and a terminal that takes nothing."""

from __future__ import annotations

import io
import os
import pty
import termios
from collections.abc import Iterator
from contextlib import redirect_stderr
from typing import cast

import pytest

from kstream.commands import statusline


class Terminal:
    """Its far end is what a person sees."""

    def __init__(self) -> None:
        self.seen, self._near = pty.openpty()
        os.set_blocking(self.seen, False)

    def fileno(self) -> int:
        return self._near

    def stop(self) -> None:
        """Ctrl-S."""
        termios.tcflow(self._near, termios.TCOOFF)

    def go_on(self) -> None:
        termios.tcflow(self._near, termios.TCOON)

    def read(self) -> bytes:
        try:
            return os.read(self.seen, 1 << 16)
        except BlockingIOError:
            return b""

    def close(self) -> None:
        os.close(self.seen)
        os.close(self._near)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    made = Terminal()
    yield made
    made.close()


def shown_on(stderr: object, *texts: str) -> None:
    with redirect_stderr(cast(io.TextIOBase, stderr)):
        for text in texts:
            statusline.show(text)


def test_the_line_is_written_from_its_beginning_and_nothing_is_left_behind_it(terminal: Terminal) -> None:
    shown_on(terminal, "paused 1x")
    assert terminal.read() == b"\rpaused 1x\x1b[K"


def test_a_terminal_that_is_stopped_is_passed_over_and_holds_up_nothing(terminal: Terminal) -> None:
    terminal.stop()
    shown_on(terminal, *(f"event {number}" for number in range(10_000)))  # far more than a terminal takes
    assert terminal.read() == b""
    terminal.go_on()
    shown_on(terminal, "event 10000")
    assert terminal.read() == b"\revent 10000\x1b[K"


def test_what_is_closed_is_passed_over() -> None:
    closed = open(os.devnull, "w")  # noqa: SIM115 - it is closed at once
    closed.close()
    shown_on(closed, "event 1")
