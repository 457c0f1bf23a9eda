"""`/metrics` for Prometheus: read from plain counters when someone asks, so that counting costs a flush nothing."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder

from kstream.core.delivery.tally import Distribution, Recording
from kstream.delivery.hub import Hub
from kstream.ports import EventLog

_NUMBER = re.compile(r"\d+")
_REASONS = {
    400: "invalid request",
    403: "origin",
    404: "not found",
    421: "host",
    426: "not a websocket",
    503: "full or not ready",
}


class Visits:
    """What became of requests: counted where it is decided, once for each request."""

    def __init__(self) -> None:
        self.resumes: Counter[str] = Counter()  # "resumed", or why not
        self.refusals: Counter[str] = Counter()
        self.closes: Counter[str] = Counter()  # connections that the server ended, by close code

    def note_resume(self, reason: str | None) -> None:
        """`reason` is why a resume was refused, as the client is told; None when it was not."""
        # Without the numbers: a label must not have a value for each token.
        kind = "resumed" if reason is None else _NUMBER.sub("N", reason.partition(":")[0])
        self.resumes[kind] += 1

    async def note(self, _: web.Request, response: web.StreamResponse) -> None:
        """For `on_response_prepare`: a refusal is any answer of 400 or more."""
        if response.status >= 400:
            self.refusals[_REASONS.get(response.status, str(response.status))] += 1


class Metrics:
    """The handler of `/metrics`, and the collector behind it."""

    def __init__(self, hub: Hub, log: EventLog, recording: Recording, visits: Visits) -> None:
        self._hub = hub
        self._recording = recording
        self._log = log
        self._visits = visits
        path = getattr(log, "path", None)
        self._files = [Path(f"{path}{part}") for part in ("", "-wal")] if isinstance(path, Path) else []
        self._bytes = 0
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    async def handle(self, request: web.Request) -> web.Response:
        if self._files:
            # A disk may hang; then this answer waits, and nothing else.
            self._bytes = await asyncio.to_thread(_bytes_of, self._files)
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(self._registry), headers={"Content-Type": content_type})

    def collect(self) -> Iterator[Metric]:
        """What the registry asks for at each scrape."""
        yield from self._clients()
        yield from self._traffic()
        yield from self._times()
        yield from self._history()

    def _clients(self) -> Iterator[Metric]:
        hub, visits, tally = self._hub, self._visits, self._hub.tally
        yield _gauge("clients", "Clients that are connected.", len(hub))
        yield _gauge(
            "slow_clients", "Clients whose sockets are full; they are skipped until they read.", hub.slow
        )
        yield _labelled("resumes", "Resumes that were asked for, by result.", "result", visits.resumes)
        yield _labelled("refusals", "Requests that were refused, by reason.", "reason", visits.refusals)
        yield _labelled("closes", "Connections that the server ended, by close code.", "code", visits.closes)
        yield _counter("snapshots", "States sent to clients.", tally.snapshots)
        yield _counter("fell_off", "Clients that fell off the window of recent events.", tally.fell_off)
        yield _counter("received_messages", "Messages of clients.", tally.received)
        yield _counter("limited_messages", "Messages of clients dropped by the rate limit.", tally.refused)
        yield _counter(
            "invalid_messages", "Messages of clients that do not follow the protocol.", tally.invalid
        )

    def _traffic(self) -> Iterator[Metric]:
        tally = self._hub.tally
        yield _counter("messages", "Messages sent to clients, of any type.", tally.messages)
        yield _counter("events", "Events sent as messages of their own.", tally.events)
        yield _counter("batches", "Batches sent.", tally.batches)
        yield _counter("coalesced_events", "Events that batches stood for.", tally.batched)
        yield _counter("bucket_waits", "How often a client's events had to wait for its bucket.", tally.waits)
        yield _counter("sent_bytes", "Bytes handed to sockets.", tally.sent_bytes)
        yield _counter(
            "encoded_bytes", "Bytes of event messages, each once for all who share it.", tally.messages_bytes
        )
        yield _counter(
            "framed_bytes", "Bytes of their frames, deflated where negotiated.", tally.frames_bytes
        )
        yield _histogram("batch_events", "Events that a batch stood for.", tally.batch_sizes)

    def _times(self) -> Iterator[Metric]:
        tally, health, recording = self._hub.tally, self._hub.health, self._recording
        yield _histogram("flush_seconds", "Time to send what was published to all.", tally.flushes)
        yield _histogram(
            "commit_seconds", "Time until a delivery of the source was durable.", recording.commits
        )
        yield _histogram("loop_lag_seconds", "How late the event loop was.", tally.loop_lag)
        yield _counter("recorded_events", "Changes of the source that became events.", recording.events)
        yield _counter(
            "suppressed_changes",
            "Changes of the source that changed nothing a client sees.",
            recording.suppressed,
        )
        yield _gauge("source_lag_seconds", "From the last change to its publication.", tally.source_lag)
        yield _gauge(
            "stale",
            "1 while what is shown does not all follow the cluster, or there is nothing to show.",
            int(not health.fresh),
        )
        yield _gauge("faults", "What the source says is wrong.", len(health.faults))

    def _history(self) -> Iterator[Metric]:
        log = self._log
        yield _gauge("log_head", "The number of the last event.", log.head)
        yield _gauge("log_oldest", "The number of the first event that is kept.", log.oldest)
        yield _gauge("log_events", "Events that are kept.", log.head + 1 - log.oldest)
        # Numbers begin at 1 and have no gap: what is missing at the beginning was dropped.
        yield _counter("log_dropped_events", "Events that retention dropped, ever.", log.oldest - 1)
        if self._files:
            yield _gauge("log_bytes", "Bytes of the log's file and its write-ahead log.", self._bytes)
        yield _gauge("objects", "Nodes, pods and namespaces.", len(self._hub.state))


def _bytes_of(files: Sequence[Path]) -> int:
    size = 0
    for file in files:
        with suppress(OSError):
            size += file.stat().st_size
    return size


def _gauge(name: str, help_: str, value: float) -> Metric:
    return GaugeMetricFamily(f"kstream_{name}", help_, value=value)


def _counter(name: str, help_: str, value: float) -> Metric:
    return CounterMetricFamily(f"kstream_{name}", help_, value=value)


def _labelled(name: str, help_: str, label: str, counts: Counter[str]) -> Metric:
    family = CounterMetricFamily(f"kstream_{name}", help_, labels=[label])
    for value, count in sorted(counts.items()):
        family.add_metric([value], count)
    return family


def _histogram(name: str, help_: str, values: Distribution) -> Metric:
    buckets: list[tuple[str, float]] = []
    seen = 0
    for bound, count in zip([*map(str, values.bounds), "+Inf"], values.counts, strict=True):
        seen += count
        buckets.append((bound, seen))
    family: Any = HistogramMetricFamily(f"kstream_{name}", help_)
    family.add_metric([], buckets=buckets, sum_value=values.total)
    metric: Metric = family
    return metric
