"""What an event in one of a thousand namespaces, or with one of a thousand labels, costs those who watch the others:
nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from statistics import median

from kstream.core.delivery.filters import Filter
from kstream.core.delivery.selectors import MAX_REQUIREMENTS
from kstream.core.timeline.events import Kind, ObjectKey, Verb, WatchEvent
from kstream.delivery.hub import Hub
from kstream.logs.memory import MemoryLog
from kstream.service import follow
from loadtest.bench.contender import pod
from loadtest.bench.results import Result
from loadtest.bench.sinks import UNLIMITED, Sink, bench_hub

_EVENTS = 2000
_MANY, _FEW = 1000, 10


Choice = Callable[[int], Filter]  # of the number of a client


def narrow_filters(*, quick: bool) -> list[Result]:
    return [
        _result("a namespace", lambda number: Filter.parse([f"ns-{number}"]), quick=quick),
        _result("a selector of 16 requirements", _selector, quick=quick),
    ]


def _selector(number: int) -> Filter:
    others = (f"l{each}!=v{number}" for each in range(MAX_REQUIREMENTS - 1))
    return Filter.parse(labels=",".join((f"client=c{number}", *others)))


def _result(what: str, choice: Choice, *, quick: bool) -> Result:
    rounds = [
        (asyncio.run(_each(_MANY, choice)), asyncio.run(_each(_FEW, choice)))
        for _ in range(3 if quick else 7)
    ]
    many, few = (median(column) for column in zip(*rounds, strict=True))
    return Result(
        f"an event, {_MANY} clients with {what} each, to {_FEW} clients",
        f"{many * 1e6:.1f} µs CPU",
        f"{few * 1e6:.1f} µs CPU",
        median(a / b for a, b in rounds),
        1.5,
        at_most=True,
    )


async def _each(clients: int, choice: Choice) -> float:
    """CPU seconds for an event, from the log to the socket of the one whose choice it is."""
    log = MemoryLog()
    await log.append([_change(number, Verb.ADDED) for number in range(clients)])
    hub = bench_hub(await log.state_at(log.head), epoch=log.epoch, limits=UNLIMITED)
    running = [asyncio.create_task(hub.run()), asyncio.create_task(follow(log, hub))]
    sinks = [Sink() for _ in range(clients)]
    for number, sink in enumerate(sinks):
        hub.serve(hub.join(sink, choice(number), window_bits=0))
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
    body = pod(1, 300).replace(b'"app":"checkout"', b'"client":"c%d","l0":"x"' % number)
    return WatchEvent(verb, key, "1", 1.7e9, body)
