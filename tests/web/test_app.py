"""The routes, and what is sent along with every page."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from importlib.metadata import version
from io import BytesIO
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from kstream.config import ServeSettings
from kstream.core.delivery.tally import Recording
from kstream.core.delivery.wire import PROTOCOL_VERSION
from kstream.core.errors import ConfigError, InvalidMessageError
from kstream.logs.memory import MemoryLog
from kstream.web.app import CLIENT, STATIC, make_app
from kstream.web.measures import Measures
from kstream.web.seats import OwnSeats
from tests.hubs import running
from tests.web.serving import serving


@pytest.mark.parametrize("path", ["/", "/index.html", "/kstream.js"])
async def test_a_page_comes_with_headers_that_let_it_do_no_more_than_it_has_to(path: str) -> None:
    async with serving() as server, aiohttp.ClientSession() as http, http.get(server.http(path)) as response:
        assert response.status == 200
        assert len(await response.text()) > 1000
        headers = response.headers
    assert headers["Content-Security-Policy"] == (
        "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; "
        "base-uri 'none'; frame-ancestors 'none'; form-action 'none'"
    )
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-cache"


async def test_the_client_has_an_address_of_its_version_whose_answer_is_kept_for_ever() -> None:
    async with serving() as server, aiohttp.ClientSession() as http:
        async with http.get(server.http(CLIENT)) as response:
            kept, pinned = response.headers, await response.text()
        async with http.get(server.http("/kstream.js")) as response:
            assert await response.text() == pinned
    assert f"/kstream-{version('kstream')}.js" == CLIENT
    assert kept["Cache-Control"] == "public, max-age=31536000, immutable"


async def test_a_client_speaks_the_protocol_of_the_server_that_it_is_served_by() -> None:
    spoken = re.search(
        r"^export const PROTOCOL = (\d+);", (STATIC / "kstream.js").read_text("utf-8"), re.MULTILINE
    )
    assert spoken is not None
    assert int(spoken[1]) == PROTOCOL_VERSION


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/no/such"), ("DELETE", "/no"), ("POST", "/api/sim/do")]
)
async def test_what_is_not_there_is_named_with_its_method(method: str, path: str) -> None:
    async with (
        serving() as server,
        aiohttp.ClientSession() as http,
        http.request(method, server.http(path + "x" * 300)) as response,
    ):
        error = (await response.json())["error"]
    assert (response.status, error["code"]) == (404, "NOT_FOUND")
    assert error["details"] == f"{method} {path}{'x' * (200 - len(path))}"


async def test_where_nothing_is_simulated_there_is_nothing_to_control() -> None:
    async with (
        serving() as server,
        aiohttp.ClientSession() as http,
        http.post(server.http("/api/sim/do"), data=b"{}") as response,
    ):
        error = (await response.json())["error"]
    assert (response.status, error["details"]) == (404, "POST /api/sim/do")


async def control(body: dict[str, Any]) -> Mapping[str, Any]:
    if "refuse" in body:
        raise InvalidMessageError("No such action", "action: must be one of")
    if "fail" in body:
        raise ConfigError("It does not work")
    return {"did": body}


async def ordered(data: str) -> tuple[int, Any]:
    async with (
        serving(control=control) as server,
        aiohttp.ClientSession() as http,
        http.post(server.http("/api/sim/do"), data=BytesIO(data.encode())) as response,
    ):
        text = await response.text()
        return response.status, await response.json() if text.startswith("{") else text


async def test_a_simulation_is_told_what_to_do_and_answers() -> None:
    assert await ordered('{"action":"x"}') == (200, {"did": {"action": "x"}})


@pytest.mark.parametrize(
    ("data", "message", "details"),
    [
        ("nonsense", "The body is not JSON", ""),
        ("[1]", "The body is not a JSON object", ""),
        ('{"refuse":1}', "No such action", "action: must be one of"),
        ('{"fail":1}', "It does not work", ""),
    ],
)
async def test_an_order_that_is_none_is_refused_with_why(data: str, message: str, details: str) -> None:
    status, body = await ordered(data)
    assert (status, body) == (
        400,
        {"error": {"code": "INVALID_MESSAGE", "message": message, "details": details}},
    )


async def test_an_order_has_64_kib_at_most() -> None:
    text = '{"note":""}'
    note = "x" * (2**16 - len(text))
    assert await ordered(f'{{"note":"{note}"}}') == (200, {"did": {"note": note}})
    assert await ordered(f'{{"note":"{note}x"}}') == (
        400,
        {
            "error": {
                "code": "INVALID_MESSAGE",
                "message": "The body is too large",
                "details": "65536 bytes is the most",
            }
        },
    )


async def test_an_order_that_is_nested_too_deeply_is_no_json() -> None:
    status, body = await ordered("[" * 60_000)
    assert (status, body["error"]["message"]) == (400, "The body is not JSON")


class Both:
    """What this process and another one have measured."""

    def attach(self, measure: Callable[[], Awaitable[Measures]]) -> None:
        pass

    async def measures(self) -> Measures:
        return {"kstream_clients": 17}


async def test_of_several_who_serve_behind_one_port_each_counts_seats_and_measures_with_the_others() -> None:
    async with running() as (hub, clock):
        app = make_app(
            hub,
            MemoryLog(),
            ServeSettings(max_clients=9),
            recording=Recording(),
            time=clock.time,
            seats=OwnSeats(0),
            whole=Both(),
        )
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        page = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with aiohttp.ClientSession() as http:
            async with http.get(page + "/metrics") as response:
                assert "\nkstream_clients 17.0\n" in await response.text()
            async with http.get(page + "/ws") as response:
                full = (await response.json())["error"]["details"]
        await runner.cleanup()
    assert full == "At most 0 at once (--max-clients)"


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("POST", "/api/state", "GET, HEAD"),
        ("DELETE", "/api/playback", "GET, HEAD, POST"),
        ("PUT", "/api/objects/uid-1/history", "GET, HEAD"),
        ("POST", "/", "GET, HEAD"),
        ("POST", "/ws", "GET, HEAD"),
    ],
)
async def test_another_method_is_answered_with_those_that_there_are(
    method: str, path: str, allow: str
) -> None:
    async with (
        serving() as server,
        aiohttp.ClientSession() as http,
        http.request(method, server.http(path)) as response,
    ):
        error = (await response.json())["error"]
    assert (response.status, error["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert response.headers["Allow"] == allow
    assert error["details"] == f"{method} {path}: use {allow.replace(', ', ' or ')}"
