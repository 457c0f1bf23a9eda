"""What is inflated of a client's message."""

from __future__ import annotations

import tracemalloc
import zlib

import pytest
from aiohttp import WebSocketError
from aiohttp.compression_utils import ZLibBackend, ZLibDecompressor

from kstream.client import Client
from kstream.core.delivery.limits import MAX_TAKEN
from kstream.web.inflating import MAX_INBOUND, bound_inflating
from tests.web.serving import serving

MOST = MAX_INBOUND + 1  # bytes that aiohttp asks for


def deflated(text: bytes, flush: int = zlib.Z_SYNC_FLUSH) -> bytes:
    deflater = zlib.compressobj(9, wbits=-15)
    return deflater.compress(text) + deflater.flush(flush)


@pytest.fixture
def inflater() -> ZLibDecompressor:
    bound_inflating()
    return ZLibDecompressor(suppress_deflate_header=True)


@pytest.mark.parametrize("size", [0, 1, 1000, MAX_TAKEN - 1, MAX_TAKEN])
def test_what_is_looked_at_is_as_it_was_sent(inflater: ZLibDecompressor, size: int) -> None:
    text = bytes(number % 251 for number in range(size))
    assert inflater.decompress_sync(deflated(text), MOST) == text


@pytest.mark.parametrize("size", [MAX_TAKEN + 1, MAX_TAKEN + 2, 1 << 20, MAX_INBOUND - 1, MAX_INBOUND])
def test_of_what_is_too_long_its_length_is_told_and_the_next_message_is_itself(
    inflater: ZLibDecompressor, size: int
) -> None:
    deflater = zlib.compressobj(9, wbits=-15)
    first = deflater.compress(b"x" * size) + deflater.flush(zlib.Z_SYNC_FLUSH)
    second = deflater.compress(b"another") + deflater.flush(zlib.Z_SYNC_FLUSH)
    assert len(inflater.decompress_sync(first, MOST)) == size
    assert inflater.decompress_sync(second, MOST) == b"another"


@pytest.mark.parametrize("size", [MAX_INBOUND + 1, MAX_INBOUND + 2, 10 * MAX_INBOUND])
def test_past_the_most_the_socket_is_closed(inflater: ZLibDecompressor, size: int) -> None:
    with pytest.raises(WebSocketError, match="exceeds size limit 10485759") as refused:
        inflater.decompress_sync(deflated(b"x" * size), MOST)
    assert refused.value.code == 1009


def test_nothing_is_inflated_that_is_not_looked_at(inflater: ZLibDecompressor) -> None:
    data = deflated(b"x" * MAX_INBOUND)
    tracemalloc.start()
    try:
        told = inflater.decompress_sync(data, MOST)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(told) == MAX_INBOUND
    assert peak - len(told) < 1 << 20, "beside the zeros"


async def test_a_client_in_the_same_process_gets_all_that_it_is_sent() -> None:
    """A state of 65 KiB came as so many zeros."""
    note = "".join(map(str, range(20_000)))
    async with serving() as server:
        await server.add_pods("large", note=note)
        async with Client(server.ws) as client:
            async for message in client.messages():
                if message["type"] == "initial_state":
                    break
    assert [pod.get("nodeName") for pod in client.state.pods.values()] == [None, note]


@pytest.mark.parametrize("most", [0, 100, MAX_INBOUND])
def test_whoever_else_inflates_gets_what_there_is(inflater: ZLibDecompressor, most: int) -> None:
    text = bytes(range(256)) * 1000
    got = inflater.decompress_sync(deflated(text), most)
    assert got == (text if most in (0, MAX_INBOUND) else text[:most])


def test_what_else_zlib_has_is_zlibs() -> None:
    bound_inflating()
    assert (ZLibBackend.MAX_WBITS, ZLibBackend.Z_SYNC_FLUSH) == (zlib.MAX_WBITS, zlib.Z_SYNC_FLUSH)
    assert ZLibBackend.compressobj(9, wbits=-15).compress(b"") == b""
