"""A log that is served as an API is played from its control address, by who is on this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from kstream.clock import VirtualClock
from kstream.core.errors import BindError
from simulator.apiserver.control import Control
from simulator.apiserver.recorded import PlayedLog

INCIDENT = Path(__file__).parents[3] / "fixtures" / "incident.db"


@asynccontextmanager
async def controlled() -> AsyncIterator[tuple[PlayedLog, Control, aiohttp.ClientSession]]:
    played = await PlayedLog.open(INCIDENT, VirtualClock(0.0), at="seq:100", speed=1, paused=True)
    try:
        async with Control(played.timeline, port=0) as control, aiohttp.ClientSession() as http:
            yield played, control, http
    finally:
        await played.close()


async def test_the_commands_are_those_of_a_replay() -> None:
    async with controlled() as (played, control, http):
        async with http.get(control.url) as answer:
            told = await answer.json()
        assert (told["type"], told["data"]) == ("playback", played.timeline.playback)
        async with http.post(control.url, json={"action": "play", "speed": 20}) as answer:
            assert ((await answer.json())["data"]["state"], played.lasting(20.0)) == ("playing", 1.0)
        async with http.post(control.url, json={"action": "seek", "at": "+1m"}) as answer:
            assert answer.status == 200
        for wrong in ({"action": "fly"}, {"action": "live"}, {"action": "seek", "at": "seq:540"}):
            async with http.post(control.url, json=wrong) as answer:
                assert (answer.status, (await answer.json())["error"]["code"]) == (400, "INVALID_MESSAGE")


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"Host": "evil.example"}, 421), ({"Origin": "http://evil.example"}, 403), ({"Origin": "null"}, 403)],
)
async def test_pages_of_others_and_names_that_are_not_ours_are_refused(
    headers: dict[str, str], status: int
) -> None:
    async with controlled() as (played, control, http):
        async with http.post(control.url, json={"action": "play"}, headers=headers) as answer:
            assert answer.status == status
            assert "--allow" not in await answer.text(), "there is no such option"
        assert played.ended


async def test_a_port_that_is_taken_is_told() -> None:
    async with controlled() as (played, control, _):
        port = int(control.url.split(":")[2].partition("/")[0])
        with pytest.raises(BindError, match=f"127.0.0.1:{port}.*--control-port"):
            async with Control(played.timeline, port=port):
                pass
