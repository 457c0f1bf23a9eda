"""Workers as real processes: they share a port, follow the log that this process writes, and are replaced."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

from kstream.client import Client
from kstream.clock import SystemClock
from kstream.config import ServeSettings
from kstream.core.events import Verb
from kstream.core.health import ClusterInfo, Identified, Lost, Synced
from kstream.crew import Crew
from kstream.logs.sqlite import SqliteLog
from kstream.run import Address
from tests.making import change, pod_key


async def seen(address: Address, head: int, *, stale: bool) -> list[str]:
    """The names of the pods that a new client ends with, at `head` and told that it is (not) stale."""
    async with asyncio.timeout(20), Client(address.websocket) as client:
        async for _ in client.messages():
            if (client.state.seq or 0) >= head and client.state.stale is stale:
                break
        return sorted(pod["name"] for pod in client.state.pods.values())


async def test_workers_serve_what_this_process_records_and_one_that_dies_is_replaced(tmp_path: Path) -> None:
    clock = SystemClock()
    log = await SqliteLog.open(tmp_path / "log.db")
    crew = Crew(count=2, log=log.path, mode="live", settings=ServeSettings(port=0), clock=clock)
    await log.append([change(Verb.ADDED, pod_key("a"))])
    crew.report(Identified(ClusterInfo("test", "v1.36.0")), after=0)
    crew.report(Synced(), after=1)
    stop = asyncio.Event()
    listening: asyncio.Future[Address] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(crew.run(ready=listening.set_result, stop=stop))
    try:
        address = await asyncio.wait_for(listening, 20)
        await log.append([change(Verb.ADDED, pod_key("b"))])
        assert await asyncio.gather(*(seen(address, 2, stale=False) for _ in range(6))) == [["a", "b"]] * 6

        before = set(crew.pids)
        os.kill(min(before), signal.SIGKILL)
        crew.report(Lost(), after=2)
        await log.append([change(Verb.DELETED, pod_key("a"))])
        for _ in range(200):
            if len(now := set(crew.pids)) == 2 and now != before:
                break
            await asyncio.sleep(0.05)
        assert len(set(crew.pids) - before) == 1
        assert await asyncio.gather(*(seen(address, 3, stale=True) for _ in range(6))) == [["b"]] * 6
    finally:
        stop.set()
        await task
        await log.close()
    assert crew.pids == []
