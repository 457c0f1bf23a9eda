"""The source against a scripted API server: what it asks, and what it makes of the answers."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

from kstream.clock import VirtualClock
from kstream.core.events import Delivery, Kind, Known
from kstream.core.health import ClusterInfo, Health, Identified, Report
from kstream.core.recorder import Recorder
from kstream.core.state import ClusterState
from kstream.sources.kube import KubeSource
from kstream.sources.kubeconfig import KubeSettings
from tests.scripted import ScriptedServer, Stream, bookmark, kubeconfig, line, listed, meta, pod, until


class Recording:
    """A source that is being recorded, as the service does it."""

    def __init__(self, source: KubeSource, clock: VirtualClock, known: Known) -> None:
        self.source = source
        self.clock = clock
        self.state = ClusterState()
        self.recorder = Recorder(self.state)
        self.verbs: list[tuple[str, str]] = []
        self.versions: dict[str, str] = {}
        self.reports: list[Report] = []
        self.health = Health()
        self.known = known

    async def run(self) -> None:
        async with aclosing(self.source.deliveries(self.known)) as deliveries:
            async for delivery in deliveries:
                self._take(delivery)

    def _take(self, delivery: Delivery) -> None:
        self.verbs += [(change.verb, change.key.name) for change in self.recorder.take(delivery.events)]
        self.versions |= delivery.versions
        for report in delivery.reports:
            self.reports.append(report)
            self.health.apply(report)

    def names(self, kind: Kind) -> set[str]:
        return {entry.key.name for entry in self.state.entries(kind)}

    async def synced(self) -> None:
        await until(lambda: self.health.synced and not self.health.stale)


@asynccontextmanager
async def recording(
    server: ScriptedServer, tmp_path: Path, *, known: Known | None = None
) -> AsyncIterator[Recording]:
    clock = VirtualClock(1000.0)
    settings = KubeSettings(kubeconfig=str(kubeconfig(tmp_path / "config", server.url)))
    source = KubeSource(settings, clock=clock, rng=random.Random(1))
    record = Recording(source, clock, known or Known({}, {}))
    task = asyncio.create_task(record.run())
    try:
        yield record
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_nodes_pods_and_namespaces_are_listed_and_watched(tmp_path: Path) -> None:
    server = ScriptedServer()
    watch = Stream()
    server.on("list nodes", listed([meta("Node", "n1")], "10"))
    server.on("list namespaces", listed([meta("Namespace", "default")], "11"))
    server.on("list pods", listed([pod("a"), pod("b")], "12"))
    server.on("watch pods", watch)
    async with server.running(), recording(server, tmp_path) as record:
        await record.synced()
        assert record.names(Kind.POD) == {"a", "b"}
        assert record.names(Kind.NODE) == {"n1"}
        assert record.health.cluster == ClusterInfo("my-cluster", "v1.29.0", "the-cluster")
        assert isinstance(record.reports[0], Identified)
        await until(watch.opened.is_set)
        watch.send(line("ADDED", pod("c", "13")), line("DELETED", pod("a", "14")), bookmark("15"))
        await until(lambda: record.versions["pods"] == "15")
        assert record.names(Kind.POD) == {"b", "c"}
        assert record.verbs[-2:] == [("ADDED", "c"), ("DELETED", "a")]
        assert server.asked("watch pods")[0]["resourceVersion"] == "12"
