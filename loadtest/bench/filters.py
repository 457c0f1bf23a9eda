"""What an event in one of a thousand namespaces costs those who watch the others: nothing."""

from __future__ import annotations

import asyncio
import time
from statistics import median

from kstream.core.delivery.filters import Filter
from kstream.core.timeline.events import Kind, ObjectKey, Verb, WatchEvent
from kstream.delivery.hub import Hub
from kstream.logs.memory import MemoryLog
from kstream.service import follow
from loadtest.bench.contender import pod
from loadtest.bench.results import Result
from loadtest.bench.sinks import UNLIMITED, Sink, bench_hub

_EVENTS = 2000
_MANY, _FEW = 1000, 10


def narrow_filters(*, quick: bool) -> list[Result]:
    rounds = [(asyncio.run(_each(_MANY)), asyncio.run(_each(_FEW))) for _ in range(3 if quick else 7)]
    many, few = (median(column) for column in zip(*rounds, strict=True))
    return [
        Result(
            f"an event, {_MANY} clients with a namespace each, to {_FEW} clients",
            f"{many * 1e6:.1f} µs CPU",
            f"{few * 1e6:.1f} µs CPU",
            median(a / b for a, b in rounds),
            1.5,
            at_most=True,
        )
    ]


async def _each(clients: int) -> float:
    """CPU seconds for an event, from the log to the socket of the one who watches its namespace."""
    log = MemoryLog()
    await log.append([_change(number, Verb.ADDED) for number in range(clients)])
    hub = bench_hub(await log.state_at(log.head), epoch=log.epoch, limits=UNLIMITED)
    running = [asyncio.create_task(hub.run()), asyncio.create_task(follow(log, hub))]
    sinks = [Sink() for _ in range(clients)]
    for number, sink in enumerate(sinks):
        hub.serve(hub.join(sink, Filter(frozenset({f"ns-{number}"})), window_bits=0))
    while not all(member.session.caught_up for member in hub):  # noqa: ASYNC110 - a hub tells nobody
        await asyncio.sleep(0.01)
    before = _told(hub)
    changes = [_change(number % clients) for number in range(_EVENTS)]
    began = time.process_time()
    for change in changes:
        await log.append([change])
        await asyncio.sleep(0)
    used = time.process_time() - began
    while _told(hub) - before < _EVENTS:  # noqa: ASYNC110 - on a busy machine the hub lets events gather
        await asyncio.sleep(0.001)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    return used / _EVENTS


def _told(hub: Hub) -> int:
    return hub.tally.events + hub.tally.batched


def _change(number: int, verb: Verb = Verb.MODIFIED) -> WatchEvent:
    key = ObjectKey(Kind.POD, f"ns-{number}", "checkout", f"uid-{number}")
    return WatchEvent(verb, key, "1", 1.7e9, pod(1, 300))
