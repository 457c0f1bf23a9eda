"""`/metrics` for Prometheus: read from plain counters when someone asks, so that counting costs a flush nothing."""

from __future__ import annotations

import asyncio
import platform
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from aiohttp import web
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from kstream.config import VERSION
from kstream.core.delivery.tally import Recording
from kstream.delivery.hub import Hub
from kstream.ports import EventLog
from kstream.web.accesslog import is_refusal, log_refusal
from kstream.web.api import Status
from kstream.web.measures import Measures, distribution, families

_NUMBER = re.compile(r"\d+")
_REASONS = {
    400: "invalid request",
    403: "origin",
    404: "not found",
    421: "host",
    426: "not a websocket",
    503: "full or not ready",
}
# Of a stream of the source; whatever else it does, what it last told may be old.
_STATES = {"watching": "connected", "denied": "denied"}


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

    async def note(self, request: web.Request, response: web.StreamResponse) -> None:
        """For `on_response_prepare`: a refusal is any answer of 400 or more, but for what a probe is told."""
        if is_refusal(request, response):
            self.refusals[_REASONS.get(response.status, str(response.status))] += 1
            log_refusal(request, response)


class Whole(Protocol):
    """Those who serve behind one port, of whom this process is one."""

    def attach(self, measure: Callable[[], Awaitable[Measures]]) -> None:
        """`measure` is asked for the share of this process."""
        ...

    async def measures(self) -> Measures:
        """Those of all, as far as they can be known."""
        ...


class Metrics:
    """The handler of `/metrics`, and what it measures."""

    def __init__(
        self,
        hub: Hub,
        log: EventLog,
        recording: Recording,
        visits: Visits,
        *,
        status: Status | None = None,
        whole: Whole | None = None,
    ) -> None:
        """`status` knows the streams of the source, `whole` the others where this process is not all that serve."""
        self._hub = hub
        self._recording = recording
        self._log = log
        self._visits = visits
        self._status = status
        self._whole = whole
        path = getattr(log, "path", None)
        self._files = [Path(f"{path}{part}") for part in ("", "-wal")] if isinstance(path, Path) else []
        if whole is not None:
            whole.attach(self.measure)

    async def handle(self, request: web.Request) -> web.Response:
        measures = await (self.measure() if self._whole is None else self._whole.measures())
        status = {} if self._status is None else await self._status()
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Families([*_about(status), *families(measures)]))
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(registry), headers={"Content-Type": content_type})

    async def measure(self) -> Measures:
        """The share of this process."""
        # A disk may hang; then this answer waits, and nothing else.
        seen = await asyncio.to_thread(_seen, self._files)
        return self._clients() | self._traffic() | recorded(self._recording) | self._history() | seen

    def _clients(self) -> Measures:
        hub, visits, tally = self._hub, self._visits, self._hub.tally
        return {
            "kstream_clients": len(hub),
            "kstream_slow_clients": len(hub.slow),
            "kstream_timelines": len(hub.branches),
            "kstream_resumes": dict(visits.resumes),
            "kstream_refusals": dict(visits.refusals),
            "kstream_closes": dict(visits.closes),
            "kstream_snapshots": tally.snapshots,
            "kstream_fell_off": tally.fell_off,
            "kstream_received_messages": tally.received,
            "kstream_limited_messages": tally.refused,
            "kstream_invalid_messages": tally.invalid,
        }

    def _traffic(self) -> Measures:
        tally = self._hub.tally
        return {
            "kstream_messages": tally.messages,
            "kstream_events": tally.events,
            "kstream_batches": tally.batches,
            "kstream_coalesced_events": tally.batched,
            "kstream_bucket_waits": tally.waits,
            "kstream_sent_bytes": tally.sent_bytes,
            "kstream_encoded_bytes": tally.messages_bytes,
            "kstream_framed_bytes": tally.frames_bytes,
            "kstream_batch_events": distribution(tally.batch_sizes),
            "kstream_flush_seconds": distribution(tally.flushes),
            "kstream_loop_lag_seconds": distribution(tally.loop_lag),
            "kstream_source_lag_seconds": tally.source_lag,
        }

    def _history(self) -> Measures:
        log, health = self._log, self._hub.health
        return {
            "kstream_stale": int(not health.fresh),
            "kstream_faults": len(health.faults),
            "kstream_log_head": log.head,
            "kstream_log_oldest": log.oldest,
            "kstream_log_events": log.head + 1 - log.oldest,
            # Numbers begin at 1 and have no gap: what is missing at the beginning was dropped.
            "kstream_log_dropped_events": log.oldest - 1,
            "kstream_objects": len(self._hub.state),
        }


def recorded(recording: Recording) -> Measures:
    """What the process that records has done."""
    return {
        "kstream_recorded_events": recording.events,
        "kstream_suppressed_changes": recording.suppressed,
        "kstream_commit_seconds": distribution(recording.commits),
    }


def process_measures() -> Measures:
    """Of this process, where the system has a /proc. Reads files."""
    found = ProcessCollector(registry=None).collect()
    return {family.name: sample.value for family in found for sample in family.samples}


def _seen(files: Sequence[Path]) -> Measures:
    """What only the system knows."""
    measures = process_measures()
    if files:
        measures["kstream_log_bytes"] = _bytes_of(files)
    return measures


def _bytes_of(files: Sequence[Path]) -> int:
    size = 0
    for file in files:
        with suppress(OSError):
            size += file.stat().st_size
    return size


class _Families(Collector):
    def __init__(self, found: Sequence[Metric]) -> None:
        self._found = found

    def collect(self) -> Iterable[Metric]:
        return self._found


def _about(status: Mapping[str, Any]) -> Iterator[Metric]:
    """What is the same for all: which kstream it is, and how its source does."""
    build = GaugeMetricFamily("kstream_build_info", "Which kstream this is.", labels=["version", "python"])
    build.add_metric([VERSION, platform.python_version()], 1)
    yield build
    streams = Counter(
        (str(each["stream"]).partition("/")[0], each["state"]) for each in status.get("streams", ())
    )
    for what, count in status.get("streams_left_out", {}).items():
        kind, _, state = what.partition(" ")
        streams[kind, state] += count
    if streams:
        counts: Counter[tuple[str, str]] = Counter()
        for (kind, state), count in streams.items():
            counts[kind, _STATES.get(state, "stale")] += count
        family = GaugeMetricFamily(
            "kstream_streams", "Watches of the cluster, by what they are of.", labels=["kind", "state"]
        )
        for kind in sorted({kind for kind, _ in streams}):
            for state in ("connected", "denied", "stale"):
                family.add_metric([kind, state], counts[kind, state])
        yield family
