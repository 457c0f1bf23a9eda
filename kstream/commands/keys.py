"""The operator's keys while a recording plays (PROTOCOL 28)."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import termios
import tty
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

import click

from kstream.commands import statusline
from kstream.core.timeline.timepoint import timestamp
from kstream.logs.replay import ReplayLog

HELP: Final = (
    "keys: space pause · + faster · - slower · ← back 10 s · → on 10 s · . one event · 0 start · q quit"
    " · ? help"
)

_ESCAPES: Final = {b"\x1b[C": "right", b"\x1b[D": "left"}
# One key each, also when many are pressed at once; an arrow or a function key is a whole sequence (ECMA-48, 5.4).
_KEY: Final = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1bO.|.", re.DOTALL)
_FASTEST: Final = 1024.0


class Keys:
    """Turns keys into commands for a timeline, and shows on one line where it is."""

    def __init__(self, timeline: ReplayLog, stop: asyncio.Event) -> None:
        self._timeline = timeline
        self._stop = stop
        self._seeks: asyncio.Queue[str] = asyncio.Queue(maxsize=16)

    async def run(self) -> None:
        """Until cancelled. Returns at once where stdin or stderr is no terminal."""
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            return
        click.echo(HELP, err=True)
        with _unbuffered(sys.stdin.fileno()), _listening(self):
            while True:
                self._show(self._timeline.playback)
                try:
                    async with asyncio.timeout(0.5):
                        await self._timeline.seek(await self._seeks.get())
                except TimeoutError:
                    continue

    def pressed(self) -> None:
        for key in _KEY.findall(os.read(sys.stdin.fileno(), 64)):
            self._do(_ESCAPES.get(key) or key.decode("ascii", "replace"))

    def _do(self, key: str) -> None:
        timeline = self._timeline
        playing = timeline.playback
        match key:
            case " ":
                timeline.pause() if playing["state"] == "playing" else timeline.play()
            case "+" | "=":
                timeline.set_speed(_scaled(playing["speed"], 2.0))
            case "-":
                timeline.set_speed(_scaled(playing["speed"], 0.5))
            case ".":
                timeline.step()
            case "left" | "right" | "0" if not self._seeks.full():
                self._seeks.put_nowait({"left": "-10s", "right": "+10s", "0": "seq:0"}[key])
            case "?" | "h":
                statusline.show("")
                click.echo(HELP, err=True)
            case "q":
                self._stop.set()

    def _show(self, playing: Mapping[str, Any]) -> None:
        speed, now = playing["speed"], self._timeline.time()
        shown = speed if isinstance(speed, str) else f"{speed:g}x"
        start, end = (datetime.fromisoformat(playing[bound]).timestamp() for bound in ("start", "end"))
        part = 100 if end <= start else min(max(int(100 * (now - start) / (end - start)), 0), 100)
        statusline.show(
            f"{playing['state']} {shown}  {timestamp(now)}  {part} %  event {self._timeline.head}"
        )


def _scaled(speed: float | str, factor: float) -> float:
    return _FASTEST if isinstance(speed, str) else min(max(speed * factor, 1 / 64), _FASTEST)


@contextmanager
def _unbuffered(terminal: int) -> Iterator[None]:
    before = termios.tcgetattr(terminal)
    tty.setcbreak(terminal)
    try:
        yield
    finally:
        # At once: what is written waits for as long as Ctrl-S has stopped the terminal.
        termios.tcsetattr(terminal, termios.TCSANOW, before)
        statusline.show("")


@contextmanager
def _listening(keys: Keys) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin.fileno(), keys.pressed)
    try:
        yield
    finally:
        loop.remove_reader(sys.stdin.fileno())
