"""What the HTTP reads answer (PROTOCOL 32) is what OpenAPI says of them, and no field more; so are their parameters."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from jsonschema import Draft202012Validator

from kstream.schemas.document import document
from kstream.web.app import STATIC
from tests.web.serving import Running, serving

DOCUMENT = json.loads(document("openapi", closed=True))
READS = [
    "/api/state?at=seq:3",
    "/api/diff?from=seq:1",
    "/api/events?limit=2",
    "/api/events?labels=app",
    "/api/objects/uid-default-a/history",
    "/api/timeline?buckets=3",
    "/api/when?where=pod.name%20==%20%22a%22",
    "/api/playback",
    "/api/status",
    "/version",
]
REFUSED = ["/api/state?at=noon", "/api/state?at=seq:99", "/api/objects/nobody/history", "/api/when?where="]


def schema_of(path: str, status: int, method: str = "get") -> dict[str, Any]:
    """That of the answer, with all that it refers to."""
    told = DOCUMENT["paths"][path][method]["responses"][str(status)]
    if "$ref" in told:
        told = DOCUMENT["components"]["responses"][told["$ref"].rpartition("/")[2]]
    return {**told["content"]["application/json"]["schema"], "components": DOCUMENT["components"]}


def described(path: str) -> str:
    """The path as it is described."""
    return re.sub(r"^/api/objects/[^/?]+", "/api/objects/{uid}", path).partition("?")[0]


@asynccontextmanager
async def asking() -> AsyncIterator[tuple[Running, aiohttp.ClientSession]]:
    async with serving() as server, aiohttp.ClientSession() as http:
        await server.add_pods("a", "b")
        yield server, http


@pytest.mark.parametrize("path", READS + REFUSED)
async def test_an_answer_is_as_it_is_described(path: str) -> None:
    async with asking() as (server, http), http.get(server.http(path)) as answer:
        body = await answer.json()
        assert (answer.status == 200) is (path in READS)
        schema = schema_of(described(path), answer.status)
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(body)


@pytest.mark.parametrize("path", [path for path in DOCUMENT["paths"] if path.startswith("/api/")])
async def test_the_parameters_are_those_that_are_taken(path: str) -> None:
    parameters = [
        DOCUMENT["components"]["parameters"][each["$ref"].rpartition("/")[2]] if "$ref" in each else each
        for each in DOCUMENT["paths"][path]["get"].get("parameters", ())
    ]
    named = [each["name"] for each in parameters if each["in"] == "query"]
    async with asking() as (server, http):
        address = server.http(path.replace("{uid}", "uid-default-a"))
        async with http.get(address, params={"nonsense": "1", "where": "true"} if named else {}) as answer:
            body = await answer.json()
    if not named:
        assert answer.status == 200
        return
    assert body["error"]["message"] == "There is no such parameter"
    assert set(body["error"]["details"].partition(" takes ")[2].split(", ")) == set(named)


async def test_all_that_is_served_as_json_is_described_and_it_is_served_itself() -> None:
    async with asking() as (server, http), http.get(server.http("/openapi.json")) as answer:
        assert await answer.json() == json.loads((STATIC / "openapi.json").read_text())
        assert answer.content_type == "application/json"
    Draft202012Validator.check_schema({"$defs": DOCUMENT["components"]["schemas"]})
    assert {"/api/state", "/api/when", "/api/playback"} < set(DOCUMENT["paths"])
