"""What is measured: under which name, of which kind, and how the measures of several processes become those of all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from kstream.core.delivery.tally import SECONDS, SIZES, Distribution

Measures = dict[str, Any]
"""Values by the name of their measure, for JSON: a number; a number by label; or (counts, total) of a histogram."""

Joined = Literal["sum", "max", "min"]


class Measure(NamedTuple):
    name: str  # as Prometheus has it, without `_total`
    help: str
    kind: Literal["counter", "gauge"] | tuple[float, ...] = "counter"  # the bounds of a histogram
    label: str = ""
    joined: Joined = "sum"


MEASURES: Final = (
    Measure("kstream_clients", "Clients that are connected.", "gauge"),
    Measure(
        "kstream_slow_clients", "Clients whose sockets are full; they are skipped until they read.", "gauge"
    ),
    Measure(
        "kstream_timelines",
        "Private timelines: clients that are at another moment, with who follows.",
        "gauge",
    ),
    Measure("kstream_resumes", "Resumes that were asked for, by result.", label="result"),
    Measure("kstream_refusals", "Requests that were refused, by reason.", label="reason"),
    Measure("kstream_closes", "Connections that the server ended, by close code.", label="code"),
    Measure("kstream_snapshots", "States sent to clients."),
    Measure("kstream_fell_off", "Clients that fell off the window of recent events."),
    Measure("kstream_received_messages", "Messages of clients."),
    Measure("kstream_limited_messages", "Messages of clients dropped by the rate limit."),
    Measure("kstream_invalid_messages", "Messages of clients that do not follow the protocol."),
    Measure("kstream_messages", "Messages sent to clients, of any type."),
    Measure("kstream_events", "Events sent as messages of their own."),
    Measure("kstream_batches", "Batches sent."),
    Measure("kstream_coalesced_events", "Events that batches stood for."),
    Measure("kstream_bucket_waits", "How often a client's events had to wait for its bucket."),
    Measure("kstream_sent_bytes", "Bytes handed to sockets."),
    Measure("kstream_encoded_bytes", "Bytes of event messages, each once for all who share it."),
    Measure("kstream_framed_bytes", "Bytes of their frames, deflated where negotiated."),
    Measure("kstream_batch_events", "Events that a batch stood for.", SIZES),
    Measure("kstream_flush_seconds", "Time to send what was published to all.", SECONDS),
    Measure(
        "kstream_commit_seconds", "Time until a delivery of the source was durable.", SECONDS, joined="max"
    ),
    Measure("kstream_loop_lag_seconds", "How late the event loop was.", SECONDS),
    Measure("kstream_recorded_events", "Changes of the source that became events.", joined="max"),
    Measure(
        "kstream_suppressed_changes",
        "Changes of the source that changed nothing a client sees.",
        joined="max",
    ),
    Measure("kstream_source_lag_seconds", "From the last change to its publication.", "gauge", joined="max"),
    Measure(
        "kstream_stale",
        "1 while what is shown does not all follow the cluster, or there is nothing to show.",
        "gauge",
        joined="max",
    ),
    Measure("kstream_faults", "What the source says is wrong.", "gauge", joined="max"),
    Measure("kstream_log_head", "The number of the last event.", "gauge", joined="max"),
    Measure("kstream_log_oldest", "The number of the first event that is kept.", "gauge", joined="max"),
    Measure("kstream_log_events", "Events that are kept.", "gauge", joined="max"),
    Measure("kstream_log_dropped_events", "Events that retention dropped, ever.", joined="max"),
    Measure("kstream_log_bytes", "Bytes of the log's file and its write-ahead log.", "gauge", joined="max"),
    Measure("kstream_objects", "Nodes, pods and namespaces.", "gauge", joined="max"),
    Measure("process_cpu_seconds", "Total user and system CPU time spent in seconds."),
    Measure("process_resident_memory_bytes", "Resident memory size in bytes.", "gauge"),
    Measure("process_virtual_memory_bytes", "Virtual memory size in bytes.", "gauge"),
    Measure("process_open_fds", "Number of open file descriptors.", "gauge"),
    Measure("process_max_fds", "Maximum number of open file descriptors.", "gauge", joined="min"),
    Measure(
        "process_start_time_seconds",
        "Start time of the process since unix epoch in seconds.",
        "gauge",
        joined="min",
    ),
)


def distribution(values: Distribution) -> tuple[Sequence[int], float]:
    """As a value of Measures."""
    return list(values.counts), values.total


def join(each: Sequence[Measures]) -> Measures:
    """Those of all, of those of each process; what only some have is of these."""
    whole: Measures = {}
    for measure in MEASURES:
        values = [measures[measure.name] for measures in each if measure.name in measures]
        if values:
            whole[measure.name] = _joined(measure, values)
    return whole


def counted(measures: Measures) -> Measures:
    """What of the measures of a process that has ended still counts: a counter never goes back."""
    return {
        measure.name: measures[measure.name]
        for measure in MEASURES
        if measure.kind != "gauge" and measure.joined == "sum" and measure.name in measures
    }


def families(measures: Measures) -> Iterator[Metric]:
    """As Prometheus's client writes them."""
    for measure in MEASURES:
        if measure.name in measures:
            yield _family(measure, measures[measure.name])


def _joined(measure: Measure, values: Sequence[Any]) -> Any:
    if measure.label:
        labels = sorted({label for value in values for label in value})
        return {label: sum(value.get(label, 0) for value in values) for label in labels}
    if isinstance(measure.kind, tuple):
        if measure.joined == "max":
            return max(values, key=lambda value: sum(value[0]))
        return [sum(counts) for counts in zip(*(value[0] for value in values), strict=True)], sum(
            value[1] for value in values
        )
    if measure.joined == "sum":
        return sum(values)
    return max(values) if measure.joined == "max" else min(values)


def _family(measure: Measure, value: Any) -> Metric:
    if isinstance(measure.kind, tuple):
        return _histogram(measure, measure.kind, value)
    family_of: Any = GaugeMetricFamily if measure.kind == "gauge" else CounterMetricFamily
    family: Metric
    if not measure.label:
        family = family_of(measure.name, measure.help, value=value)
        return family
    labelled: Mapping[str, float] = value
    family = family_of(measure.name, measure.help, labels=[measure.label])
    for label, count in sorted(labelled.items()):
        family.add_sample(
            f"{measure.name}{'' if measure.kind == 'gauge' else '_total'}", {measure.label: label}, count
        )
    return family


def _histogram(measure: Measure, bounds: tuple[float, ...], value: Any) -> Metric:
    counts, total = value
    buckets: list[tuple[str, float]] = []
    seen = 0
    for bound, count in zip([*map(str, bounds), "+Inf"], counts, strict=True):
        seen += count
        buckets.append((bound, seen))
    family: Any = HistogramMetricFamily(measure.name, measure.help)
    family.add_metric([], buckets=buckets, sum_value=total)
    metric: Metric = family
    return metric
