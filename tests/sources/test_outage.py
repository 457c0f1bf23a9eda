"""After an outage, the server is asked cheaply: nobody waits out a back-off of a minute. All on virtual time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import aiohttp
import pytest

from kstream.core.errors import ConfigError
from kstream.core.timeline.events import Known
from kstream.core.timeline.health import Cleared, ErrorCode, Fault, Lost, Report, Synced
from kstream.sources.kube import KubeSource
from kstream.sources.outage import EVERY, Outage
from tests.world.api import Faults, PlayedApi
from tests.world.cluster import Cluster
from tests.world.loop import LoopClock, VirtualLoop

LONG = 900.0  # seconds, in which every back-off has grown to its ceiling
SOON = 2 * EVERY + 1.5  # a question, its answer, and the second in which all ask at once


class CountedApi(PlayedApi):
    """Counts what it is asked, and may lack a kubeconfig."""

    def __init__(self, faults: Faults) -> None:
        self.clock = LoopClock()
        super().__init__(Cluster(1), faults, self.clock)
        self.asked: list[str] = []
        self.configured = True

    async def connect(self) -> None:
        if not self.configured:
            raise ConfigError("there is no kubeconfig")
        await super().connect()

    async def ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] = {},
        body: Mapping[str, object] | None = None,
    ) -> aiohttp.ClientResponse:
        self.asked.append(path)
        return await super().ask(method, path, query, body)


class Told:
    """What a source reported, and when."""

    def __init__(self, api: CountedApi) -> None:
        self.reports: list[tuple[float, Report]] = []
        self._api = api

    async def run(self) -> None:
        source = KubeSource(self._api, clock=self._api.clock, rng=random.Random(1))
        async for delivery in source.deliveries(Known({}, {})):
            now = self._api.clock.monotonic()
            self.reports += [(now, report) for report in delivery.reports]

    def last(self, kind: type) -> float:
        return max((when for when, report in self.reports if isinstance(report, kind)), default=-1.0)


def play(story: Callable[[CountedApi, Faults, Told], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        faults = Faults()
        api = CountedApi(faults)
        told = Told(api)
        running = asyncio.create_task(told.run())
        try:
            await story(api, faults, told)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    loop = VirtualLoop()
    try:
        loop.run_until_complete(run())
    finally:
        loop.close()


@pytest.mark.parametrize("status", [0, 503])
def test_streams_that_lost_the_server_go_on_as_soon_as_it_answers(status: int) -> None:
    async def story(api: CountedApi, faults: Faults, told: Told) -> None:
        await asyncio.sleep(10)
        assert told.last(Synced) >= 0
        faults.down = not status
        faults.refused[""] = status or 503
        faults.cuts += 1
        faults.change()
        await asyncio.sleep(LONG)
        assert told.last(Lost) > told.last(Synced)
        lists = sum(path.startswith("/api/v1/") for path in api.asked)
        assert 100 < api.asked.count("/readyz") <= LONG / EVERY
        assert lists < 300, "it is not the streams that ask every two seconds"
        faults.clear()
        back = api.clock.monotonic()
        await asyncio.sleep(SOON)
        assert back < told.last(Synced) <= back + SOON
        questions = api.asked.count("/readyz")
        await asyncio.sleep(LONG)
        assert api.asked.count("/readyz") == questions, "all is well: nobody asks"

    play(story)


def test_a_server_that_answers_all_along_is_not_asked_for_more() -> None:
    """Lists fail for a reason of their own: they wait as long as they have to."""

    async def story(api: CountedApi, faults: Faults, told: Told) -> None:
        faults.refused["pods"] = 503
        await asyncio.sleep(LONG)
        assert api.asked.count("/api/v1/pods") < 40
        assert told.last(Cleared) == -1.0

    play(story)


@pytest.mark.parametrize("seconds", [LONG, LONG + 1.0, LONG + 2.5])
def test_a_cluster_that_comes_late_is_found_when_it_comes(seconds: float) -> None:
    async def story(api: CountedApi, faults: Faults, told: Told) -> None:
        faults.down = True
        await asyncio.sleep(seconds)
        assert any(
            isinstance(each, Fault) and each.code is ErrorCode.CONNECTION_FAILED for _, each in told.reports
        )
        faults.clear()
        back = api.clock.monotonic()
        await asyncio.sleep(SOON)
        assert back < told.last(Synced) <= back + SOON

    play(story)


def test_without_a_kubeconfig_there_is_nobody_to_ask() -> None:
    async def story(api: CountedApi, faults: Faults, told: Told) -> None:
        api.configured = False
        await asyncio.sleep(LONG)
        assert api.asked == []
        api.configured = True
        await asyncio.sleep(70)
        assert told.last(Synced) > LONG

    play(story)


def test_a_refusal_is_an_answer_and_silence_is_none() -> None:
    async def story(api: CountedApi, faults: Faults, told: Told) -> None:
        outage = Outage(api, api.clock)
        found = []
        for status in (200, 503, 403, 200, 500, 499):
            faults.refused[""] = status
            found.append(await outage.ended())
        assert found == [False, False, True, False, False, True]
        faults.black_hole = True
        assert not await outage.ended()
        faults.black_hole = False
        faults.change()
        assert await outage.ended()

    play(story)
