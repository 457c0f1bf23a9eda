from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from kstream.clock import VirtualClock
from kstream.core.delivery.tally import Recording
from kstream.core.timeline.health import ErrorCode, Fault
from kstream.delivery.hub import Hub
from kstream.logs.memory import MemoryLog
from kstream.web.api import Api
from tests.hubs import running
from tests.making import state_of
from tests.virtual import in_virtual_time
from tests.web.serving import connect, serving
from tests.web.stuck import Stuck
from tests.workshop import Workshop


async def test_the_state_over_http_is_the_message_of_the_socket() -> None:
    async with serving() as server, aiohttp.ClientSession() as http:
        async with http.get(server.http("/api/state")) as response:
            message = await response.json()
        assert (response.status, response.content_type) == (200, "application/json")
        assert (message["type"], message["seq"]) == ("initial_state", 2)
        assert [node["name"] for node in message["data"]["nodes"]] == ["n1"]
        async with http.get(server.http("/api/state?namespaces=other")) as response:
            assert (await response.json())["data"]["pods"] == []
        async with http.get(server.http("/api/state?kinds=nodes&labels=app%3Dweb")) as response:
            data = (await response.json())["data"]
        assert {kind: len(items) for kind, items in data.items()} == {"nodes": 1, "pods": 0, "namespaces": 0}
        for wrong in ("namespaces=A!", "kinds=pod", "labels=%3D"):
            async with http.get(server.http(f"/api/state?{wrong}")) as response:
                assert response.status == 400


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/version", "/api/status"])
async def test_the_small_reads_answer(path: str) -> None:
    async with serving() as server, aiohttp.ClientSession() as http, http.get(server.http(path)) as response:
        assert response.status == 200


async def test_what_is_not_there_is_a_clear_404() -> None:
    async with serving() as server, aiohttp.ClientSession() as http, http.get(server.http("/no")) as response:
        assert response.status == 404
        assert (await response.json())["error"]["code"] == "NOT_FOUND"


async def test_those_who_ask_for_the_state_together_all_get_it() -> None:
    async with serving() as server, aiohttp.ClientSession() as session:

        async def pods() -> int:
            async with session.get(server.http("/api/state")) as answer:
                return len((await answer.json())["data"]["pods"])

        assert await asyncio.gather(*(pods() for _ in range(12))) == [1] * 12


async def test_a_plain_request_of_the_socket_says_how_to_connect() -> None:
    async with serving() as server, aiohttp.ClientSession() as http, http.get(server.http("/ws")) as response:
        assert response.status == 426


async def test_cors_is_for_allowed_origins_only() -> None:
    async with serving(allow_origin=("http://localhost:5173",)) as server, aiohttp.ClientSession() as http:
        for origin, allowed in (("http://localhost:5173", True), ("http://evil.example", False)):
            async with http.get(server.http("/api/state"), headers={"Origin": origin}) as response:
                assert (response.headers.get("Access-Control-Allow-Origin") == origin) is allowed
                assert response.status == (200 if allowed else 403)
        async with http.options(
            server.http("/api/state"), headers={"Origin": "http://localhost:5173"}
        ) as response:
            assert response.status == 204


async def got(path: str, **settings: Any) -> tuple[int, str]:
    async with (
        serving(**settings) as server,
        aiohttp.ClientSession() as http,
        http.get(server.http(path)) as response,
    ):
        return response.status, await response.text()


async def test_what_tells_that_it_serves_says_ok_and_which_version() -> None:
    assert await got("/livez") == (200, "ok\n")
    assert await got("/readyz") == (200, "ok\n")
    status, text = await got("/version")
    assert (status, json.loads(text)) == (
        200,
        {"name": "kstream", "version": version("kstream"), "protocol": 1},
    )


async def more() -> Mapping[str, Any]:
    return {"watches": [1, 2]}


async def test_the_status_is_all_that_is_known_in_numbers() -> None:
    async with serving(status=more) as server, aiohttp.ClientSession() as http:
        await server.add_pods("a")
        await server.log.trim(2)
        async with connect(server.ws) as ws:
            while json.loads(await ws.recv()).get("seq") != 3:
                pass
            async with http.get(server.http("/api/status")) as response:
                body = await response.json()
        assert body == {
            "epoch": "epoch-1",
            "term": server.log.terms[-1].id,
            "seq": 3,
            "protocol": 1,
            "oldest": 2,
            "dropped": 1,
            "source": "replay",
            "cluster": {"name": "unknown", "version": "unknown"},
            "synced": True,
            "stale": False,
            "clients": 1,
            "timelines": 0,
            "recorded": 0,
            "suppressed": 0,
            "faults": [],
            "watches": [1, 2],
        }


@asynccontextmanager
async def api_of(**health: Any) -> AsyncIterator[tuple[Api, Hub]]:
    """The handlers on a hub whose source is as a test says."""
    async with running(state=state_of(3, "x"), **health) as (hub, clock):
        recording = Recording(events=7, suppressed=5)
        yield Api(hub, MemoryLog(), recording, time=clock.time), hub


def request(path: str = "/api/state", **headers: str) -> web.Request:
    return make_mocked_request("GET", path, headers=headers)


@pytest.mark.parametrize(
    ("synced", "stale", "first"),
    [
        (False, False, "there is no state yet"),
        (True, True, "the state is stale: not all of it follows the cluster"),
    ],
)
async def test_a_server_that_is_not_ready_says_why_and_what_is_wrong(
    synced: bool, stale: bool, first: str
) -> None:
    async with api_of(synced=synced, lost=stale) as (api, hub):
        for subject, details in (("cluster", "details"), ("watch pods", "")):
            hub.report(Fault(ErrorCode.CONNECTION_FAILED, "refused", details, subject))
        answer = await api.readyz(request("/readyz"))
        status = json.loads(str((await api.status(request("/api/status"))).text))
    assert answer.status == 503
    assert answer.text == f"{first}\nCONNECTION_FAILED: refused details\nCONNECTION_FAILED: refused\n"
    assert (status["recorded"], status["suppressed"], status["synced"], status["stale"]) == (
        7,
        5,
        synced,
        stale,
    )
    assert status["faults"] == [
        {
            "fault": fault,
            "code": "CONNECTION_FAILED",
            "message": "refused",
            "details": details,
            "stale": False,
        }
        for fault, details in (("cluster", "details"), ("watch pods", ""))
    ]
    assert status["cluster"] == {"name": "test", "version": "v1.36.0"}


async def test_a_state_that_is_not_there_or_not_asked_for_properly_is_refused_as_on_the_socket() -> None:
    async with api_of(synced=False) as (api, _):
        missing = await api.state(request())
        wrong = await api.state(request("/api/state?namespaces=A!"))
    for answer, status, code in ((missing, 503, "CLUSTER_UNREACHABLE"), (wrong, 400, "INVALID_MESSAGE")):
        assert isinstance(answer, web.Response)
        error = json.loads(str(answer.text))["error"]
        assert (answer.status, error["code"]) == (status, code)
        assert error["details"].startswith("namespaces" if status == 400 else "See /readyz")


async def test_states_are_made_two_at_a_time_and_deflated_for_who_takes_that() -> None:
    async with api_of() as (api, _):
        workshop = Workshop()
        tasks = [asyncio.create_task(api.state(request(**{"Accept-Encoding": "gzip"}))) for _ in range(3)]
        for made in range(3):
            for _ in range(20):
                await asyncio.sleep(0)
            assert len(workshop.jobs) == min(2, 3 - made)
            await workshop.work(VirtualClock())
        answers = [await task for task in tasks]
    assert [answer.headers.get("Content-Encoding") for answer in answers] == ["gzip"] * 3
    assert answers[0].content_type == "application/json"


async def test_a_state_over_http_is_whole_however_large_it_is() -> None:
    async with serving() as server, aiohttp.ClientSession() as http:
        await server.add_pods(*(f"large-{n}" for n in range(25)), note="x" * 500_000)
        async with http.get(server.http("/api/state")) as response:
            message = await response.json()
    assert (message["type"], message["seq"], len(message["data"]["pods"])) == ("initial_state", 27, 26)


class Cut(asyncio.Transport):
    """When it was cut off."""

    at = 0.0

    def abort(self) -> None:
        self.at = asyncio.get_running_loop().time()


@pytest.mark.parametrize("gone", [False, True])
def test_who_does_not_read_the_state_within_a_minute_is_cut_off(gone: bool) -> None:
    transport = Cut()

    async def story() -> None:
        async with api_of() as (api, _):
            workshop = Workshop()
            asking = make_mocked_request("GET", "/api/state", writer=Stuck(), transport=transport)
            task = asyncio.create_task(api.state(asking))
            await asyncio.sleep(1)
            await workshop.work(VirtualClock())
            if gone:
                asking.protocol.transport = None
            await task

    in_virtual_time(story())
    assert transport.at == (0.0 if gone else 61.0)
