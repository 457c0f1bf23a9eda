"""The recorded incident, replayed through the whole server: every client ends with what the API server had."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from kstream.client import Client
from kstream.clock import SystemClock
from kstream.config import ServeSettings
from kstream.core.timeline.events import Kind, Verb
from kstream.logs.replay import ReplayLog
from kstream.logs.sqlite import SqliteLog
from kstream.run import Address, replay_of, run
from tests.recording import SECRET, cells, incident

LOG = Path(__file__).parents[1] / "fixtures" / "incident.db"


def final_pods() -> dict[str, str]:
    """uid → STATUS of the pods that the API server had at the end, in its own words."""
    versions: dict[str, str] = {}
    for record in incident():
        if record["stream"] == "pods" and record["event"] == "line":
            line = json.loads(record["body"])
            metadata = line["object"]["metadata"]
            if line["type"] == Verb.DELETED:
                versions.pop(metadata["uid"], None)
            elif line["type"] in (Verb.ADDED, Verb.MODIFIED):
                versions[metadata["uid"]] = metadata["resourceVersion"]
    status = cells()
    return {uid: status[uid, version].status for uid, version in versions.items()}


@asynccontextmanager
async def replaying() -> AsyncIterator[Address]:
    clock = SystemClock()
    recording = await SqliteLog.open_read_only(LOG)
    timeline = await ReplayLog.open(recording, clock, speed="max")
    server = replay_of(timeline, clock, ServeSettings(port=0))
    listening: asyncio.Future[Address] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    task = asyncio.create_task(run(server, ready=listening.set_result, stop=stop))
    await asyncio.wait((task, listening), return_when=asyncio.FIRST_COMPLETED)
    try:
        yield await listening
    finally:
        stop.set()
        await task
        await timeline.close()
        await recording.close()


async def watch(address: Address, head: int) -> dict[str, Any]:
    async with Client(address.websocket) as client:
        async for _ in client.messages():
            if (client.state.seq or 0) >= head:
                break
        return {pod["uid"]: pod for pod in client.state.pods.values()}


async def test_replayed_at_full_speed_every_client_ends_with_what_the_api_server_had() -> None:
    recording = await SqliteLog.open_read_only(LOG)
    head = recording.head
    await recording.close()
    async with replaying() as address:
        seen = await asyncio.gather(*(watch(address, head) for _ in range(5)))
    expected = final_pods()
    assert expected, "the incident ends with pods"
    for pods in seen:
        assert {uid: pod["status"] for uid, pod in pods.items()} == expected


async def test_the_recording_tells_the_incident_and_no_secret() -> None:
    recording = await SqliteLog.open_read_only(LOG)
    events = await recording.read(0, recording.head)
    state = await recording.state_at(recording.head)
    await recording.close()
    told = {json.loads(event.change.body).get("status") for event in events}
    assert {"CrashLoopBackOff", "OOMKilled", "ImagePullBackOff", "Terminating", "NotReady"} <= told
    assert not any(SECRET.encode() in event.change.body for event in events)
    assert len(list(state.entries(Kind.NODE))) == 4
    assert recording.cluster is not None
    assert recording.cluster.name == "incident"


async def test_what_is_made_in_the_recording_is_made_when_its_event_says_so() -> None:
    """Ages are right in a replay: an object is as old as it was."""
    recording = await SqliteLog.open_read_only(LOG)
    events = await recording.read(0, recording.head)
    await recording.close()
    first = events[0].change.time
    ages = [
        event.change.time - datetime.fromisoformat(made).timestamp()
        for event in events
        if event.change.verb is Verb.ADDED and event.change.time > first + 5
        if (made := json.loads(event.change.body).get("creationTimestamp"))
    ]
    assert len(ages) > 20
    assert all(-0.1 <= age <= 1.2 for age in ages), (
        "the second in which it was made, and the way of the event"
    )
