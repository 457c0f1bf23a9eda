"""The number of clients is told when it has changed, once a minute at most."""

from __future__ import annotations

import asyncio
import logging

import pytest

from kstream.clock import VirtualClock
from kstream.processlog.clients import log_clients
from kstream.processlog.lines import fields_of


async def test_the_number_of_clients_is_told_when_it_has_changed(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "kstream")
    clock = VirtualClock()
    now = 0
    telling = asyncio.create_task(log_clients(lambda: now, clock))
    for count in (0, 3, 9, 9, 9, 0):
        now = count
        await clock.advance(60.0)
    telling.cancel()
    assert [fields_of(record)["count"] for record in caplog.records] == [3, 9, 0]
