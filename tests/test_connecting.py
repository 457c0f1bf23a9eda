"""Why a connection could not be made."""

from __future__ import annotations

import socket

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from kstream.connecting import url_of, why_not


class _Nobody(AbstractResolver):
    """No name is known."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        raise OSError(-2, "Name or service not known")

    async def close(self) -> None:
        return None


async def _failure(url: str) -> Exception:
    connector = aiohttp.TCPConnector(resolver=_Nobody())
    async with aiohttp.ClientSession(connector=connector) as session:
        with pytest.raises(aiohttp.ClientError) as failed:
            await session.get(url)
    return failed.value


async def test_nobody_listens_there() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        failure = await _failure(f"http://127.0.0.1:{held.getsockname()[1]}/")
    assert why_not(failure) == "Connection refused"


async def test_nobody_knows_the_name() -> None:
    failure = await _failure("http://no.such.name/")
    assert why_not(failure) == "The name no.such.name is not known: Name or service not known"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (TimeoutError(), "no answer in time"),
        (OSError(113, "Connect call failed"), "No route to host"),
        (OSError("Multiple exceptions: a, b"), "Multiple exceptions: a, b"),
        (aiohttp.ServerDisconnectedError(), "Server disconnected"),
    ],
)
def test_whatever_else_it_is_is_said_as_it_is(error: Exception, said: str) -> None:
    assert why_not(error) == said


@pytest.mark.parametrize("text", ["https://[]@", "http://[::1", "http://a:99999"])
def test_what_is_no_address_is_one_kind_of_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        url_of(text)
    assert str(url_of("https://k.example:6443")) == "https://k.example:6443"
