"""A decoder of server frames as RFC 6455 and RFC 7692 describe them, keeping its window from frame to frame."""

from __future__ import annotations

import json
import struct
import zlib
from typing import Any, NamedTuple

from tests.said import said


class Frame(NamedTuple):
    opcode: int
    compressed: bool
    payload: bytes


class FrameReader:
    def __init__(self, window_bits: int = 15) -> None:
        self._inflater = zlib.decompressobj(-window_bits)
        self._buffer = b""

    def feed(self, data: bytes) -> list[Frame]:
        self._buffer += data
        frames = []
        while len(self._buffer) >= 2:
            first, size = self._buffer[0], self._buffer[1]
            offset = 2
            if size == 126:
                (size,) = struct.unpack_from("!H", self._buffer, 2)
                offset = 4
            elif size == 127:
                (size,) = struct.unpack_from("!Q", self._buffer, 2)
                offset = 10
            if len(self._buffer) < offset + size:
                break
            payload = self._buffer[offset : offset + size]
            self._buffer = self._buffer[offset + size :]
            compressed = bool(first & 0x40)
            if compressed:
                payload = self._inflater.decompress(payload + b"\x00\x00\xff\xff")
            frames.append(Frame(first & 0x0F, compressed, payload))
        return frames

    def messages(self, data: bytes) -> list[dict[str, Any]]:
        """The text messages in `data`, each as the protocol has it."""
        return [said(json.loads(frame.payload)) for frame in self.feed(data) if frame.opcode == 1]
