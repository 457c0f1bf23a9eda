"""One process speaks to another, which may not read, and could not hear a line without an end."""

from __future__ import annotations

import asyncio
import json
import os

import pytest

from kstream.workers.saying import LINE, Voice, line_of


def test_what_is_too_long_to_be_heard_is_not_said_and_told(caplog: pytest.LogCaptureFixture) -> None:
    assert line_of({"a": 1}) == b'{"a": 1}\n'
    assert caplog.records == []
    assert line_of({"a": "x" * LINE}) is None
    assert [record.getMessage() for record in caplog.records] == ["too long to tell"]


async def test_nobody_waits_for_one_who_does_not_read_and_what_waits_is_bounded() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", buffering=0) as reader, os.fdopen(writing, "wb") as writer:
        pipe, _ = await asyncio.get_running_loop().connect_write_pipe(asyncio.Protocol, writer)
        voice = Voice(pipe)
        assert voice.say({"host": "here"})
        assert json.loads(reader.read(100)) == {"host": "here"}
        assert not voice.say("x" * LINE)
        said = 0
        while voice.say("x" * 100_000):
            said += 1
        assert 40 <= said <= 50, "four MiB, and what the pipe holds"
        assert pipe.get_write_buffer_size() < 5 << 20
        pipe.abort()
        assert not voice.say("nobody is there any more")
        await asyncio.sleep(0)
