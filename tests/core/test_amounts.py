"""Spans of time and sizes, as they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kstream.core.amounts import byte_count, seconds, written_span
from kstream.core.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("90s", 90),
        ("1m30s", 90),
        ("2h", 7200),
        ("7d", 604_800),
        ("500ms", 0.5),
        ("1.5m", 90),
        ("12", 12),
        (3, 3),
    ],
)
def test_a_span_is_numbers_with_units_or_a_bare_number(text: str | float, span: float) -> None:
    assert seconds(text) == span


@pytest.mark.parametrize(
    "text", ["", "soon", "1x", "-5s", "1m 30s", "s", "inf", "nan", "1e400", "9" * 400 + "d"]
)
def test_what_is_no_span_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ConfigError, match="is not a span of time: write 90s, 1m30s, 2h or 500ms"):
        seconds(text)


def test_a_bare_number_is_no_written_span() -> None:
    assert written_span("12") is None
    assert written_span("12s") == 12


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("500MB", 500_000_000),
        ("2GiB", 2 * 2**30),
        ("20 mb", 20_000_000),
        ("1.5kB", 1500),
        ("64KiB", 65_536),
        ("500Mi", 500 * 2**20),
        ("1G", 10**9),
        ("1TB", 10**12),
        ("4096", 4096),
        ("10B", 10),
    ],
)
def test_a_size_is_a_number_with_a_unit_or_bytes(text: str, size: int) -> None:
    assert byte_count(text) == size


@pytest.mark.parametrize("text", ["", "big", "MB", "-1MB", "5iB", "5PB", "1e3", "5 5", "5MBs", "9" * 400])
def test_what_is_no_size_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ConfigError, match="is not a size: write 500MB, 2GiB or a number of bytes"):
        byte_count(text)


@given(st.text(max_size=20))
def test_any_text_is_an_amount_or_a_configuration_error(text: str) -> None:
    for parse in (seconds, byte_count):
        try:
            assert parse(text) >= 0
        except ConfigError:
            continue
