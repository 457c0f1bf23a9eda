from __future__ import annotations

import asyncio

import aiohttp
import pytest

from tests.web.serving import serving


async def test_the_state_over_http_is_the_message_of_the_socket() -> None:
    async with serving() as server, aiohttp.ClientSession() as http:
        async with http.get(server.http("/api/state")) as response:
            message = await response.json()
        assert (response.status, response.content_type) == (200, "application/json")
        assert (message["type"], message["seq"]) == ("initial_state", 2)
        assert [node["name"] for node in message["data"]["nodes"]] == ["n1"]
        async with http.get(server.http("/api/state?namespaces=other")) as response:
            assert (await response.json())["data"]["pods"] == []
        async with http.get(server.http("/api/state?namespaces=A!")) as response:
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
