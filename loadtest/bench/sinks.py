"""A hub in this process, and sockets that take everything at once: what is measured is what the server does itself."""

from __future__ import annotations

from kstream.clock import SystemClock
from kstream.core.delivery.limits import Limits
from kstream.core.delivery.session import Close
from kstream.core.timeline.health import Health
from kstream.core.timeline.state import ClusterState
from kstream.delivery.hub import Hub
from kstream.delivery.member import Reached

UNLIMITED = Limits(per_minute=10**12, burst=10**11, heartbeat=3600.0)
"""The limits of the contract would stop a benchmark after 50 messages; the arithmetic is the same."""


class Sink:
    """An outlet that counts."""

    descriptor = -1

    def __init__(self) -> None:
        self.bytes = 0

    def write(self, data: bytes | memoryview) -> None:
        self.bytes += len(data)

    def pending(self) -> int:
        return 0

    def reached(self) -> Reached:
        return Reached()

    def close(self, close: Close) -> None:
        raise RuntimeError(f"closed: {close}")


def bench_hub(state: ClusterState, *, epoch: str, limits: Limits) -> Hub:
    """In sync, and without metrics. `run()` it."""
    clock = SystemClock()
    return Hub(
        epoch=epoch,
        term=lambda: epoch,
        source="live",
        state=state,
        health=Health(synced=True),
        clock=clock,
        time=clock.time,
        watermark=lambda: None,
        limits=limits,
        metrics_interval=3600.0,
    )
