"""What one hostile client costs the others: how much longer they wait for an answer, and the memory that it takes."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from websockets.asyncio import client

from loadtest.bench.attacker import KINDS
from loadtest.bench.results import Result

_OTHERS = 10
_BETWEEN = 0.08  # seconds between two pings of one of them
_SECONDS = 10.0
_LATER = 50.0  # ms that the others' 99th percentile may be later
_MORE = 20.0  # MB that the server may take more
_CLUSTER = ("--nodes", "200", "--pods", "20000", "--churn", "50")


def hostile(*, quick: bool) -> list[Result]:
    seconds = 3.0 if quick else _SECONDS
    with simulated(*_CLUSTER) as (port, memory):
        asyncio.run(_p99(port, 3.0))  # the first state is made, caches grow
        found: list[Result] = []
        for kind in KINDS:
            memory.reset()
            alone = asyncio.run(_p99(port, seconds))
            before = memory.peak()
            attacker = subprocess.Popen([sys.executable, "-m", "loadtest.bench.attacker", str(port), kind])
            try:
                time.sleep(1.0)
                memory.reset()
                beside = asyncio.run(_p99(port, seconds))
                peak = memory.peak()
            finally:
                attacker.kill()
                attacker.wait()
            found += [
                Result(
                    f"p99 of others beside a hostile client ({kind}), ms later",
                    f"{beside:.1f} ms",
                    f"{alone:.1f} ms alone",
                    max(0.0, beside - alone),
                    _LATER,
                    at_most=True,
                ),
                Result(
                    f"peak memory beside it ({kind}), MB more",
                    f"{peak:.0f} MB",
                    f"{before:.0f} MB alone",
                    max(0.0, peak - before),
                    _MORE,
                    at_most=True,
                ),
            ]
    return found


class Memory:
    """Of a process (proc(5))."""

    def __init__(self, pid: int) -> None:
        self._folder = Path(f"/proc/{pid}")

    def reset(self) -> None:
        """The peak, in MB, begins anew."""
        (self._folder / "clear_refs").write_text("5")

    def peak(self) -> float:
        return self._read("VmHWM") / 1e6

    def now(self) -> float:
        """Resident bytes."""
        return self._read("VmRSS")

    def _read(self, name: str) -> float:
        lines = (self._folder / "status").read_text().splitlines()
        (line,) = [line for line in lines if line.startswith(f"{name}:")]
        return int(line.split()[1]) * 1000.0


@contextmanager
def simulated(*cluster: str) -> Iterator[tuple[int, Memory]]:
    # As it is typed: the command line tells the garbage collector what all commands know.
    command = [sys.executable, "-c", "from kstream.cli import main; main()", "simulate"]
    server = subprocess.Popen(
        [*command, "--port", "0", "-o", "json", "--log-level", "error", *cluster],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        yield json.loads(server.stdout.readline())["port"], Memory(server.pid)
    finally:
        server.terminate()
        server.wait()


async def _p99(port: int, seconds: float) -> float:
    """Of the milliseconds from a ping to its pong."""
    waits: list[float] = []
    await asyncio.gather(*(_ask(port, seconds, waits) for _ in range(_OTHERS)))
    return sorted(waits)[int(len(waits) * 0.99)] * 1000


async def _ask(port: int, seconds: float, waits: list[float]) -> None:
    async with client.connect(f"ws://127.0.0.1:{port}/ws?namespaces=none", max_size=None) as socket:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            began = time.perf_counter()
            await socket.send('{"type":"ping"}')
            while '"pong"' not in str(await socket.recv()):
                pass
            waits.append(time.perf_counter() - began)
            await asyncio.sleep(_BETWEEN)
