"""What is counted, and under which name it is told."""

from __future__ import annotations

import asyncio
import platform
import re
from collections.abc import Awaitable, Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from prometheus_client.parser import text_string_to_metric_families

from kstream.core.delivery.filters import EVERYTHING
from kstream.core.delivery.tally import Distribution, Recording
from kstream.core.timeline.events import Verb
from kstream.core.timeline.health import ErrorCode, Fault
from kstream.logs.memory import MemoryLog
from kstream.logs.sqlite import SqliteLog
from kstream.web.measures import Measures, families
from kstream.web.metrics import Metrics, Visits
from tests.delivery.sockets import FakeSocket
from tests.hubs import running
from tests.making import change, pod_key, state_of
from tests.web.serving import Running, connect, serving

DOCS = Path(__file__).parents[2] / "docs" / "metrics.md"


async def scrape(server: Running) -> dict[str, float]:
    """Sample name, with its labels, → value."""
    async with aiohttp.ClientSession() as http, http.get(server.http("/metrics")) as response:
        assert response.status == 200
        return samples_in(await response.text())


def samples_in(text: str) -> dict[str, float]:
    return {
        sample.name + "".join(f"[{value}]" for value in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_what_clients_got_is_counted_for_each_of_them() -> None:
    async with serving() as server:
        async with connect(server.ws) as one, connect(server.ws) as other:
            for client in (one, other):
                await client.recv()
                await client.recv()
            await server.add_pods("a", "b", "c")
            for client in (one, other):
                for _ in range(3):
                    await client.recv()
            await one.send('{"type":"ping"}')
            await one.recv()
            await one.send("nonsense")
            await one.recv()
            found = await scrape(server)
        after = await scrape(server)
    assert found["kstream_clients"] == 2
    assert found["kstream_snapshots_total"] == 2
    assert found["kstream_events_total"] == 6
    assert found["kstream_messages_total"] == 2 * 2 + 6 + 2
    assert (found["kstream_received_messages_total"], found["kstream_invalid_messages_total"]) == (2, 1)
    assert found["kstream_sent_bytes_total"] > found["kstream_encoded_bytes_total"] > 300
    assert found["kstream_log_events"] == found["kstream_log_head"] == 5
    assert found["kstream_flush_seconds_count"] >= 1
    assert after["kstream_clients"] == 0


async def test_resumes_and_refusals_are_counted_by_reason() -> None:
    async with serving() as server, aiohttp.ClientSession() as http:
        for token in (server.token(1), "epoch=other&seq=1", server.token(99), "epoch=epoch-1&seq=1"):
            async with connect(f"{server.ws}?{token}") as client:
                await client.recv()
        for headers in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}):
            async with http.get(server.http("/livez"), headers=headers) as response:
                assert response.status >= 400
        found = await scrape(server)
    resumes = {name: value for name, value in found.items() if name.startswith("kstream_resumes_total")}
    assert resumes == {
        "kstream_resumes_total[resumed]": 1,
        "kstream_resumes_total[another epoch]": 1,
        "kstream_resumes_total[another term]": 1,
        "kstream_resumes_total[seq N is ahead of this timeline, which is at N]": 1,
    }
    assert found["kstream_refusals_total[origin]"] == found["kstream_refusals_total[host]"] == 1


async def test_what_retention_dropped_is_counted_and_told() -> None:
    async with serving() as server, aiohttp.ClientSession() as http:
        await server.add_pods("a", "b", "c")
        await server.log.trim(4)
        found = await scrape(server)
        async with http.get(server.http("/api/status")) as response:
            status = await response.json()
    assert (found["kstream_log_oldest"], found["kstream_log_events"]) == (4, 2)
    assert found["kstream_log_dropped_events_total"] == 3
    assert (status["oldest"], status["dropped"]) == (4, 3)


async def test_every_metric_is_documented() -> None:
    documented = set(re.findall(r"`((?:kstream|process)_\w+)`", DOCS.read_text()))

    async def status() -> Mapping[str, Any]:
        return {"streams": [{"stream": "pods", "state": "watching"}]}

    async with (
        serving(status=status) as server,
        aiohttp.ClientSession() as http,
        http.get(server.http("/metrics")) as response,
    ):
        served = {family.name for family in text_string_to_metric_families(await response.text())}
    optional = {"kstream_log_bytes"}  # a log in memory has no file
    assert {name.removesuffix("_total") for name in documented} - optional == served


def test_a_distribution_counts_under_the_bound_that_holds_the_value() -> None:
    values = Distribution((1.0, 2.0))
    for value in (0.5, 1.0, 1.5, 9.0):
        values.add(value)
    values.add(2.0, times=3)
    assert (values.counts, values.total) == ([2, 4, 1], 18.0)


@pytest.mark.parametrize(
    ("status", "counted"),
    [
        (200, {}),
        (399, {}),
        (400, {"invalid request": 1}),
        (403, {"origin": 1}),
        (404, {"not found": 1}),
        (405, {"405": 1}),
        (421, {"host": 1}),
        (426, {"not a websocket": 1}),
        (503, {"full or not ready": 1}),
    ],
)
async def test_a_refusal_is_an_answer_of_400_or_more(status: int, counted: dict[str, int]) -> None:
    visits = Visits()
    await visits.note(make_mocked_request("GET", "/"), web.Response(status=status))
    assert visits.refusals == counted


async def samples_of(metrics: Metrics) -> dict[str, float]:
    """Each sample of kstream's own by its name and labels."""
    return {
        f"{metric.type}:{sample.name}"
        + "".join(f"[{value}]" for value in sample.labels.values()): sample.value
        for metric in families(await metrics.measure())
        for sample in metric.samples
        if metric.name.startswith("kstream_")
    }


async def test_each_count_stands_under_its_name() -> None:
    async with running(state=state_of(3, "x"), lost=True) as (hub, _):
        for name, count in COUNTS.items():
            setattr(hub.tally, name, count)
        hub.tally.source_lag = 2.5
        hub.tally.batch_sizes.add(3.0)
        hub.tally.flushes.add(0.03)
        hub.tally.loop_lag.add(99.0, times=2)
        recording = Recording(events=201, suppressed=202)
        recording.commits.add(0.001)
        recording.commits.add(0.3)
        hub.report(Fault(ErrorCode.CONNECTION_FAILED, "refused", "", "cluster"))
        outlet = FakeSocket()
        outlet.room = 0
        hub.serve(hub.join(outlet, EVERYTHING, window_bits=0))
        hub.join(FakeSocket(), EVERYTHING, window_bits=0)
        visits = Visits()
        visits.note_resume(None)
        visits.note_resume("seq 5 is ahead: of 3")
        visits.closes["1001"] += 4
        visits.refusals["host"] += 5
        log = MemoryLog()
        await log.append([change(Verb.ADDED, pod_key(f"p{n}")) for n in range(10)])
        await log.trim(4)
        found = await samples_of(Metrics(hub, log, recording, visits))
    counters: dict[str, float] = {
        "messages": hub.tally.messages,
        "snapshots": hub.tally.snapshots,
        "fell_off": 102,
        "received_messages": 103,
        "limited_messages": 104,
        "invalid_messages": 105,
        "events": 106,
        "batches": 107,
        "coalesced_events": 108,
        "bucket_waits": 109,
        "encoded_bytes": 110,
        "framed_bytes": 111,
        "sent_bytes": hub.tally.sent_bytes,
        "recorded_events": 201,
        "suppressed_changes": 202,
        "log_dropped_events": 3,
        "resumes[resumed]": 1,
        "resumes[seq N is ahead]": 1,
        "closes[1001]": 4,
        "refusals[host]": 5,
    }
    gauges: dict[str, float] = {
        "clients": 2,
        "slow_clients": 1,
        "timelines": 0,
        "source_lag_seconds": 2.5,
        "stale": 1,
        "faults": 1,
        "log_head": 10,
        "log_oldest": 4,
        "log_events": 7,
        "objects": 3,
    }
    histograms: dict[str, float] = {
        "batch_events_bucket[1.0]": 0,
        "batch_events_bucket[2.0]": 0,
        "batch_events_bucket[5.0]": 1,
        "batch_events_bucket[+Inf]": 1,
        "batch_events_count": 1,
        "batch_events_sum": 3.0,
        "flush_seconds_bucket[0.025]": 0,
        "flush_seconds_bucket[0.05]": 1,
        "flush_seconds_sum": 0.03,
        "loop_lag_seconds_bucket[10.0]": 0,
        "loop_lag_seconds_bucket[+Inf]": 2,
        "loop_lag_seconds_sum": 198.0,
        "commit_seconds_bucket[0.001]": 1,
        "commit_seconds_bucket[0.25]": 1,
        "commit_seconds_bucket[0.5]": 2,
        "commit_seconds_count": 2,
    }
    for name, value in counters.items():
        base, bracket, label = name.partition("[")
        assert found.pop(f"counter:kstream_{base}_total{bracket}{label}") == value, name
    for name, value in gauges.items():
        assert found.pop(f"gauge:kstream_{name}") == value, name
    for name, value in histograms.items():
        assert found.pop(f"histogram:kstream_{name}") == value, name
    assert {name.partition(":")[0] for name in found} == {"histogram"}, "that is all there is"


COUNTS = {
    "snapshots": 101,
    "fell_off": 102,
    "received": 103,
    "refused": 104,
    "invalid": 105,
    "events": 106,
    "batches": 107,
    "batched": 108,
    "waits": 109,
    "messages_bytes": 110,
    "frames_bytes": 111,
}


def sizes(*files: Path) -> int:
    return sum(file.stat().st_size for file in files if file.exists())


async def test_the_bytes_of_a_log_are_those_of_its_file_and_of_what_is_written_ahead(tmp_path: Path) -> None:
    path, ahead = tmp_path / "log.db", tmp_path / "log.db-wal"
    log = await SqliteLog.open(path)
    async with running() as (hub, _):
        metrics = Metrics(hub, log, Recording(), Visits())

        async def told() -> float:
            answer = await metrics.handle(make_mocked_request("GET", "/metrics"))
            assert isinstance(answer.body, bytes)
            return samples_in(answer.body.decode())["kstream_log_bytes"]

        assert await told() == await asyncio.to_thread(sizes, path, ahead) > 0
        await log.close()
        await asyncio.to_thread(path.unlink)
        await asyncio.to_thread(ahead.write_bytes, b"12345")
        assert await told() == 5
        await asyncio.to_thread(ahead.unlink)
        assert await told() == 0


async def test_the_process_and_its_build_are_told_in_the_names_of_prometheus() -> None:
    async with serving() as server:
        found = await scrape(server)
    assert found[f"kstream_build_info[{platform.python_version()}][{version('kstream')}]"] == 1
    for name in ("cpu_seconds_total", "resident_memory_bytes", "open_fds", "start_time_seconds"):
        assert found[f"process_{name}"] > 0
    assert found["process_max_fds"] >= found["process_open_fds"]


async def test_the_streams_of_the_source_are_counted_by_what_they_are_of_and_how_they_do() -> None:
    states = {
        "nodes": "denied",
        "namespaces": "listing",
        "pods/shop": "watching",
        "pods/bank": "watching",
        "pods/mail": "waiting",
    }

    async def status() -> Mapping[str, Any]:
        streams = [{"stream": name, "state": state} for name, state in states.items()]
        return {"streams": streams, "streams_left_out": {"pods watching": 3000, "pods denied": 7}}

    async with serving(status=status) as server:
        found = await scrape(server)
    assert {name: value for name, value in found.items() if name.startswith("kstream_streams")} == {
        "kstream_streams[namespaces][connected]": 0,
        "kstream_streams[namespaces][denied]": 0,
        "kstream_streams[namespaces][stale]": 1,
        "kstream_streams[nodes][connected]": 0,
        "kstream_streams[nodes][denied]": 1,
        "kstream_streams[nodes][stale]": 0,
        "kstream_streams[pods][connected]": 3002,
        "kstream_streams[pods][denied]": 7,
        "kstream_streams[pods][stale]": 1,
    }


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
async def test_a_probe_that_hears_not_yet_is_no_refusal_and_one_that_asks_wrongly_is(path: str) -> None:
    visits = Visits()
    probe = make_mocked_request("GET", path)
    await visits.note(probe, web.Response(status=503))
    assert visits.refusals == {}
    await visits.note(probe, web.Response(status=421))
    assert visits.refusals == {"host": 1}


async def test_metrics_come_in_the_form_that_is_asked_for() -> None:
    async with serving() as server, aiohttp.ClientSession() as http:
        for accept, form in (
            ("text/plain", "text/plain"),
            ("application/openmetrics-text; version=1.0.0", "application/openmetrics-text"),
        ):
            async with http.get(server.http("/metrics"), headers={"Accept": accept}) as response:
                assert response.headers["Content-Type"].startswith(form)
                assert (b"# EOF" in await response.read()) is (form != "text/plain")


async def lines_of(metrics: Metrics) -> list[str]:
    """What is answered, without what it says of itself."""
    answer = await metrics.handle(make_mocked_request("GET", "/metrics"))
    assert isinstance(answer.body, bytes)
    return [line for line in answer.body.decode().splitlines() if not line.startswith("#")]


class Two:
    """This process and another one that has three clients."""

    measure: Callable[[], Awaitable[Measures]]

    def attach(self, measure: Callable[[], Awaitable[Measures]]) -> None:
        self.measure = measure

    async def measures(self) -> Measures:
        mine = await self.measure()
        return {"kstream_clients": mine["kstream_clients"] + 3, "kstream_closes": {"1001": 4}}


async def test_of_several_processes_all_are_told_and_each_gives_its_share() -> None:
    async def status() -> Mapping[str, Any]:
        return {"streams": [{"stream": "pods/shop", "state": "watching"}]}

    async with running() as (hub, _):
        hub.join(FakeSocket(), EVERYTHING, window_bits=0)
        log, recording, visits = MemoryLog(), Recording(), Visits()
        several = await lines_of(Metrics(hub, log, recording, visits, status=status, whole=Two()))
        alone = await lines_of(Metrics(hub, log, recording, visits))
    build = f'kstream_build_info{{python="{platform.python_version()}",version="{version("kstream")}"}} 1.0'
    assert several == [
        build,
        'kstream_streams{kind="pods",state="connected"} 1.0',
        'kstream_streams{kind="pods",state="denied"} 0.0',
        'kstream_streams{kind="pods",state="stale"} 0.0',
        "kstream_clients 4.0",
        'kstream_closes_total{code="1001"} 4.0',
    ]
    assert alone[:2] == [build, "kstream_clients 1.0"]


async def test_a_source_without_streams_is_told_without_them() -> None:
    async def status() -> Mapping[str, Any]:
        return {}

    async with running() as (hub, _):
        answer = await Metrics(hub, MemoryLog(), Recording(), Visits(), status=status).handle(
            make_mocked_request("GET", "/metrics")
        )
    assert isinstance(answer.body, bytes)
    assert b"kstream_build_info" in answer.body
    assert b"kstream_streams" not in answer.body
