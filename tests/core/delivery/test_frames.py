from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kstream.core.delivery.frames import PING, deflated_frame, pong_frame, text_frame, text_header
from tests.frames_reader import FrameReader


@pytest.mark.parametrize("size", [0, 125, 126, 1024, 65535, 65536, 200_000])
def test_the_length_is_written_as_the_rfc_says(size: int) -> None:
    payload = b"x" * size
    (frame,) = FrameReader().feed(text_frame(payload, 0))
    assert frame == (1, False, payload)


def test_only_a_message_of_more_than_1024_bytes_is_compressed() -> None:
    reader = FrameReader()
    assert [frame.compressed for frame in reader.feed(text_frame(b"x" * 1024, 15))] == [False]
    assert [frame.compressed for frame in reader.feed(text_frame(b"x" * 1025, 15))] == [True]


@given(st.lists(st.binary(min_size=1025, max_size=4000), max_size=4), st.integers(9, 15))
def test_a_decoder_that_keeps_its_window_reads_frames_that_each_start_afresh(
    payloads: list[bytes], window_bits: int
) -> None:
    data = b"".join(text_frame(payload, window_bits) for payload in payloads)
    assert [frame.payload for frame in FrameReader(window_bits).feed(data)] == payloads


def test_a_pong_frame_carries_what_the_ping_carried() -> None:
    assert FrameReader().feed(pong_frame(b"hello")) == [(10, False, b"hello")]


@pytest.mark.parametrize(
    ("size", "header"),
    [
        (0, "8100"),
        (125, "817d"),
        (126, "817e007e"),
        (65535, "817effff"),
        (65536, "817f0000000000010000"),
    ],
)
def test_a_header_is_as_short_as_the_size_allows(size: int, header: str) -> None:
    assert text_header(size).hex() == header
    assert text_frame(b"x" * size, 0) == bytes.fromhex(header) + b"x" * size


def test_without_a_negotiated_window_nothing_is_compressed() -> None:
    assert [frame.compressed for frame in FrameReader().feed(text_frame(b"x" * 5000, 0))] == [False]


def test_a_frame_that_comes_in_pieces_is_one_message() -> None:
    (frame,) = FrameReader().feed(deflated_frame([b"pod" * 500, b"", b"node" * 500], 15))
    assert frame == (1, True, b"pod" * 500 + b"node" * 500)


def test_a_ping_is_empty() -> None:
    assert FrameReader().feed(PING) == [(9, False, b"")]
