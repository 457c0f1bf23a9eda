"""DEFLATE: that of ISA-L where it can be had, of zlib elsewhere.

Either reads what the other has written: the compressed bytes are another spelling of the same text. ISA-L is 2 to 4
times faster on what kstream sends, and its output is smaller than zlib's level 1.
"""

from __future__ import annotations

import zlib
from importlib import import_module
from importlib.util import find_spec
from typing import Final, Protocol


class Deflater(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...

    def flush(self, mode: int, /) -> bytes: ...


# Level 6 is 3 times slower than 1 on event batches and saves another 15 %: the CPU is what runs out first.
_LEVEL: Final = 1

_LIBRARY: Final = import_module("isal.isal_zlib" if find_spec("isal") else "zlib")


def deflater(window_bits: int) -> Deflater:
    """A compressor of raw DEFLATE (RFC 1951) with an empty window of 2 ** `window_bits` bytes, 9 to 15."""
    made: Deflater = _LIBRARY.compressobj(_LEVEL, zlib.DEFLATED, -window_bits)
    return made
