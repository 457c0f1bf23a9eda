"""Inflate no more of a client's message than is looked at.

A few kilobytes may inflate to ten megabytes, which nobody reads: what is longer than any message needs is refused by
its length (PROTOCOL 22), and past 10 MB closes the socket (PROTOCOL 18). So only the length is kept of it: zeros that
the system mostly gives without taking memory for them, as calloc does.
"""

from __future__ import annotations

import zlib
from typing import Any, Final, cast

import aiohttp
from aiohttp import WSCloseCode
from aiohttp.compression_utils import ZLibBackendProtocol

from kstream.core.delivery.limits import MAX_TAKEN

# Bytes of one client message, inflated; more closes the socket with 1009. No round number: by it our sockets are told
# from those of clients in the same process (ours, in a test), which read at most 10 MiB and want all of it.
MAX_INBOUND: Final = 10 * 2**20 - 1
_LOOKED_AT: Final = MAX_TAKEN + 1  # bytes, by which one that is too long is known
_CHUNK: Final = 1 << 16


def bound_inflating() -> None:
    """From now on, in this process. aiohttp asks for one byte more than it takes where it inflates a message."""
    aiohttp.set_zlib_backend(cast(ZLibBackendProtocol, _Backend()))


class _Backend:
    """zlib, but for that."""

    def decompressobj(self, *given: Any, **named: Any) -> Inflater:
        return Inflater(zlib.decompressobj(*given, **named))

    def __getattr__(self, name: str) -> Any:
        return getattr(zlib, name)


class Inflater:
    """A decompressobj."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def decompress(self, data: Any, max_length: int = 0) -> bytes:
        if max_length != MAX_INBOUND + 1:
            return cast(bytes, self._inner.decompress(data, max_length))
        kept: bytes = self._inner.decompress(data, _LOOKED_AT)
        if len(kept) < _LOOKED_AT:
            return kept
        length = len(kept)
        del kept
        while more := len(self._inner.decompress(self._inner.unconsumed_tail, _CHUNK)):
            length += more
            if length > MAX_INBOUND:
                # As aiohttp does where it has inflated that much.
                raise aiohttp.WebSocketError(
                    WSCloseCode.MESSAGE_TOO_BIG, f"Decompressed message exceeds size limit {MAX_INBOUND}"
                )
        return bytes(length)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)
