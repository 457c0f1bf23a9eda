"""Making the state of a large cluster, against the least that it could cost; and what it costs everyone else."""

from __future__ import annotations

import asyncio
import gc
import time
from statistics import median

from kstream.core.delivery import snapshot
from kstream.core.delivery.filters import EVERYTHING
from kstream.core.delivery.limits import Limits
from kstream.core.timeline.events import Event, Kind, ObjectKey, Verb, WatchEvent
from kstream.core.timeline.state import ClusterState
from loadtest.bench.contender import pod
from loadtest.bench.results import Result, amount
from loadtest.bench.sinks import Sink, bench_hub

_PODS = 150_000
_BODY = 400  # bytes
_HERD = 200


def large_states(*, quick: bool) -> list[Result]:
    state = _state()
    bodies = [entry.body for entry in state.entries(Kind.POD)]
    ratios, ours, theirs = [], [], []
    for _ in range(7 if quick else 15):
        began = time.process_time()
        b"".join(bodies)
        joined = time.process_time()
        snapshot.encode(snapshot.capture(state, EVERYTHING), time=0.0, window_bits=0)
        made = time.process_time()
        theirs.append(joined - began)
        ours.append(made - joined)
        ratios.append(ours[-1] / theirs[-1])
    return [
        Result(
            "state of 150,000 pods, to b''.join",
            f"{median(ours) * 1000:.1f} ms",
            f"{median(theirs) * 1000:.1f} ms",
            median(ratios),
            1.5,
            at_most=True,
        ),
        asyncio.run(_herd(state, window_bits=0)),
        asyncio.run(_herd(state, window_bits=15)),
    ]


def _state() -> ClusterState:
    state = ClusterState()
    for number in range(_PODS):
        key = ObjectKey(Kind.POD, f"ns-{number % 200}", f"pod-{number}", f"uid-{number}")
        state.apply(Event(number + 1, WatchEvent(Verb.ADDED, key, "1", 0.0, pod(number, _BODY))))
    gc.collect()
    gc.freeze()  # what the collector does with the state is not what is measured
    return state


async def _herd(state: ClusterState, *, window_bits: int) -> Result:
    """The longest that the event loop stands still while 200 clients come at once."""
    hub = bench_hub(state, epoch="bench", limits=Limits())
    running = asyncio.create_task(hub.run())
    await asyncio.sleep(0.1)
    worst = 0.0
    sinks = [Sink() for _ in range(_HERD)]
    expected = sum(entry.key.kind is Kind.POD for entry in state) * _BODY // (20 if window_bits else 1)

    async def watch() -> None:
        nonlocal worst
        last = time.monotonic()
        while True:
            await asyncio.sleep(0)
            now = time.monotonic()
            worst = max(worst, now - last)
            last = now

    watching = asyncio.create_task(watch())
    for sink in sinks:
        hub.serve(hub.join(sink, EVERYTHING, window_bits=window_bits))
        # A handshake each: the loop turns between them.
        await asyncio.sleep(0)
    end = time.monotonic() + 60
    for sink in sinks:
        while sink.bytes < expected and time.monotonic() < end:  # noqa: ASYNC110 - a sink tells nobody
            await asyncio.sleep(0.01)
    for task in (watching, running):
        task.cancel()
    await asyncio.gather(watching, running, return_exceptions=True)
    if any(sink.bytes < expected for sink in sinks):
        raise RuntimeError("the herd did not get its states")
    name = "deflated" if window_bits else "plain"
    return Result(
        f"longest stop of the loop, 200 clients at once, {name}",
        f"{worst * 1000:.1f} ms",
        "50 ms",
        worst / 0.05,
        1.0,
        at_most=True,
        note=f"{amount(sum(sink.bytes for sink in sinks), 'B')} in all",
    )
