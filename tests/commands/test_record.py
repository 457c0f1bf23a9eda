"""`kstream record` as a process: what a script that started it is told."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

from tests.scripted import ScriptedServer, kubeconfig, listed, pod

_LIMITED = 'ulimit -f "$1"; shift; exec "$@"'  # KiB, then a command


async def test_what_could_not_be_written_is_an_error_in_the_end_too(tmp_path: Path) -> None:
    server = ScriptedServer()
    server.on("list pods", listed([pod(f"p{number}", reason="x" * 4000) for number in range(300)], "12"))
    async with server.running():
        config = kubeconfig(tmp_path / "config", server.url)
        main = "from kstream.cli import main; main()"
        command = [
            sys.executable,
            "-c",
            main,
            "record",
            str(tmp_path / "log.db"),
            "--kubeconfig",
            str(config),
        ]
        process = await asyncio.create_subprocess_exec(
            *("bash", "-c", _LIMITED, "bash", "300", *command), stderr=asyncio.subprocess.PIPE
        )
        assert process.stderr is not None
        async for line in process.stderr:
            if b"The event log is full" in line:
                break
        process.send_signal(signal.SIGTERM)
        said = (await process.stderr.read()).decode()
        assert await process.wait() == 6
    assert "Error: What came last is not in the log." in said
    assert "raise that limit (ulimit -f)" in said
