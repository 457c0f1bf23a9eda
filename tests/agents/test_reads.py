"""A log file and a running server tell an agent the same."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from kstream.agents.reads import LogReads, Reads, ServerReads
from kstream.core.errors import KstreamError, LogTrimmedError, UnreachableError, UsageError
from kstream.core.timeline.events import Event
from kstream.core.timeline.state import ClusterState, with_pod_count
from kstream.core.timeline.timepoint import timestamp
from kstream.logs.sqlite import SqliteLog
from simulator.testing import simulated

INCIDENT = Path(__file__).parents[2] / "fixtures" / "incident.db"


@asynccontextmanager
async def of_log(path: Path = INCIDENT, page: str = "") -> AsyncIterator[LogReads]:
    log = await SqliteLog.open_read_only(path)
    try:
        yield LogReads(log, page=page)
    finally:
        await log.close()


async def told(reads: Reads, after: int, upto: int) -> list[Event]:
    return [event async for events in reads.events(after, upto) for event in events]


def bodies(state: ClusterState) -> dict[str, bytes]:
    return {entry.key.uid: entry.body.partition(b',"podCount"')[0] for entry in state}


async def test_a_log_tells_moments_states_and_events() -> None:
    async with of_log() as reads:
        assert await reads.cluster() == "incident"
        first, last = await reads.moment(None, end=False), await reads.moment(None, end=True)
        assert (first.seq, last.seq) == (0, 539)
        assert (await reads.moment("+0s", end=True)).time == first.time
        state = await reads.state(0)
        for event in await told(reads, 0, 539):
            state.apply(event)
        assert bodies(state) == bodies(await reads.state(539))
        with pytest.raises(UsageError, match="the log ends with seq:539"):
            await reads.moment("seq:540", end=True)


async def test_what_retention_has_dropped_is_not_told_as_what_came_later(tmp_path: Path) -> None:
    copy = Path(shutil.copy(INCIDENT, tmp_path / "trimmed.db"))
    async with of_log() as whole:
        dropped, kept = await whole.moment("seq:100", end=True), await whole.moment("seq:400", end=True)
        then = await whole.moment(timestamp(kept.time), end=True)
    log = await SqliteLog.open(copy)
    await log.trim(300)
    await log.close()
    async with of_log(copy) as reads:
        assert await reads.moment(timestamp(kept.time), end=True) == then
        for point in ("seq:100", timestamp(dropped.time)):
            with pytest.raises(LogTrimmedError, match="is no longer kept"):
                await reads.moment(point, end=True)


def test_a_running_server_tells_what_its_log_has(tmp_path: Path) -> None:
    log = tmp_path / "log.db"
    with simulated("tour", at="30s", options=("--log", str(log))) as server:

        async def both() -> None:
            async with aiohttp.ClientSession() as http, of_log(log) as file:
                reads = ServerReads(http, server.page.rstrip("/"))
                assert await reads.cluster() == await file.cluster()
                first, last = await reads.moment(None, end=False), await reads.moment(None, end=True)
                assert first.seq == 0
                middle = await reads.moment(f"seq:{last.seq - 40}", end=True)
                assert middle == await file.moment(f"seq:{last.seq - 40}", end=True)
                assert bodies(await reads.state(middle.seq)) == bodies(await file.state(middle.seq))
                ours, theirs = await told(reads, middle.seq, last.seq), await told(file, middle.seq, last.seq)
                assert [(each.seq, each.change.key, each.change.verb, each.change.body) for each in ours] == [
                    (each.seq, each.change.key, each.change.verb, each.change.body) for each in theirs
                ]
                assert await told(reads, last.seq, last.seq) == []
                with pytest.raises(UsageError, match="That is no point of a timeline"):
                    await reads.moment("yesterday", end=True)

        asyncio.run(both())


async def test_what_is_no_server_of_ours_is_told() -> None:
    async with aiohttp.ClientSession() as http:
        with pytest.raises(UnreachableError, match="is a server running there"):
            await ServerReads(http, "http://127.0.0.1:1").cluster()
        app = web.Application()

        async def odd(_: web.Request) -> web.Response:
            return web.Response(status=502, text="<html>")

        app.router.add_get("/api/status", odd)
        async with TestServer(app) as server:
            with pytest.raises(KstreamError, match="HTTP 502: no answer of kstream"):
                await ServerReads(http, str(server.make_url("")).rstrip("/")).cluster()


async def test_a_server_that_knows_no_cluster_is_called_by_its_address() -> None:
    app = web.Application()

    async def unknown(_: web.Request) -> web.Response:
        return web.json_response({"cluster": None})

    app.router.add_get("/api/status", unknown)
    async with aiohttp.ClientSession() as http, TestServer(app) as server:
        page = str(server.make_url("")).rstrip("/")
        assert await ServerReads(http, page).cluster() == page


def test_counts_of_pods_are_left_out_of_what_is_compared() -> None:
    assert with_pod_count(b'{"name":"a"}', 3).partition(b',"podCount"')[0] == b'{"name":"a"'
