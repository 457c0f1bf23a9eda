"""What the server itself sends: its handshake, its frames, its compression, and its end of a connection."""

from __future__ import annotations

import base64
import hashlib
import zlib

import pytest

from tests.conformance.case import ping
from tests.conformance.client import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    RawClient,
    ServerFrame,
    closing,
    frame,
    json_of,
)
from tests.web.serving import serving

PLAIN = "permessage-deflate"


async def test_the_answer_to_the_key_is_the_one_of_the_rfc() -> None:
    async with serving() as server:
        client = await RawClient.connect(server.ws, Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZQ==")
        assert client.answer.headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        assert client.answer.headers["upgrade"].lower() == "websocket"
        assert client.answer.headers["connection"].lower() == "upgrade"
        assert "sec-websocket-protocol" not in client.answer.headers
        client.close()


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_WebSocket_Version": "12"},
        {"Sec_WebSocket_Version": None},
        {"Sec_WebSocket_Key": None},
        {"Sec_WebSocket_Key": base64.b64encode(bytes(15)).decode()},
        {"Sec_WebSocket_Key": "?"},
        {"Upgrade": None},
        {"Upgrade": "h2c"},
        {"Connection": "close"},
    ],
)
async def test_a_handshake_that_is_none_is_refused_with_the_version_that_is_spoken(
    headers: dict[str, str | None],
) -> None:
    async with serving() as server:
        client = await RawClient.connect(server.ws, **headers)
        client.close()
    assert client.answer.status == 426
    assert client.answer.headers["sec-websocket-version"] == "13"


async def test_a_subprotocol_is_none_of_ours_and_not_confirmed() -> None:
    async with serving() as server:
        client = await RawClient.connect(server.ws, Sec_WebSocket_Protocol="chat, superchat")
        client.close()
    assert client.answer.status == 101
    assert "sec-websocket-protocol" not in client.answer.headers


async def talk(offer: str, *, pods: int = 40) -> tuple[str, list[ServerFrame]]:
    """All that a client gets which asks a little and goes, and what was negotiated."""
    async with serving() as server:
        # Hashes do not deflate: what is found again lies far behind, further than the small windows reach.
        notes = [hashlib.sha512(b"%d" % (number % 7)).hexdigest() * 2 for number in range(pods)]
        for number, note in enumerate(notes):
            await server.add_pods(f"pod-{number}", note=note)
        client = await RawClient.connect(server.ws, **{"Sec_WebSocket_Extensions": offer} if offer else {})
        found = await client.state()
        await server.add_pods("event", note="y" * 3000)
        found.append(await client.message())
        await client.send([frame(PING, b"x" * 125), frame(TEXT, ping("again"))])
        while not {PONG, TEXT} <= {one.opcode for one in found[3:]}:
            one = await client.frame()
            assert one is not None
            found.append(one)
        await client.send([closing(1000)])
        found += await client.rest()
        client.close()
    return client.answer.headers.get("sec-websocket-extensions", ""), found


@pytest.mark.parametrize("offer", ["", PLAIN])
async def test_no_frame_is_masked_and_control_frames_are_short_and_whole(offer: str) -> None:
    _, found = await talk(offer)
    assert {one.opcode for one in found} == {TEXT, PONG, CLOSE}
    for one in found:
        assert not one.masked
        assert one.fin
        assert one.rsv in (0, 4) if offer and one.opcode == TEXT else one.rsv == 0
        assert one.opcode == TEXT or len(one.payload) <= 125


async def test_only_long_messages_are_deflated_and_only_where_that_was_negotiated() -> None:
    _, plain = await talk("")
    _, deflated = await talk(PLAIN)
    assert {one.rsv for one in plain} == {0}
    assert {one.rsv for one in deflated if one.opcode == TEXT} == {0, 4}
    for one in deflated:
        if one.opcode == TEXT:
            assert bool(one.rsv) == (len(one.text().encode()) > 1024)


@pytest.mark.parametrize("bits", range(9, 16))
async def test_a_window_that_was_asked_for_is_confirmed_and_never_passed(bits: int) -> None:
    negotiated, found = await talk(f"{PLAIN}; server_max_window_bits={bits}")
    expected = f"{PLAIN}; server_max_window_bits={bits}" if bits < 15 else PLAIN
    assert negotiated == expected
    deflated = [one for one in found if one.rsv]
    assert len(deflated) == 2
    kept = zlib.decompressobj(-bits)  # a client that keeps its window from message to message
    for one in deflated:
        # zlib refuses a distance further back than the window; each is read from an empty window too.
        assert kept.decompress(one.payload + b"\x00\x00\xff\xff").decode() == one.text(bits)
        assert one.text(bits).startswith('{"type":')


async def test_a_window_of_256_bytes_is_declined_since_zlib_has_none() -> None:
    negotiated, found = await talk(f"{PLAIN}; server_max_window_bits=8")
    assert negotiated == ""
    assert {one.rsv for one in found} == {0}


@pytest.mark.parametrize(
    ("offer", "negotiated"),
    [
        (f"{PLAIN}; server_no_context_takeover", f"{PLAIN}; server_no_context_takeover"),
        (f"{PLAIN}; client_no_context_takeover", PLAIN),
        *((f"{PLAIN}; client_max_window_bits={bits}", PLAIN) for bits in range(8, 16)),
        (f"{PLAIN}; client_max_window_bits", PLAIN),
        (f"{PLAIN}; server_max_window_bits=8, {PLAIN}", PLAIN),
        (f"x-webkit-deflate-frame, {PLAIN}", PLAIN),
        ("x-webkit-deflate-frame", ""),
        ("x-permessage-deflate", ""),
        (f"{PLAIN}; client_max_window_bits=16", ""),
        (f"{PLAIN}; server_max_window_bits", ""),
        (f"{PLAIN}; server_max_window_bits=09", ""),
        (f"{PLAIN}; server_no_context_takeover; server_no_context_takeover", ""),
        (f"{PLAIN}; what_is_this", ""),
    ],
)
async def test_an_offer_is_taken_or_declined_and_kept_to(offer: str, negotiated: str) -> None:
    answer, found = await talk(offer)
    assert answer == negotiated
    assert any(one.rsv for one in found) == bool(negotiated)


async def test_what_comes_with_a_binary_message_is_not_answered_and_nothing_follows_the_close_frame() -> None:
    async with serving() as server:
        client = await RawClient.connect(server.ws)
        await client.state()
        await client.send([frame(BINARY, b"no") * 3 + frame(TEXT, ping("late")) + frame(PING, b"late")])
        await server.add_pods("unseen")
        *before, last = await client.rest()
        client.close()
    assert (last.opcode, last.close_code) == (CLOSE, 1003)
    assert {json_of(one)["type"] for one in before} <= {"pod_event"}


async def test_a_client_that_closes_gets_its_code_back_and_no_event_behind_it() -> None:
    async with serving() as server:
        client = await RawClient.connect(server.ws)
        await client.state()
        await client.send([closing(4321, b"bye")])
        await server.add_pods("unseen")
        found = await client.rest()
        client.close()
    assert found[-1].close_code == 4321
    assert {json_of(one)["type"] for one in found[:-1]} <= {"pod_event"}


async def test_a_stopping_server_closes_with_1001_and_takes_the_answer() -> None:
    async with serving() as server:
        client = await RawClient.connect(server.ws)
        await client.state()
        stopping = client.frame()
    found = await stopping
    assert found is not None
    assert (found.opcode, found.close_code) == (CLOSE, 1001)
    client.close()
