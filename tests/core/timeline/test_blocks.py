"""What a block of the index says of its events."""

from __future__ import annotations

import struct
import zlib

import pytest

from kstream.core.timeline import blocks
from kstream.core.timeline.blocks import Block, hashed, hashes


def test_a_block_begins_as_many_events_before_its_end_as_it_has_codes() -> None:
    assert Block(7, 0.0, bytes(12), b"", bytes(3), []).first == 5


def test_a_hash_is_that_of_the_text_and_any_text_has_one() -> None:
    assert hashed("größe") == zlib.crc32("größe".encode())
    assert hashed("\ud800") == hashed("?")


@pytest.mark.parametrize("big_endian", [False, True])
def test_hashes_are_little_endian_wherever_they_are_read(
    monkeypatch: pytest.MonkeyPatch, *, big_endian: bool
) -> None:
    monkeypatch.setattr(blocks, "_BIG_ENDIAN", big_endian)
    packed = struct.pack(">2I" if big_endian else "<2I", 7, 1 << 31)
    assert list(hashes(packed)) == [7, 1 << 31]
