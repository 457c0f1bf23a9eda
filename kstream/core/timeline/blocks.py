"""A thousand events in a row, as the index of a log knows them (docs/log-format.md)."""

from __future__ import annotations

import struct
import zlib
from array import array
from collections.abc import Collection, Iterable, Iterator
from itertools import compress, count
from typing import Final, NamedTuple

from kstream.core.timeline.codes import is_added

_FEW: Final = 8  # hashes up to which their bytes are searched for each
_BIG_ENDIAN: Final = struct.pack("=H", 1) == b"\x00\x01"


class Block(NamedTuple):
    """The events up to and with `seq`, after those of the block before."""

    seq: int
    time: float  # of the last one, seconds since the Unix epoch
    uids: bytes  # the hash of each one's uid, four bytes, little-endian
    names: bytes  # the same of the names of those that were added
    codes: bytes  # core/timeline/codes.py
    bad: int  # how many objects are in a bad state after it
    refs: bytes  # the events that last touched these, ascending, written as those of a keyframe

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


def seqs_of(blocks: Iterable[Block], uids: Collection[str], after: int, upto: int) -> list[int]:
    """The events with after < seq <= upto that are of objects with these uids, and perhaps of a few others."""
    wanted = frozenset(map(hashed, uids))
    found: list[int] = []
    for block in blocks:
        if len(wanted) <= _FEW:
            found += sorted(block.first + place for each in wanted for place in places(block.uids, each))
        else:
            found += compress(count(block.first), map(wanted.__contains__, hashes(block.uids)))
    return [seq for seq in found if after < seq <= upto]


def added_as(blocks: Iterable[Block], name: str, upto: int) -> list[int]:
    """The events with seq <= upto that added an object of that name, and perhaps a few others."""
    wanted = hashed(name)
    found: list[int] = []
    for block in blocks:
        if numbers := list(places(block.names, wanted)):
            added = [place for place, code in enumerate(block.codes) if is_added(code)]
            found += (block.first + added[number] for number in numbers)
    return [seq for seq in found if seq <= upto]


def places(packed: bytes, wanted: int) -> Iterator[int]:
    """Where a hash is among others, by number."""
    sought, at = struct.pack("<I", wanted), -1
    while (at := packed.find(sought, at + 1)) >= 0:
        if at % len(sought) == 0:
            yield at // len(sought)
