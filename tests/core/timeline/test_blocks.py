"""What a block of the index says of its events."""

from __future__ import annotations

import struct
import zlib

import pytest

from kstream.core.timeline import blocks
from kstream.core.timeline.blocks import Block, added_as, hashed, hashes, places, seqs_of
from kstream.core.timeline.codes import BAD, CODES


def test_a_block_begins_as_many_events_before_its_end_as_it_has_codes() -> None:
    assert Block(7, 0.0, bytes(12), b"", bytes(3), 0, b"").first == 5


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


def block(seq: int, uids: str, codes: bytes, names: str = "") -> Block:
    packed = [struct.pack(f"<{len(texts)}I", *map(hashed, texts)) for texts in (uids, names)]
    return Block(seq, 0.0, packed[0], packed[1], codes, 0, b"")


ADDED, MODIFIED = CODES["pod", "ADDED"], CODES["pod", "MODIFIED"]
TWO = [
    block(4, "abca", bytes([ADDED, ADDED, ADDED, MODIFIED]), "xyx"),
    block(6, "ad", bytes([MODIFIED, ADDED | BAD]), "x"),
]


def test_the_events_of_an_object_are_found_in_their_order() -> None:
    assert seqs_of(TWO, ["a"], 0, 9) == [1, 4, 5]
    assert seqs_of(TWO, ["d", "a"], 1, 5) == [4, 5]
    assert seqs_of(TWO, ["nothing"], 0, 9) == []
    assert seqs_of(TWO, [*"abcd", *"123456789"], 0, 9) == [1, 2, 3, 4, 5, 6]


def test_what_was_added_under_a_name_is_found() -> None:
    assert added_as(TWO, "x", 9) == [1, 3, 6]
    assert added_as(TWO, "y", 9) == [2]
    assert added_as(TWO, "x", 5) == [1, 3]
    assert added_as(TWO, "z", 9) == []


def test_a_hash_is_found_where_one_begins_and_nowhere_else() -> None:
    assert list(places(struct.pack("<3I", 0x01020304, 0x05060708, 0x01020304), 0x01020304)) == [0, 2]
    assert list(places(bytes.fromhex("aa04030201bbccdd"), 0x01020304)) == []
