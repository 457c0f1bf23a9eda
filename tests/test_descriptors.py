"""Open files: how many clients fit, and what is said when there are none left."""

from __future__ import annotations

import asyncio
import logging
import resource

import pytest

from kstream.clock import VirtualClock
from kstream.descriptors import SPARE, Exhaustion, fitting, open_files, raise_limit, waiting_room
from kstream.processlog.lines import FIELDS


@pytest.mark.parametrize(
    ("limit", "processes", "fit"),
    [
        (1 << 20, 1, 10_000),
        (10_000 + SPARE, 1, 10_000),
        (10_000 + SPARE - 1, 1, 9_999),
        (4096, 1, 4096 - SPARE),
        (4096, 3, 10_000),
        (1024, 2, 2 * (1024 - SPARE)),
        (300, 1, 150),
    ],
)
def test_so_many_clients_fit_and_it_is_said_where_these_are_fewer(
    limit: int, processes: int, fit: int, caplog: pytest.LogCaptureFixture
) -> None:
    assert fitting(10_000, limit=limit, processes=processes) == fit
    told = [getattr(record, FIELDS) for record in caplog.records]
    assert [(said["max_clients"], said["open_files"]) for said in told] == [(fit, limit)] * (fit < 10_000)


@pytest.mark.parametrize(
    ("limit", "clients", "room"),
    [
        (1 << 20, 10_000, 4096),
        (10_000 + SPARE + 4000, 10_000, 4000),
        (10_000 + SPARE + 127, 10_000, 128),
        (400, 200, 100),
        (256, 128, 64),
    ],
)
def test_there_is_room_for_those_who_are_no_clients_and_some_is_left_for_the_log(
    limit: int, clients: int, room: int
) -> None:
    assert waiting_room(clients, limit=limit) == room
    assert limit - clients - room >= min(SPARE // 2, limit // 4)


def test_the_limit_is_raised_as_far_as_it_may_be() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(512, before[1]), before[1]))
        most = raise_limit()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (most, before[1])
        assert most > 512
        assert raise_limit() == open_files() == most, "and stays"
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_that_nothing_can_be_accepted_is_said_once_a_minute_and_what_else_there_is_as_ever(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock, loop = VirtualClock(), asyncio.new_event_loop()
    try:
        exhausted = {
            "message": "socket.accept() out of system resource",
            "exception": OSError(24, "Too many open files"),
        }
        handler = Exhaustion(clock)
        for _ in range(1000):
            handler(loop, exhausted)
        assert [record.message for record in caplog.records] == ["cannot accept connections"]
        assert (
            "Too many open files; no more files can be opened"
            in getattr(caplog.records[0], FIELDS)["message"]
        )
        asyncio.run(clock.advance(60))
        handler(loop, exhausted)
        handler(loop, {"message": "another thing"})
        assert [(record.name, record.levelno, record.message) for record in caplog.records[1:]] == [
            ("kstream.descriptors", logging.ERROR, "cannot accept connections"),
            ("asyncio", logging.ERROR, "another thing"),
        ]
    finally:
        loop.close()
