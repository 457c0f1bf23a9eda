"""A thousand events in a row, as the index of a log knows them (docs/log-format.md): of which objects, and what they did."""

from __future__ import annotations

import struct
import zlib
from array import array
from collections.abc import Sequence
from typing import Final, NamedTuple

_BIG_ENDIAN: Final = struct.pack("=H", 1) == b"\x00\x01"


class Block(NamedTuple):
    """The events up to and with `seq`, after those of the block before."""

    seq: int
    time: float  # of the last one, seconds since the Unix epoch
    uids: bytes  # the hash of each one's uid, four bytes, little-endian
    names: bytes  # the same of the names of those that were added
    codes: bytes  # core/timeline/codes.py
    bad: Sequence[int]  # the events that last touched the objects that are in a bad state after it

    @property
    def first(self) -> int:
        return self.seq + 1 - len(self.codes)


def hashed(text: str) -> int:
    """32 bits: of whatever has the same, the event tells whether it is meant."""
    return zlib.crc32(text.encode(errors="replace"))


def hashes(packed: bytes) -> array[int]:
    """Those of `Block.uids` or `Block.names`."""
    made = array("I")
    made.frombytes(packed)
    if _BIG_ENDIAN:
        made.byteswap()
    return made
