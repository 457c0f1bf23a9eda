"""What of HTTP is worth a line, and what clients do every day without one."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import struct
from collections.abc import Mapping
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.http import HttpProcessingError
from aiohttp.test_utils import make_mocked_request

from kstream.processlog.lines import fields_of
from kstream.web.accesslog import Refusal, http_logging, is_refusal, log_refusal
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


def said(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str, dict[str, Any]]]:
    """Level, event and fields of each line; all of them are kstream's own."""
    assert {record.name for record in caplog.records} <= {"kstream.web.accesslog"}
    return [(record.levelname, record.getMessage(), dict(fields_of(record))) for record in caplog.records]


def test_a_refusal_is_what_is_answered_and_knows_why() -> None:
    answer = Refusal(426, "UPGRADE_REQUIRED", "No socket", "Connect", {"Upgrade": "websocket"})
    assert (answer.status, answer.content_type, answer.headers["Upgrade"]) == (
        426,
        "application/json",
        "websocket",
    )
    assert json.loads(str(answer.text)) == {
        "error": {"code": "UPGRADE_REQUIRED", "message": "No socket", "details": "Connect"}
    }
    assert (answer.code, answer.why) == ("UPGRADE_REQUIRED", "Connect")
    assert Refusal(400, "INVALID_MESSAGE", "No JSON", "", None).why == "No JSON", "there is no more to say"


@pytest.mark.parametrize(
    ("status", "path", "refusal"),
    [
        (399, "/livez", False),
        (400, "/livez", True),
        (502, "/livez", True),
        (503, "/livez", False),
        (503, "/readyz", False),
        (503, "/ws", True),
        (504, "/readyz", True),
    ],
)
def test_who_asks_for_what_there_is_and_is_told_not_yet_was_not_refused(
    status: int, path: str, refusal: bool
) -> None:
    request = make_mocked_request("GET", path)
    assert is_refusal(request, web.Response(status=status)) is refusal
    request.protocol.transport = None
    assert is_refusal(request, web.Response(status=status)) is False, "it has gone"


@pytest.mark.parametrize(
    ("answer", "reason", "details"),
    [
        (Refusal(400, "INVALID_MESSAGE", "No JSON", "at 7", None), "INVALID_MESSAGE", "at 7"),
        (web.Response(status=405), "Method Not Allowed", ""),
    ],
)
def test_the_line_of_a_refusal_has_who_asked_for_what_and_no_more_of_it_than_can_be_read(
    answer: web.Response, reason: str, details: str, caplog: pytest.LogCaptureFixture
) -> None:
    log_refusal(make_mocked_request("M" * 300, "/" + "x" * 300 + "?token=hunter2"), answer)
    fields = {
        "remote": None,
        "status": answer.status,
        "reason": reason,
        "method": "M" * 200,
        "path": "/" + "x" * 199,
        "details": details,
    }
    assert said(caplog) == [("WARNING", "refused", fields)]


@pytest.mark.parametrize("status", [404, 405])
def test_what_is_not_there_is_no_line(status: int, caplog: pytest.LogCaptureFixture) -> None:
    log_refusal(make_mocked_request("GET", "/favicon.ico"), web.Response(status=status))
    assert len(caplog.records) == (status == 405)


def test_the_line_of_a_request_has_what_it_took_and_how_much_it_got(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "kstream")
    told = http_logging()
    requests = told["access_log_class"](told["access_log"], "")
    request = make_mocked_request("GET", "/livez?token=hunter2", headers={"User-Agent": "a" * 300})
    requests.log(request, web.Response(status=200), 1.23456)
    requests.log(make_mocked_request("GET", "/livez"), web.Response(status=200), 2.0)
    fields = {
        "remote": None,
        "method": "GET",
        "path": "/livez",
        "status": 200,
        "seconds": 1.235,
        "bytes": 0,
        "agent": "a" * 200,
    }
    assert said(caplog) == [
        ("DEBUG", "request", fields),
        ("DEBUG", "request", fields | {"seconds": 2.0, "agent": ""}),
    ]


@pytest.mark.parametrize(("level", "enabled"), [(logging.DEBUG, True), (logging.INFO, False)])
def test_requests_are_told_to_those_who_debug(
    level: int, enabled: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(level, "kstream")
    told = http_logging()
    assert set(told) == {"access_log", "access_log_class", "logger"}
    assert told["access_log_class"](told["access_log"], "").enabled is enabled


@pytest.mark.parametrize("level", ["exception", "debug"])
def test_only_a_defect_is_told_with_where_it_was(level: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "kstream")
    tell = getattr(http_logging()["logger"], level)
    tell("Error handling request from %s", "10.1.2.3", exc_info=ConnectionResetError("gone"))
    tell(
        "Error handling request from %s",
        "10.1.2.3",
        exc_info=HttpProcessingError(code=431, message="Too large:\n\n  x"),
    )
    tell("Error handling request", exc_info=HttpProcessingError(code=400, message=""))
    bad_http = {"reason": "BAD_HTTP", "remote": "10.1.2.3", "status": 431, "details": "Too large"}
    assert said(caplog) == [
        ("DEBUG", "connection lost", {"error": "ConnectionResetError"}),
        ("WARNING", "refused", bad_http),
        (
            "WARNING",
            "refused",
            bad_http | {"remote": None, "status": 400, "details": "HttpProcessingError"},
        ),
    ]
    assert not [record for record in caplog.records if record.exc_info]
    caplog.clear()
    defect = ValueError("a defect")
    tell("Error handling request from %s", "10.1.2.3", exc_info=defect)
    (record,) = caplog.records
    assert record.getMessage() == "Error handling request from 10.1.2.3"
    assert record.levelname == ("ERROR" if level == "exception" else "DEBUG")
    assert record.exc_info is not None
    assert record.exc_info[1] is defect


def test_a_defect_that_is_told_while_it_is_handled_has_its_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    try:
        raise ValueError("a defect")
    except ValueError:
        http_logging()["logger"].exception("Unhandled")
    (record,) = caplog.records
    assert record.exc_info is not None
    assert str(record.exc_info[1]) == "a defect"
