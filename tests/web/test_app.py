"""The routes, and what is sent along with every page."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any

import aiohttp
import pytest

from kstream.core.errors import ConfigError, InvalidMessageError
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


@pytest.mark.parametrize(("more", "status"), [(0, 200), (1, 400)])
async def test_an_order_has_64_kib_at_most(more: int, status: int) -> None:
    text = '{"note":""}'
    note = "x" * (2**16 - len(text) + more)
    assert (await ordered(f'{{"note":"{note}"}}'))[0] == status
