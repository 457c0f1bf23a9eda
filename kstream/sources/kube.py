"""A live cluster as a Source: many streams, one sequence of deliveries."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncGenerator, Coroutine, Sequence
from typing import Final, NamedTuple

from kstream.core.errors import ConfigError
from kstream.core.timeline.events import Delivery, Known, WatchEvent
from kstream.core.timeline.health import Cleared, ClusterInfo, ErrorCode, Fault, Identified, Report
from kstream.core.watching.backoff import Backoff, Randomness
from kstream.core.watching.completeness import NEVER
from kstream.core.watching.reflection import Freshness
from kstream.core.watching.touch import Touch
from kstream.ports import Clock
from kstream.sources.apiserver import ApiServer, UnverifiedError
from kstream.sources.identity import Identity, UnidentifiedError, identify
from kstream.sources.merge import Merge
from kstream.sources.outage import Outage
from kstream.sources.streams import Streams

GROUP: Final = 1000  # events in a delivery, about
WAITING: Final = 32  # outputs of streams that wait to be delivered
_LAGS: Final = 10_000  # streams of which it is kept: those of namespaces come and go
_KUBECONFIG: Final = "kubeconfig"


class _Item(NamedTuple):
    stream: str
    delivery: Delivery
    arrived: float  # monotonic


class KubeSource:
    """Nodes, pods and namespaces of the cluster behind `api`, which it closes. To be iterated once."""

    def __init__(self, api: ApiServer, *, clock: Clock, rng: Randomness) -> None:
        self._clock = clock
        self._rng = rng
        self._api = api
        self._touch = Touch()
        self._merge: Merge[_Item] = Merge(WAITING)
        self._streams: Streams | None = None
        self._lags: dict[str, float] = {}
        # Of each item of a stream that is not committed: up to when the stream was complete before it.
        self._uncommitted: defaultdict[str, deque[float]] = defaultdict(deque)
        self._misconfigured = False
        self._cluster = ClusterInfo("", "")  # whose state this is

    @property
    def streams(self) -> Sequence[Freshness]:
        """How fresh each stream is, now; none before the cluster was reached."""
        if self._streams is None:
            return []
        return [each._replace(lag=self._lags.get(each.stream, 0.0)) for each in self._streams.freshness()]

    @property
    def heard(self) -> float | None:
        """Up to when all that the cluster told is committed, monotonic seconds: the earliest over what is watched
        (PROTOCOL 29). None before that is known."""
        if self._streams is None:
            return None
        each = self._streams.complete_until()
        until = [
            waiting[0] if (waiting := self._uncommitted.get(stream)) else complete
            for stream, complete in each.items()
        ]
        earliest = min(until, default=NEVER)
        return None if earliest == NEVER else earliest

    async def deliveries(self, known: Known) -> AsyncGenerator[Delivery, None]:
        """See ports.Source. Close the generator to let go of the cluster."""
        running = asyncio.create_task(self._run(known), name="cluster")
        try:
            while True:
                items = await self._next(running)
                yield _joined(items)
                committed = self._clock.monotonic()
                for item in items:
                    self._uncommitted[item.stream].popleft()
                    if not self._uncommitted[item.stream]:
                        del self._uncommitted[item.stream]
                self._lags.update({item.stream: committed - item.arrived for item in reversed(items)})
                while len(self._lags) > _LAGS:
                    del self._lags[next(iter(self._lags))]
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await self._api.close()

    async def _next(self, running: asyncio.Task[None]) -> list[_Item]:
        """What is there now, up to a group; waits for the first. What ends `running` is raised here."""
        items: list[_Item] = []
        events = 0
        while not items:
            filled = asyncio.ensure_future(self._merge.wait())
            try:
                await asyncio.wait((filled, running), return_when=asyncio.FIRST_COMPLETED)
            finally:
                filled.cancel()
                await asyncio.gather(filled, return_exceptions=True)
            if running.done():
                running.result()
            while events < GROUP and (item := self._merge.take()) is not None:
                items.append(item)
                events += len(item.delivery.events)
        return items

    async def _run(self, known: Known) -> None:
        identity = await self._reach()
        self._streams = Streams(
            self._api,
            clock=self._clock,
            rng=self._rng,
            touch=self._touch,
            put=self._put,
            renew=self._renew,
            watch_list=identity.watch_list,
        )
        await self._streams.run(known)

    async def _put(self, stream: str, delivery: Delivery, before: float = NEVER) -> None:
        """`before`: up to when the stream is complete without it, monotonic seconds."""
        if delivery.events or delivery.versions or delivery.reports:
            delivery = delivery._replace(reports=[self._redacted(report) for report in delivery.reports])
            self._uncommitted[stream].append(before)
            await self._merge.put(_Item(stream, delivery, self._clock.monotonic()))

    def _redacted(self, report: Report) -> Report:
        """What a server or a proxy has said may repeat what it was sent."""
        if not isinstance(report, Fault):
            return report
        message, details = self._api.redacted(report.message), self._api.redacted(report.details)
        return report._replace(message=message, details=details)

    async def _report(self, *reports: Report) -> None:
        await self._put("", Delivery(reports=reports))

    async def _reach(self) -> Identity:
        """Try until the cluster has said who it is."""
        backoff = Backoff(self._rng)
        outage = Outage(self._api, self._clock)
        while True:
            configured = await self._configure(self._api.connect())
            if configured:
                try:
                    identity = await identify(self._api, self._clock)
                except UnidentifiedError as error:
                    if error.reached:
                        self._touch.answered()
                    await self._report(*self._touch.unreachable(str(error)))
                else:
                    self._touch.answered()
                    await self._report(Identified(identity.cluster))
                    self._cluster = identity.cluster
                    self._api.verify = self._verify
                    return identity
            pause = backoff.failed(self._clock.monotonic())
            await (self._pause(pause, outage) if configured else self._clock.sleep(pause))

    async def _pause(self, seconds: float, outage: Outage) -> None:
        """Wait, but not for long after an outage."""
        over = asyncio.ensure_future(outage.over())
        ended = asyncio.Event()
        over.add_done_callback(lambda _: ended.set())
        try:
            await self._clock.wait(ended, seconds)
        finally:
            over.cancel()
            await asyncio.gather(over, return_exceptions=True)

    async def _configure(self, reading: Coroutine[None, None, None]) -> bool:
        """Await it, and say what is wrong with the kubeconfig, or that it no longer is."""
        try:
            await reading
        except ConfigError as error:
            self._misconfigured = True
            message = "The kubeconfig cannot be used"
            await self._report(Fault(ErrorCode.INVALID_KUBECONFIG, message, str(error), _KUBECONFIG))
            return False
        if self._misconfigured:
            self._misconfigured = False
            await self._report(Cleared(_KUBECONFIG))
        return True

    async def _renew(self, serial: int, only_if_changed: bool) -> None:
        """Other credentials (LISTWATCH 11)."""
        await self._configure(self._api.renew(serial, only_if_changed=only_if_changed))

    async def _verify(self) -> None:
        """Nothing of another cluster may get into the log (LISTWATCH 15)."""
        try:
            identity = await identify(self._api, self._clock)
        except UnidentifiedError as error:
            if error.status == 401:
                return  # the request that waits for this is refused likewise, and sees to new credentials
            raise UnverifiedError(str(error)) from error
        before = self._cluster
        cluster = identity.cluster._replace(uid=identity.cluster.uid or before.uid)
        if cluster != before:
            await self._report(Identified(cluster))  # upgraded, or another
        if before.uid and cluster.uid != before.uid:
            raise UnverifiedError(f"{self._api.credentials.host} is another cluster now")
        self._cluster = cluster


def _joined(items: Sequence[_Item]) -> Delivery:
    if len(items) == 1:
        return items[0].delivery
    events: list[WatchEvent] = []
    versions: dict[str, str] = {}
    reports: list[Report] = []
    for item in items:
        events += item.delivery.events
        versions |= item.delivery.versions
        reports += item.delivery.reports
    return Delivery(events, versions, reports)
