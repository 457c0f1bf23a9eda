"""kstream: the whole way of an event, from the log's commit to the sockets of the real application."""

from __future__ import annotations

import asyncio
import sys

from aiohttp import web

from kstream.clock import SystemClock
from kstream.config import ServeSettings
from kstream.core.delivery.tally import Recording
from kstream.core.timeline.events import Kind, ObjectKey, Verb, WatchEvent
from kstream.logs.memory import MemoryLog
from kstream.service import follow
from kstream.web.app import make_app
from loadtest.bench.contender import obey, pod
from loadtest.bench.sinks import UNLIMITED, bench_hub

_ENVELOPE = 104  # bytes of an event message around the body


async def main(size: int) -> None:
    log = MemoryLog()
    clock = SystemClock()
    body = pod(1, size - _ENVELOPE)
    key = ObjectKey(Kind.POD, "shop", "checkout", "uid-1")
    change = WatchEvent(Verb.MODIFIED, key, "1", clock.time(), body)
    await log.append([WatchEvent(Verb.ADDED, key, "1", clock.time(), body)])
    hub = bench_hub(await log.state_at(log.head), epoch=log.epoch, limits=UNLIMITED)
    settings = ServeSettings(port=0)
    runner = web.AppRunner(
        make_app(hub, log, settings, recording=Recording(), time=clock.time), access_log=None
    )
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()

    async def burst(count: int) -> None:
        await log.append([change] * count)

    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(hub.run()), tasks.create_task(follow(log, hub))]
        await obey(runner.addresses[0][1], lambda: len(hub), burst)
        for task in running:
            task.cancel()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
