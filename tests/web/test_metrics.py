from __future__ import annotations

import re
from pathlib import Path

import aiohttp
import websockets
from prometheus_client.parser import text_string_to_metric_families

from kstream.core.delivery.tally import Distribution
from tests.web.serving import Running, serving

DOCS = Path(__file__).parents[2] / "docs" / "metrics.md"


async def scrape(server: Running) -> dict[str, float]:
    """Sample name, with its labels, → value."""
    async with aiohttp.ClientSession() as http, http.get(server.http("/metrics")) as response:
        assert response.status == 200
        text = await response.text()
    return {
        sample.name + "".join(f"[{value}]" for value in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_what_clients_got_is_counted_for_each_of_them() -> None:
    async with serving() as server:
        async with websockets.connect(server.ws) as one, websockets.connect(server.ws) as other:
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
            async with websockets.connect(f"{server.ws}?{token}") as client:
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
    documented = set(re.findall(r"`(kstream_\w+)`", DOCS.read_text()))
    async with (
        serving() as server,
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
