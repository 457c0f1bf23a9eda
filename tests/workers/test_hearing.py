"""One process hears another, until that one ends."""

from __future__ import annotations

import asyncio
import logging

import pytest

from kstream.processlog.lines import fields_of
from kstream.workers.hearing import heard


def said(data: bytes, *, limit: int = 100) -> asyncio.StreamReader:
    lines = asyncio.StreamReader(limit=limit)
    lines.feed_data(data)
    lines.feed_eof()
    return lines


async def test_one_line_after_the_other_is_heard_to_the_end(caplog: pytest.LogCaptureFixture) -> None:
    lines = said(b'{"a": 1}\n{"b": [2]}\n')
    assert [await heard(lines) for _ in range(3)] == [{"a": 1}, {"b": [2]}, None]
    assert (lines.at_eof(), caplog.records) == (True, [])


@pytest.mark.parametrize("cut", [b'{"b": 2', b'{"b": 2}', b'"'])
async def test_what_is_cut_off_by_the_end_was_not_said(cut: bytes, caplog: pytest.LogCaptureFixture) -> None:
    lines = said(b'{"a": 1}\n' + cut)
    assert [await heard(lines) for _ in range(2)] == [{"a": 1}, None]
    assert (lines.at_eof(), caplog.records) == (True, [])


@pytest.mark.parametrize(
    ("nonsense", "why"),
    [
        (b"[1]\n", "no JSON object"),
        (b"Traceback\n", "Expecting value"),
        (b"\xff\n", "can't decode"),
        (b'{"a": "' + b"x" * 200 + b'"}\n', "limit"),
        (b"[" * 100_000 + b"\n", "recursion"),
    ],
)
async def test_nonsense_is_the_end_and_is_told(
    nonsense: bytes, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    lines = said(
        nonsense + b'{"a": 1}\n',
        limit=1000 if len(nonsense) < 200 else 150 if len(nonsense) < 1000 else 2**20,
    )
    assert await heard(lines) is None
    (line,) = caplog.records
    assert (line.getMessage(), line.levelno) == ("not understood", logging.ERROR)
    assert why in fields_of(line)["message"]
