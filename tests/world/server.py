"""kstream itself, as `serve --log` composes it, on the played API server and disk; begun and killed at any moment."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from functools import partial

from kstream.clock import time_at
from kstream.core.delivery.filters import Filter
from kstream.core.delivery.limits import Limits
from kstream.core.delivery.session import Close
from kstream.core.delivery.tally import Recording
from kstream.core.errors import InvalidMessageError
from kstream.core.timeline.health import Health, Report
from kstream.core.timeline.retention import Keep
from kstream.delivery.hub import Hub
from kstream.delivery.member import Outlet
from kstream.delivery.timelines import Timelines
from kstream.delivery.viewers import Viewer
from kstream.ports import TrimmableLog
from kstream.retention import Retention
from kstream.run import pass_on
from kstream.service import follow, record
from kstream.sources.kube import KubeSource
from kstream.web.resuming import Resumes, Token
from kstream.web.wishes import wished
from kstream.workers.saying import LINE, line_of
from kstream.workers.telling import Telling
from kstream.workers.worker import Foreman
from tests.world.api import Faults, PlayedApi
from tests.world.cluster import Cluster
from tests.world.disk import Disk
from tests.world.filed import FileDisk
from tests.world.loop import LoopClock


class Serving:
    """What serves clients in one process: a hub on a log, and what goes with it."""

    def __init__(self, disk: Disk, clock: LoopClock, *, limits: Limits) -> None:
        self._disk = disk
        self._clock = clock
        self._limits = limits
        self._tasks: list[asyncio.Task[None]] = []
        self._log: TrimmableLog | None = None
        self.source: KubeSource | None = None
        self.hub: Hub | None = None
        self.resumes: Resumes | None = None
        self.timelines: Timelines | None = None

    async def _serve(self, log: TrimmableLog, watermark: Callable[[], tuple[float, int] | None]) -> Hub:
        self._log = log
        state = await log.state_at(log.head)
        hub = self.hub = Hub(
            epoch=log.epoch,
            term=lambda: log.terms[-1].id,
            source="live",
            state=state,
            health=Health.at_start(log.cluster, recorded=bool(state.seq), fed=True),
            clock=self._clock,
            time=self._clock.time,
            watermark=watermark,
            moment=partial(time_at, self._clock),
            limits=self._limits,
            metrics_interval=10.0,
        )
        self.resumes = Resumes(hub, log)
        self.timelines = Timelines(hub, log, time=self._clock.time, most=3, metrics_interval=10.0)
        self._begin(hub.run(), follow(log, hub))
        return hub

    def _begin(self, *parts: Coroutine[None, None, None]) -> None:
        self._tasks += map(asyncio.get_running_loop().create_task, parts)

    @property
    def failed(self) -> Sequence[BaseException]:
        """What ended a part of it: no part may end."""
        return [
            task.exception() or RuntimeError("it ended")
            for task in self._tasks
            if task.done() and not task.cancelled() and not self._may_end(task)
        ]

    def _may_end(self, task: asyncio.Task[None]) -> bool:
        return False

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
        if self._log is not None:
            await self._bury(self._log)

    async def _bury(self, log: TrimmableLog) -> None:
        await log.close()

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


class Server(Serving):
    """One life of the process that records. `start` it, `kill` it; a new one goes on from the disk."""

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
        super().__init__(disk, clock, limits=limits)
        self._api = PlayedApi(cluster, faults, clock)
        self._seed = seed
        self._keep = keep
        self._telling = Telling(clock, Recording(), self._complete)

    def _complete(self) -> tuple[float, int] | None:
        """Up to when, with which seq, the log is complete."""
        source, log = self.source, self._log
        if source is None or log is None or (heard := source.heard) is None:
            return None
        return heard, log.head

    async def start(self) -> None:
        self.source = KubeSource(self._api, clock=self._clock, rng=random.Random(self._seed))
        log = await self._disk.open(self._clock)
        hub = await self._serve(log, self._complete)
        retention = Retention(log, self._keep, clock=self._clock, time=self._clock.time, warn=lambda _: None)

        def tell(report: Report, *, after: int) -> None:
            hub.report(report, after=after)
            self._telling.report(report, after=after)

        self._begin(
            self._telling.run(),
            record(self.source, log, self._clock, report=tell, retention=retention),
            retention.run(),
        )

    def _may_end(self, task: asyncio.Task[None]) -> bool:
        return task is self._tasks[-1] and self._keep.everything

    async def worker(self) -> Worker:
        """Another process that serves the same log (`--workers`), begun now."""
        worker = Worker(self._disk, self._clock, limits=self._limits)
        lines = asyncio.StreamReader(limit=LINE)
        self._telling.joined(lines, partial(_say, lines))
        await worker.start(lines)
        return worker

    async def _bury(self, log: TrimmableLog) -> None:
        await self._disk.died(log)


class Worker(Serving):
    """Serves what another process records."""

    async def start(self, lines: asyncio.StreamReader) -> None:
        """`lines`: what that process tells it."""
        assert isinstance(self._disk, FileDisk), "workers read a file"
        log = await self._disk.open_read_only(self._clock)
        foreman = Foreman(lines, self._clock, say=lambda _: True, time=None)
        hub = await self._serve(log, foreman.watermark)
        self._begin(pass_on(foreman.reports(), hub))


def _say(lines: asyncio.StreamReader, said: object) -> None:
    line = line_of(said)
    assert line is not None, "what is played is short enough to be heard"
    lines.feed_data(line)
