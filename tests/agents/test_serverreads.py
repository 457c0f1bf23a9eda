"""A running server tells an agent what its log file tells; what is no server of ours is told as that."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from kstream.agents.reads import Lived
from kstream.agents.serverreads import ServerReads
from kstream.core.conditions.condition import Condition
from kstream.core.conditions.intervals import Moment
from kstream.core.errors import KstreamError, UnreachableError, UsageError
from kstream.core.timeline.events import Kind
from kstream.core.timeline.reference import Named
from simulator.testing import simulated
from tests.agents.test_reads import bodies, of_log, told


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
                for where in ('pod.status == "Running" && pod.namespace == "shop"', "node.status != 'Ready'"):
                    condition = Condition.parse(where)
                    found = await reads.when(condition, middle, last.seq)
                    assert found == await file.when(condition, middle, last.seq)
                for event in theirs[:5]:
                    key = event.change.key
                    name = Named(key.kind, key.namespace, key.name)
                    for meant in (key.uid, name):
                        lived = await reads.history(meant, middle.seq, last.seq)
                        assert lived == await file.history(meant, middle.seq, last.seq)
                        assert event.seq in {each["seq"] for each in lived.versions}
                    assert await reads.history(name, 0, last.seq) == await file.history(name, 0, last.seq)
                assert await reads.history("nobody/../x", 0, last.seq) == Lived(False, [])
                assert await reads.history(Named(Kind.POD, 's"h', "ü"), 0, last.seq) == Lived(False, [])
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


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/api/status", "<html>"),
        ("/api/status", "[" * 100_000),
        ("/api/status", b'{"cluster": {"name": "\xff"}}'),
        (
            "/api/state",
            '{"seq": 1, "data": {"nodes": [], "pods": [], "namespaces": []}, "timestamp": "noon"}',
        ),
        (
            "/api/state",
            '{"seq": 1, "data": {"nodes": [7], "pods": [], "namespaces": []}, "timestamp": "2026-01-01"}',
        ),
        ("/api/state", "{}"),
        ("/api/events", ""),
        ("/api/events", '{"type": "odd_event"}\n{"type": "end"}'),
        ("/api/objects/u/history", '{"versions": 7}'),
        ("/api/when", '{"intervals": [], "more": 0, "undecided": {"count": 0, "why": ""}, "cursor": "x"}'),
        ("/api/when", '{"intervals": [{}]}'),
    ],
)
async def test_what_is_no_answer_of_ours_is_told_as_that(path: str, answer: str | bytes) -> None:
    app = web.Application()

    async def odd(_: web.Request) -> web.Response:
        return web.Response(body=answer)

    app.router.add_get(path, odd)
    async with aiohttp.ClientSession() as http, TestServer(app) as server:
        reads = ServerReads(http, str(server.make_url("")).rstrip("/"))
        asked: dict[str, Callable[[], Awaitable[object]]] = {
            "/api/status": reads.cluster,
            "/api/state": lambda: _both(reads),
            "/api/events": lambda: told(reads, 0, 2),
            "/api/objects/u/history": lambda: reads.history("u", 0, 2),
            "/api/when": lambda: reads.when(Condition.parse("pod.name == 'a'"), Moment(0, 0.0), 2),
        }
        with pytest.raises(KstreamError, match=f"{path}: that is no answer of kstream") as refused:
            await asked[path]()
        assert len(str(refused.value)) < 500


async def _both(reads: ServerReads) -> None:
    await reads.state(1)
    await reads.moment("seq:1", end=True)


async def test_what_one_answer_does_not_hold_is_asked_for_with_its_cursor() -> None:
    app = web.Application()
    asked: list[str] = []

    async def history(request: web.Request) -> web.Response:
        cursor = request.query["cursor"]
        asked.append(cursor)
        version = {"seq": int(cursor[4:]) + 1, "action": "ADDED" if cursor == "seq:0" else "MODIFIED"}
        goes_on = "seq:1" if cursor == "seq:0" else None
        return web.json_response({"name": "a", "versions": [version], "cursor": goes_on})

    async def when(request: web.Request) -> web.Response:
        start = request.query.get("from") or request.query["cursor"]
        asked.append(start)
        moment = {"seq": int(start[4:]) + 1, "time": "1970-01-01T00:00:01Z"}
        interval = {"kind": "pod", "name": "a", "namespace": "s", "uid": "u", "from": moment, "until": None}
        return web.json_response(
            {
                "intervals": [interval | {"earlier": False}],
                "more": 0,
                "undecided": {"count": 1, "why": "so"},
                "cursor": "seq:1" if start == "seq:0" else None,
            }
        )

    app.router.add_get("/api/objects/u/history", history)
    app.router.add_get("/api/when", when)
    async with aiohttp.ClientSession() as http, TestServer(app) as server:
        reads = ServerReads(http, str(server.make_url("")).rstrip("/"))
        lived = await reads.history("u", 0, 2)
        assert (lived.there_before, [each["seq"] for each in lived.versions]) == (False, [1, 2])
        found = await reads.when(Condition.parse("pod.name == 'a'"), Moment(0, 0.0), 2)
        assert [each.since for each in found.intervals] == [Moment(1, 1.0), Moment(2, 1.0)]
        assert (found.undecided, found.why) == (2, "so")
    assert asked == ["seq:0", "seq:1"] * 2
