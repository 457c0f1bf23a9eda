"""RFC 6455 frames, finished: header, and permessage-deflate (RFC 7692) once past the threshold.

A deflated frame starts from a fresh window, so one frame serves every client that negotiated the same window:
a decoder that keeps its window does not mind that nothing refers to it.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable

from kstream.core.delivery.deflate import deflater

DEFLATE_OVER = 1024  # bytes: "Compression: enabled for messages > 1KB"
PING = b"\x89\x00"

_FIN_TEXT = 0x81
_RSV1 = 0x40
_PONG = 0x8A
_TAIL = b"\x00\x00\xff\xff"


def text_frame(payload: bytes, window_bits: int) -> bytes:
    """The frame of a text message. `window_bits` is what was negotiated for deflate, 0 for none."""
    if window_bits and len(payload) > DEFLATE_OVER:
        return deflated_frame((payload,), window_bits)
    return _with_header(_FIN_TEXT, payload)


def text_header(size: int) -> bytes:
    """What comes before the `size` bytes of a text message that is not deflated."""
    return _header(_FIN_TEXT, size)


def deflated_frame(chunks: Iterable[bytes], window_bits: int) -> bytes:
    """The frame of a text message that comes in pieces."""
    deflate = deflater(window_bits)
    payload = b"".join([*map(deflate.compress, chunks), deflate.flush(zlib.Z_SYNC_FLUSH)])
    return _with_header(_FIN_TEXT | _RSV1, payload.removesuffix(_TAIL))


def pong_frame(payload: bytes) -> bytes:
    """The answer to a WebSocket ping (RFC 6455, 5.5.3): the same payload, at most 125 bytes."""
    return _with_header(_PONG, payload)


def _with_header(first: int, payload: bytes) -> bytes:
    return _header(first, len(payload)) + payload


def _header(first: int, size: int) -> bytes:
    if size < 126:
        return b"%c%c" % (first, size)
    if size < 65536:
        return struct.pack("!BBH", first, 126, size)
    return struct.pack("!BBQ", first, 127, size)
