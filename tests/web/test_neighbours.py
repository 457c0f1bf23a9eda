"""A process that serves alone; tests/workers/test_handing.py has several."""

from __future__ import annotations

import asyncio

from aiohttp.test_utils import make_mocked_request

from kstream.web.neighbours import Alone


async def test_who_serves_alone_has_every_timeline_itself() -> None:
    alone = Alone()
    assert not await alone.hand_over(make_mocked_request("GET", "/ws?follow=1.abc"), "1.abc")
    assert alone.prefix == ""
    alone.welcome(asyncio.Protocol)
