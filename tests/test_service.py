from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import suppress

import pytest

from kstream.clock import VirtualClock
from kstream.core.errors import LogBusyError, LogError, LogFullError, LogMismatchError
from kstream.core.timeline.events import Delivery, Event, Known, Verb, WatchEvent
from kstream.core.timeline.health import Cleared, ClusterInfo, Fault, Identified, Report, Synced
from kstream.logs.memory import MemoryLog
from kstream.service import follow, record
from tests.hubs import running
from tests.making import change, node_key, pod_key


class Scripted:
    """A source that says what it is given, and keeps what it was told is known."""

    def __init__(self, *deliveries: Delivery) -> None:
        self._deliveries = deliveries
        self.known: Known | None = None

    async def deliveries(self, known: Known) -> AsyncGenerator[Delivery, None]:
        self.known = known
        for delivery in self._deliveries:
            yield delivery


class FillsUp(MemoryLog):
    """A log that cannot be written for the first tries."""

    def __init__(self, *refusals: LogError) -> None:
        super().__init__()
        self.refusals = list(refusals)

    async def append(
        self, changes: Sequence[WatchEvent], *, versions: Mapping[str, str] | None = None
    ) -> int:
        if self.refusals:
            raise self.refusals.pop(0)
        return await super().append(changes, versions=versions)

    async def identify(self, cluster: ClusterInfo) -> None:
        if self.refusals:
            raise self.refusals.pop(0)
        await super().identify(cluster)


class Heard:
    def __init__(self) -> None:
        self.reports: list[tuple[Report, int]] = []

    def __call__(self, report: Report, *, after: int) -> None:
        self.reports.append((report, after))


async def test_events_versions_and_reports_arrive_in_one_order() -> None:
    log, heard = MemoryLog(), Heard()
    source = Scripted(
        Delivery([change(Verb.ADDED, node_key("n"))], {"nodes": "7"}),
        Delivery([change(Verb.ADDED, pod_key("p"))], {"pods": "9"}, [Synced()]),
    )
    await record(source, log, VirtualClock(), report=heard)
    assert (log.head, dict(log.versions)) == (2, {"nodes": "7", "pods": "9"})
    assert heard.reports == [(Synced(), 2)]


async def test_a_run_that_goes_on_is_told_what_is_known_and_repeats_nothing() -> None:
    log = MemoryLog()
    first = Delivery([change(Verb.ADDED, pod_key("p"), version="5")], {"pods": "9"})
    await record(Scripted(first), log, VirtualClock(), report=Heard())
    again = Scripted(first)
    await record(again, log, VirtualClock(), report=Heard())
    assert again.known is not None
    assert dict(again.known.objects) == {pod_key("p"): "5"}
    assert dict(again.known.versions) == {"pods": "9"}
    assert log.head == 1


async def test_a_full_disk_is_told_and_the_same_events_are_tried_until_they_fit() -> None:
    log, heard, clock = FillsUp(*[LogFullError("no space")] * 3), Heard(), VirtualClock()
    source = Scripted(
        Delivery([change(Verb.ADDED, pod_key("a"))]), Delivery([change(Verb.ADDED, pod_key("b"))])
    )
    task = asyncio.create_task(record(source, log, clock, report=heard))
    await clock.advance(1)
    assert [type(report) for report, _ in heard.reports] == [Fault]
    assert log.head == 0
    await clock.advance(60)
    await task
    assert [event.change.key.name for event in await log.read(0, 2)] == ["a", "b"]
    assert [type(report) for report, _ in heard.reports] == [Fault, Cleared]


async def test_a_file_that_another_program_holds_is_waited_for_and_that_is_told() -> None:
    busy, full = LogBusyError("log.db: another program"), LogFullError("no space")
    log, heard, clock = FillsUp(busy, busy, full), Heard(), VirtualClock()
    cluster = ClusterInfo("one", "v1", "uid-1")
    source = Scripted(Delivery([change(Verb.ADDED, pod_key("a"))], reports=[Identified(cluster)]))
    task = asyncio.create_task(record(source, log, clock, report=heard))
    await clock.advance(60)
    await task
    assert (log.head, log.cluster) == (1, cluster)
    told = [
        (report.subject, report.message, report.details, report.stale)
        for report, _ in heard.reports
        if isinstance(report, Fault)
    ]
    assert told == [
        (
            "log",
            "The event log is held by another program: what is shown is stale",
            "log.db: another program",
            True,
        ),
        ("log", "The event log is full: what is shown is stale", "no space", True),
    ]
    assert [report for report, _ in heard.reports][2:] == [Cleared("log"), Identified(cluster)]


async def test_a_log_of_another_cluster_is_refused() -> None:
    log = MemoryLog()
    await log.identify(ClusterInfo("one", "v1", "uid-1"))
    source = Scripted(Delivery(reports=[Identified(ClusterInfo("two", "v1", "uid-2"))]))
    with pytest.raises(LogMismatchError, match="one"):
        await record(source, log, VirtualClock(), report=Heard())


async def test_progress_hears_what_was_recorded_and_what_was_left_out() -> None:
    heard: list[tuple[int, int]] = []
    source = Scripted(
        Delivery([change(Verb.ADDED, pod_key("a")), change(Verb.MODIFIED, pod_key("a"))]),
        Delivery([change(Verb.DELETED, pod_key("a"))]),
    )
    await record(
        source, MemoryLog(), VirtualClock(), report=Heard(), progress=lambda *counts: heard.append(counts)
    )
    assert heard == [(1, 1), (2, 1)]


async def test_a_source_is_closed_when_recording_is_cancelled() -> None:
    closed = asyncio.Event()

    class Endless:
        async def deliveries(self, known: Known) -> AsyncGenerator[Delivery, None]:
            try:
                yield Delivery([change(Verb.ADDED, pod_key("a"))])
                await asyncio.Event().wait()
            finally:
                closed.set()

    task = asyncio.create_task(record(Endless(), MemoryLog(), VirtualClock(), report=Heard()))
    for _ in range(10):
        await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert closed.is_set()


async def test_others_run_while_much_that_was_committed_is_taken_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each event goes through the views of all filters in use: a thousand at once are seconds with some hundred."""
    log = MemoryLog()
    await log.append([change(Verb.ADDED, pod_key(f"p{number}")) for number in range(1000)])
    async with running() as (hub, clock):
        publish, taken = hub.publish, list[int]()

        def slowly(events: Sequence[Event]) -> None:
            publish(events)
            taken.append(len(events))
            clock._now += 0.01

        seen = set[int]()

        async def watch() -> None:
            while hub.state.seq < 1000:
                seen.add(hub.state.seq)
                await asyncio.sleep(0)

        monkeypatch.setattr(hub, "publish", slowly)
        following = asyncio.create_task(follow(log, hub))
        await watch()
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following
    assert (sum(taken), max(taken)) == (1000, 50)
    assert seen == set(range(0, 1000, 50))
