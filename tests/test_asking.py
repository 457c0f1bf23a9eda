"""One HTTP read of a server: whole or refused, and never larger than whoever asks can take."""

from __future__ import annotations

import aiohttp
import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from kstream.asking import Refusal, ask, refusal, understood
from kstream.core.errors import KstreamError, UnreachableError


async def asked(body: bytes, *, largest: int) -> tuple[int, bytes, dict[str, str]]:
    given: dict[str, str] = {}

    async def answer(request: web.Request) -> web.Response:
        given.update(request.query)
        return web.Response(status=404, body=body)

    app = web.Application()
    app.router.add_get("/api/x", answer)
    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        page = str(server.make_url("")).rstrip("/")
        status, got = await ask(http, page, "/api/x", {"at": "+5s&a"}, largest=largest, seconds=60)
    return status, got, given


async def test_an_answer_is_told_with_its_status_and_what_is_asked_for_arrives() -> None:
    assert await asked(b"abc", largest=3) == (404, b"abc", {"at": "+5s&a"})


async def test_an_answer_that_is_too_large_is_refused() -> None:
    with pytest.raises(KstreamError, match="/api/x: the answer is larger than 0 MB"):
        await asked(b"abcd", largest=3)


async def test_who_is_not_there_is_unreachable() -> None:
    async with aiohttp.ClientSession() as http:
        with pytest.raises(UnreachableError, match="is a server running there"):
            await ask(http, "http://127.0.0.1:1", "/", {}, largest=1, seconds=60)


def test_a_refusal_says_why_and_may_leave_that_out() -> None:
    assert refusal(b'{"error":{"code":"X","message":"No","details":"d"}}') == Refusal("No", "d")
    assert refusal(b"{}") == Refusal()
    with pytest.raises(msgspec.DecodeError):
        refusal(b"<html>")


@pytest.mark.parametrize(
    "error", [ValueError("x"), KeyError("x"), RecursionError("x"), msgspec.DecodeError("x")]
)
def test_what_is_no_answer_is_told_with_its_place(error: Exception) -> None:
    with (
        pytest.raises(KstreamError, match=r"http://a/b: that is no answer of kstream"),
        understood("http://a", "/b"),
    ):
        raise error
