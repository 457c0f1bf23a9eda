"""A hub that runs on a virtual clock, for tests that play the log and the sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from kstream.clock import VirtualClock
from kstream.core.delivery.limits import Limits
from kstream.core.timeline.health import ClusterInfo, Health
from kstream.core.timeline.state import ClusterState
from kstream.delivery.hub import Hub
from tests.making import START


@asynccontextmanager
async def running(
    *,
    state: ClusterState | None = None,
    synced: bool = True,
    clock: VirtualClock | None = None,
    watermark: Callable[[], tuple[float, int] | None] = lambda: None,
    **health: Any,
) -> AsyncIterator[tuple[Hub, VirtualClock]]:
    clock = clock or VirtualClock(START)
    hub = Hub(
        epoch="epoch-1",
        term=lambda: "term-1",
        source="live",
        state=ClusterState() if state is None else state,
        health=Health(cluster=ClusterInfo("test", "v1.36.0"), synced=synced, **health),
        clock=clock,
        time=clock.time,
        watermark=watermark,
        limits=Limits(),
        metrics_interval=10.0,
    )
    task = asyncio.create_task(hub.run())
    try:
        yield hub, clock
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
