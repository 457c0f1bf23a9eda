"""What of HTTP is worth a line, and what clients do every day without one."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import Mapping
from typing import Any

import aiohttp
import pytest

from kstream.processlog.lines import fields_of
from tests.web.serving import Running, connect, serving

UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: a close is a reset
EVERY_DAY = {
    "an abandoned handshake": UPGRADE,
    "a handshake whose answer nobody reads": UPGRADE + b"\r\n",
    "an order that ends in the middle": b"POST /x HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n{",
    "a file that nobody reads": b"GET /viewer.js HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "another protocol": b"GET / HTTP/9.9\r\n\r\n",
    "a header that is none": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nnonsense\r\n\r\n",
    "bytes that act on a terminal": b"GET /\x1b[2J HTTP/1.1\r\nHost: ev\xc2\x9bil\r\n\r\n",
}


def refused(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [dict(fields_of(record)) for record in caplog.records if record.getMessage() == "refused"]


async def settle(server: Running) -> None:
    """Whatever came before is dealt with: later connections are answered later."""
    async with aiohttp.ClientSession() as http:
        for _ in range(3):
            async with http.get(server.http("/livez"), headers={"Connection": "close"}):
                pass


@pytest.mark.parametrize("ending", ["reset", "end"])
@pytest.mark.parametrize("what", EVERY_DAY)
async def test_what_clients_do_every_day_has_no_traceback(
    what: str, ending: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with serving() as server:
        for _ in range(20):
            _, writer = await asyncio.open_connection("127.0.0.1", server.address.port)
            writer.write(EVERY_DAY[what])
            await writer.drain()
            if ending == "reset":
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            writer.close()
        await settle(server)
    assert [record for record in caplog.records if record.exc_info or record.levelno >= logging.ERROR] == []
    assert all(fields["status"] < 500 for fields in refused(caplog))


async def test_bytes_that_are_no_http_are_one_line_with_who_sent_them(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with serving() as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.address.port)
        writer.write(EVERY_DAY["a header that is none"])
        await reader.read()
        writer.close()
    assert refused(caplog) == [
        {"remote": "127.0.0.1", "status": 400, "reason": "BAD_HTTP", "details": "Invalid header token"}
    ]


@pytest.mark.parametrize(
    ("path", "headers", "line"),
    [
        ("/ws?namespaces=Bad_Name&token=hunter2", {}, {"status": 400, "reason": "INVALID_MESSAGE"}),
        ("/ws", {"Origin": "http://evil.test"}, {"status": 403, "reason": "ORIGIN_NOT_ALLOWED"}),
        ("/ws", {"Host": "evil.test"}, {"status": 421, "reason": "HOST_NOT_ALLOWED"}),
        ("/readyz", {"Host": "evil.test"}, {"status": 421, "reason": "HOST_NOT_ALLOWED"}),
        ("/ws", {}, {"status": 503, "reason": "TOO_MANY_CLIENTS"}),
    ],
)
async def test_a_connection_that_is_refused_is_a_line_with_who_and_why(
    path: str, headers: Mapping[str, str], line: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        serving(max_clients=1) as server,
        connect(server.ws),
        aiohttp.ClientSession() as http,
        http.get(server.http(path), headers=headers) as answer,
    ):
        assert answer.status == line["status"]
    (fields,) = refused(caplog)
    assert fields.items() >= (line | {"remote": "127.0.0.1", "method": "GET"}).items()
    assert fields["path"] == path.partition("?")[0]
    assert fields["details"]
    assert "hunter2" not in caplog.text


async def test_what_is_not_there_and_what_is_answered_is_a_line_for_debugging_only(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "kstream")
    async with serving() as server, aiohttp.ClientSession() as http:
        for path in ("/favicon.ico", "/livez?token=hunter2"):
            async with http.get(server.http(path), headers={"User-Agent": "curl"}):
                pass
        async with connect(server.ws) as client:
            await client.recv()
        await settle(server)
    assert refused(caplog) == []
    requests = [record for record in caplog.records if record.getMessage() == "request"]
    assert {record.levelno for record in requests} == {logging.DEBUG}
    told = {(fields_of(record)["path"], fields_of(record)["status"]) for record in requests}
    assert told >= {("/favicon.ico", 404), ("/livez", 200), ("/ws", 101)}
    assert fields_of(requests[0])["agent"] == "curl"
    assert "hunter2" not in caplog.text
