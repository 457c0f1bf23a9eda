"""What others say reaches a terminal as text and nothing else, from every command that repeats it."""

from __future__ import annotations

import asyncio
import json
import sys

import pytest
from websockets.asyncio.server import ServerConnection, serve

from kstream.commands.check import _print
from kstream.sources.preflight import Finding

EVIL = "a\x1b[2Jb\x9b31mc\u202ed\u200be"
MESSAGES = (
    {"type": "connection", "status": "connected", "cluster": {"name": EVIL, "version": "v1"}},
    {"type": "error", "error": {"code": "WATCH_ERROR", "message": EVIL, "details": EVIL}},
    {"type": EVIL},
)


async def tail(*options: str) -> tuple[str, str]:
    """What `kstream tail` prints of a server that sends MESSAGES and goes away with a word of its own."""

    async def talk(socket: ServerConnection) -> None:
        for message in MESSAGES:
            await socket.send(json.dumps({"timestamp": "2025-01-24T10:00:00.000Z", **message}))
        await socket.close(1011, "gone\u202e\x1b[2J")

    async with serve(talk, "127.0.0.1", 0, open_timeout=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", "from kstream.cli import main; main()"),
            *("tail", f"127.0.0.1:{port}", "--no-reconnect", *options),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={"PYTHONIOENCODING": "utf-8"},
        )
        out, err = await process.communicate()
    return out.decode(), err.decode()


@pytest.mark.parametrize("options", [(), ("-o", "json")], ids=["text", "json"])
async def test_tail_shows_what_would_act_on_the_terminal(options: tuple[str, ...]) -> None:
    out, err = await tail(*options)
    lines = out.splitlines()
    assert len(lines) == len(MESSAGES), err
    assert all(line.isprintable() for line in lines + err.splitlines())
    assert r"a\u001b[2Jb\u009b31mc\u202ed\u200be" in lines[0]
    if options:
        assert [json.loads(line)["type"] for line in lines] == ["connection", "error", EVIL]


def test_check_shows_what_would_act_on_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    _print([Finding(EVIL, ok=False, cause=EVIL, remedy=EVIL, exit_code=4)])
    lines = capsys.readouterr().out.splitlines()
    assert all(line.isprintable() for line in lines)
    assert sum(line.count(r"c\u202ed\u200be") for line in lines) == 3
