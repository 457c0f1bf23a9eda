"""kstream itself, as `serve --log` composes it, on the played API server and disk; begun and killed at any moment."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial

from kstream.clock import time_at
from kstream.core.delivery.filters import Filter
from kstream.core.delivery.limits import Limits
from kstream.core.delivery.session import Close
from kstream.core.errors import InvalidMessageError
from kstream.core.timeline.health import Health
from kstream.core.timeline.retention import Keep
from kstream.delivery.hub import Hub
from kstream.delivery.member import Outlet
from kstream.delivery.timelines import Timelines
from kstream.delivery.viewers import Viewer
from kstream.retention import Retention
from kstream.service import follow, record
from kstream.sources.kube import KubeSource
from kstream.web.resuming import Resumes, Token
from kstream.web.wishes import wished
from tests.world.api import Faults, PlayedApi
from tests.world.cluster import Cluster
from tests.world.disk import Disk, DiskLog
from tests.world.loop import LoopClock


class Server:
    """One life of the process. `start` it, `kill` it; a new one goes on from the disk."""

    def __init__(
        self,
        cluster: Cluster,
        faults: Faults,
        disk: Disk,
        clock: LoopClock,
        *,
        seed: int,
        limits: Limits,
        keep: Keep,
    ) -> None:
        self._api = PlayedApi(cluster, faults, clock)
        self._disk = disk
        self._clock = clock
        self._seed = seed
        self._limits = limits
        self._keep = keep
        self._tasks: list[asyncio.Task[None]] = []
        self.source: KubeSource | None = None
        self.hub: Hub | None = None
        self.resumes: Resumes | None = None
        self.timelines: Timelines | None = None

    async def start(self) -> None:
        log = await DiskLog.open(self._disk)
        source = self.source = KubeSource(self._api, clock=self._clock, rng=random.Random(self._seed))
        state = await log.state_at(log.head)
        self.hub = Hub(
            epoch=log.epoch,
            term=lambda: log.terms[-1].id,
            source="live",
            state=state,
            health=Health.at_start(log.cluster, recorded=bool(state.seq), fed=True),
            clock=self._clock,
            time=self._clock.time,
            watermark=lambda: None if (heard := source.heard) is None else (heard, log.head),
            moment=partial(time_at, self._clock),
            limits=self._limits,
            metrics_interval=10.0,
        )
        self.resumes = Resumes(self.hub, log)
        self.timelines = Timelines(self.hub, log, time=self._clock.time, most=3, metrics_interval=10.0)
        retention = Retention(log, self._keep, clock=self._clock, time=self._clock.time, warn=lambda _: None)
        create = asyncio.get_running_loop().create_task
        self._tasks = [
            create(self.hub.run()),
            create(follow(log, self.hub)),
            create(record(source, log, self._clock, report=self.hub.report, retention=retention)),
            create(retention.run()),
        ]

    @property
    def failed(self) -> Sequence[BaseException]:
        """What ended a part of it: no part may end."""
        return [
            task.exception() or RuntimeError("it ended")
            for task in self._tasks
            if task.done()
            and not task.cancelled()
            and not (task is self._tasks[-1] and self._keep.everything)
        ]

    async def kill(self) -> None:
        """In the middle of whatever it does. Its clients lose their connections."""
        hub, self.hub, self.resumes = self.hub, None, None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if hub is not None:
            hub.close_all(Close(1001, "killed"))
        if self.timelines is not None:
            await self.timelines.close()

    async def join(
        self, outlet: Outlet, watched: Filter, token: Token | None, bits: int, place: Mapping[str, str]
    ) -> Viewer | None:
        """What `/ws` does with a new connection, to a timeline of its own where `place` says so, and there can be one;
        None when the server is gone before it is done."""
        hub, resumes, timelines = self.hub, self.resumes, self.timelines
        if hub is None or resumes is None or timelines is None:
            return None
        wish = wished(place)
        if "seq" in place:
            there = Token(place["epoch"], place.get("term", ""), int(place["seq"]))
            wish = wish.holding(resumes.vouched(there))
        with suppress(InvalidMessageError):  # as many are elsewhere as may be
            wish = await wish.prepared(timelines, wanted=lambda: self.hub is hub)
        if wish.opened is not None:
            token = None
        async with resumes.turn(token, watched) as held:
            events, reason = await resumes.look(token, watched) if token is not None else ((), None)
            await asyncio.sleep(0.005)
            missed = None
            if token is not None and reason is None:
                missed = await resumes.encode(token, events, watched, bits, held)
            if self.hub is not hub:
                return None
            member = hub.join(outlet, watched, window_bits=bits, resumed=missed is not None, reason=reason)
            if missed is not None:
                resumes.give(member, missed)
        hub.serve(member)
        viewer = Viewer(hub, member)
        with suppress(InvalidMessageError):
            wish.grant(timelines, viewer)
        return viewer
