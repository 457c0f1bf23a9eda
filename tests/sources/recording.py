"""A source that is being recorded, as the service does it, on a clock that the test moves."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

from kstream.clock import VirtualClock
from kstream.core.timeline.events import Delivery, Event, Kind, Known
from kstream.core.timeline.health import ErrorCode, Fault, Health, Lost, Report, Synced
from kstream.core.timeline.recorder import Recorder
from kstream.core.timeline.state import ClusterState
from kstream.sources.apiserver import ApiServer
from kstream.sources.kube import KubeSource
from kstream.sources.kubeconfig import KubeSettings
from simulator.apiserver.server import FakeApiServer
from tests.scripted import ScriptedServer, kubeconfig, until


class Recording:
    """What has been recorded so far, and what the source has said about itself."""

    def __init__(self, source: KubeSource, clock: VirtualClock, state: ClusterState, known: Known) -> None:
        self.source = source
        self.clock = clock
        self.state = state
        self.known = known
        self.recorder = Recorder(state)
        self.events: list[str] = []  # "ADDED a"
        self.versions: dict[str, str] = {}
        self.reports: list[Report] = []
        self.health = Health()
        self.paused = asyncio.Event()
        self.paused.set()

    async def run(self) -> None:
        async with aclosing(self.source.deliveries(self.known)) as deliveries:
            async for delivery in deliveries:
                self._take(delivery)
                await self.paused.wait()

    def _take(self, delivery: Delivery) -> None:
        for change in self.recorder.take(delivery.events):
            self.state.apply(Event(self.state.seq + 1, change))
            self.events.append(f"{change.verb} {change.key.name}")
        self.versions |= delivery.versions
        for report in delivery.reports:
            self.reports.append(report)
            self.health.apply(report)

    def names(self, kind: Kind) -> list[str]:
        return sorted(entry.key.name for entry in self.state.entries(kind))

    @property
    def pods(self) -> list[str]:
        return self.names(Kind.POD)

    def faults(self, code: ErrorCode) -> list[Fault]:
        """All that was ever said with this code."""
        return [report for report in self.reports if isinstance(report, Fault) and report.code is code]

    def said(self) -> list[str]:
        """Lost and Synced, in order."""
        return [type(report).__name__ for report in self.reports if isinstance(report, (Lost, Synced))]

    async def synced(self, *, step: float = 0.0) -> None:
        await until(lambda: self.health.synced and not self.health.stale, self.clock, step=step)


@asynccontextmanager
async def recording(
    server: ScriptedServer | FakeApiServer,
    folder: Path,
    *,
    before: Recording | None = None,
    namespaces: tuple[str, ...] = (),
    config: Path | None = None,
    settings: KubeSettings | None = None,
) -> AsyncIterator[Recording]:
    """`before`: an earlier run, whose log is gone on with."""
    clock = VirtualClock(1000.0)
    if settings is None:
        config = config or kubeconfig(folder / "config", server.url)
        settings = KubeSettings(kubeconfig=str(config), namespaces=namespaces)
    source = KubeSource(ApiServer(settings, clock), clock=clock, rng=random.Random(1))
    state = before.state if before is not None else ClusterState()
    known = Known(state.versions(), dict(before.versions) if before is not None else {})
    record = Recording(source, clock, state, known)
    task = asyncio.create_task(record.run())
    try:
        yield record
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        if not task.cancelled():
            task.result()
