"""The capture, served: what a plain list-and-watch client ends with is what the real server had."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from kstream.clock import VirtualClock
from kstream.core.timeline.events import Kind
from simulator.apiserver.feed import Pacing
from simulator.apiserver.recording import parse_recording
from simulator.apiserver.server import FakeApiServer
from simulator.apiserver.store import Store
from simulator.apiserver.table import cells
from tests.recording import STREAMS, WIRE, incident
from tests.simulator.apiserver.making import Client, serving

CAPTURE = (WIRE / "incident.jsonl.gz").read_bytes()
INCIDENT = incident()


def _final(stream: str) -> dict[str, Any]:
    """The fold of what the real server sent on one stream, by uid."""
    state: dict[str, Any] = {}
    for record in INCIDENT:
        if record["stream"] != stream or not record.get("body"):
            continue
        body = json.loads(record["body"])
        if record["event"] == "list":
            state = {item["metadata"]["uid"]: item for item in body["items"]}
        elif body["type"] == "DELETED":
            del state[body["object"]["metadata"]["uid"]]
        elif body["type"] != "BOOKMARK":
            bare = {key: value for key, value in body["object"].items() if key not in ("kind", "apiVersion")}
            state[bare["metadata"]["uid"]] = bare
    return state


async def _follow(client: Client, plural: str, done: asyncio.Event) -> dict[str, Any]:
    """List in pages, then watch again and again from the last version, as every client does."""
    state: dict[str, Any] = {}
    token = ""
    while True:
        page = (await client.ask(f"/api/v1/{plural}?limit=3&continue={token}")).json()
        state |= {item["metadata"]["uid"]: item for item in page["items"]}
        version, token = page["metadata"]["resourceVersion"], page["metadata"].get("continue", "")
        if not token:
            break
    while not done.is_set():
        path = (
            f"/api/v1/{plural}?watch=1&allowWatchBookmarks=true&timeoutSeconds=50&resourceVersion={version}"
        )
        answer = await client.ask(path)
        for line in answer.lines():
            assert line["type"] != "ERROR", line
            content = line["object"]
            version = content["metadata"]["resourceVersion"]
            if line["type"] == "DELETED":
                del state[content["metadata"]["uid"]]
            elif line["type"] != "BOOKMARK":
                state[content["metadata"]["uid"]] = {
                    key: value for key, value in content.items() if key not in ("kind", "apiVersion")
                }
    return state


@pytest.mark.parametrize("speed", [1.0, 20.0, None])
async def test_a_client_that_lists_and_watches_ends_with_the_state_of_the_real_server(
    speed: float | None,
) -> None:
    clock, store = VirtualClock(), Store()
    feed = parse_recording(CAPTURE)
    feed.load(store)
    done = asyncio.Event()

    async def follow_all(client: Client) -> list[dict[str, Any]]:
        return await asyncio.gather(*(_follow(client, plural, done) for plural in STREAMS.values()))

    pacing = Pacing(feed, store, clock, speed=speed)
    async with (
        FakeApiServer(store, clock=clock, pacing=pacing, bookmark_interval=10) as server,
        aiohttp.ClientSession() as session,
    ):
        client = Client(server, session, clock)
        following = asyncio.create_task(follow_all(client))
        while not following.done():
            await clock.advance(1)
            if server.played:
                done.set()
        states = await following
    assert states == [_final(stream) for stream in STREAMS.values()]
    assert sum(request.verb == "watch" for request in server.requests) >= len(Kind)


async def test_every_row_of_a_table_has_the_cells_that_the_real_server_printed() -> None:
    """All but the ages, which hang on the moment."""
    store = Store()
    rows = {}
    for record in INCIDENT:
        if record["stream"] == "pods-table" and record["event"] == "line":
            line = json.loads(record["body"])
            for row in line["object"]["rows"] if line["type"] != "BOOKMARK" else ():
                rows[row["object"]["metadata"].get("resourceVersion")] = row["cells"]
    compared = 0
    for change in parse_recording(CAPTURE).changes:
        store.apply(change)
        metadata = change.object["metadata"]
        entry = store.get(change.kind, metadata.get("namespace", ""), metadata["name"])
        if change.kind is not Kind.POD or entry is None:
            continue
        real = rows[metadata["resourceVersion"]]
        ours = list(cells(Kind.POD, entry, now=change.time))
        assert ours[:3] == real[:3]
        assert ours[5:] == real[5:]
        assert str(ours[3]).split(" ")[0] == str(real[3]).split(" ")[0]
        assert ("ago" in str(ours[3])) == ("ago" in str(real[3])), metadata
        compared += 1
    assert compared > 500


async def test_a_capture_starts_with_its_lists_and_nothing_older_can_be_read() -> None:
    store = Store()
    parse_recording(CAPTURE).load(store)
    async with serving(store) as client:
        page = (await client.get("/api/v1/nodes")).json()
        assert page["metadata"]["resourceVersion"] == "9186"
        assert len(page["items"]) == 5
        old = await client.get("/api/v1/nodes?watch=1&resourceVersion=9000")
        assert old.lines()[0]["object"]["code"] == 410
