"""A SOCKS5 proxy as a connector, tried against one that only listens to what it is asked."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from yarl import URL

from kstream.sources.socks import FAILURES, socks_connector


class Proxy:
    """Speaks SOCKS5 up to the request of a connection, then refuses it."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        version, methods = await reader.readexactly(2)
        offered = await reader.readexactly(methods)
        with_login = 2 in offered
        writer.write(bytes([version, 2 if with_login else 0]))
        if with_login:
            _, length = await reader.readexactly(2)
            name = await reader.readexactly(length)
            password = await reader.readexactly((await reader.readexactly(1))[0])
            self.heard += [name, password]
            writer.write(b"\x01\x00")
        _, _, _, kind = await reader.readexactly(4)
        assert kind == 3, "a name, which the proxy is to look up"
        self.heard.append(await reader.readexactly((await reader.readexactly(1))[0]))
        self.heard.append(await reader.readexactly(2))
        writer.write(b"\x05\x02\x00\x01" + bytes(6))  # not allowed by the rules
        await writer.drain()
        writer.close()


@pytest.mark.parametrize(
    ("login", "heard"), [("", []), ("me:se%3Acret@", [b"me", b"se:cret"])], ids=["nobody", "somebody"]
)
async def test_the_proxy_is_told_who_we_are_and_a_name_that_it_looks_up(
    login: str, heard: list[bytes]
) -> None:
    proxy = Proxy()
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        connector = socks_connector(URL(f"socks5://{login}127.0.0.1:{port}"), True)
        async with aiohttp.ClientSession(connector=connector) as session:
            with pytest.raises(FAILURES):
                await session.get("http://kube.test:6443/")
    assert proxy.heard == [*heard, b"kube.test", (6443).to_bytes(2, "big")]
