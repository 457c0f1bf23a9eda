"""What private timelines cost those who watch the present: how much later these are, and the memory of each."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from websockets.asyncio import client

from loadtest.bench.hostile import simulated
from loadtest.bench.results import Result, amount

_CLUSTER = ("--nodes", "100", "--pods", "1500", "--churn", "200")
_LIVE = 1000
_REWINDERS = 100
_PROBES = 10
_SETTLES = 1.0  # seconds: what came while a probe got its state is not looked at
_LATER = 1.2  # times that the 99th percentile may be
_EACH = 4e6  # bytes that a private timeline of 1,500 pods may take


def rewinders(*, quick: bool) -> list[Result]:
    live, count, seconds = (200, 20, 4.0) if quick else (_LIVE, _REWINDERS, 10.0)
    with simulated(*_CLUSTER, "--max-timelines", str(count)) as (port, memory):
        time.sleep(12.0)  # a past to go to
        with _drained(port, "/ws", live):
            asyncio.run(_late(port, 2.0))
            before, alone = memory.now(), asyncio.run(_late(port, seconds))
            with _drained(port, "/ws?at=-10s&speed=1", count):
                time.sleep(2.0)
                beside, after = asyncio.run(_late(port, seconds)), memory.now()
    return [
        Result(
            f"p99 of {live} live clients beside {count} that have rewound, times",
            f"{beside * 1000:.0f} ms",
            f"{alone * 1000:.0f} ms alone",
            beside / alone,
            _LATER,
            at_most=True,
        ),
        Result(
            "memory of a private timeline (1,500 pods), MB",
            amount((after - before) / count, "B"),
            "",
            (after - before) / count / 1e6,
            _EACH / 1e6,
            at_most=True,
        ),
    ]


@contextmanager
def _drained(port: int, path: str, count: int) -> Iterator[None]:
    """So many clients there, in a process of their own."""
    command = [sys.executable, "-m", "loadtest.bench.drain", str(port), path, str(count)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "there\n"
        yield
    finally:
        process.kill()
        process.wait()


async def _late(port: int, seconds: float) -> float:
    """The 99th percentile of how much later an event came than the promptest one, in seconds."""
    late: list[float] = []
    await asyncio.gather(*(_probe(port, seconds, late) for _ in range(_PROBES)))
    late.sort()
    return late[int(len(late) * 0.99)] - late[0]


async def _probe(port: int, seconds: float, late: list[float]) -> None:
    async with client.connect(f"ws://127.0.0.1:{port}/ws", max_size=None) as socket:
        begin = time.time() + _SETTLES
        end = begin + seconds
        while time.time() < end:
            message = json.loads(await socket.recv())
            now = time.time()
            if message["type"] == "batch":
                message = message["data"][0]  # the one that waited longest
            if message["type"] == "pod_event" and now >= begin:
                late.append(now - datetime.fromisoformat(message["timestamp"]).timestamp())
