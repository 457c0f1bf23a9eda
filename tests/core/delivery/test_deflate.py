"""Whichever library does the work, the other reads what it wrote."""

from __future__ import annotations

import zlib

from hypothesis import given
from hypothesis import strategies as st

from kstream.core.delivery.deflate import deflater

TEXT = st.lists(st.sampled_from([b'{"name":"web-1"}', b"aaaa", b"\x00\xff", b"pod" * 400]), max_size=200)


@given(TEXT, st.integers(9, 15))
def test_zlib_reads_what_was_deflated_with_a_window_of_that_size(parts: list[bytes], bits: int) -> None:
    deflate = deflater(bits)
    packed = b"".join([*map(deflate.compress, parts), deflate.flush(zlib.Z_SYNC_FLUSH)])
    assert zlib.decompressobj(-bits).decompress(packed) == b"".join(parts)
    assert packed.endswith(b"\x00\x00\xff\xff")
