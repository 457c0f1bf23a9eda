"""Whichever library counts, the checksum is the same number."""

from __future__ import annotations

import zlib

from hypothesis import given
from hypothesis import strategies as st

from kstream.logs.checksum import crc32


@given(st.binary(max_size=3000), st.integers(0, 2**32 - 1))
def test_a_checksum_is_that_of_zlib_and_can_be_continued(data: bytes, start: int) -> None:
    assert crc32(data, start) == zlib.crc32(data, start)
