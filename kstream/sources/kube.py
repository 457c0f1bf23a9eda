"""A live cluster as a Source: one reflector a stream, one sequence of deliveries."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Final, NamedTuple

from kstream.core.backoff import Backoff, Randomness
from kstream.core.errors import ConfigError
from kstream.core.events import Delivery, Kind, Known, ObjectKey, Verb, WatchEvent
from kstream.core.health import Cleared, ErrorCode, Fault, Identified, Report
from kstream.core.inventory import Inventory
from kstream.core.reflection import Freshness, Output, Stream, Unauthorized
from kstream.core.reflector import Reflector
from kstream.core.resources import deleted_body
from kstream.core.touch import Touch
from kstream.ports import Clock
from kstream.sources.apiserver import ApiServer
from kstream.sources.identity import UnidentifiedError, identify
from kstream.sources.kubeconfig import KubeSettings
from kstream.sources.merge import Merge
from kstream.sources.watch import Watcher, now_of

GROUP: Final = 1000  # events in a delivery, about
WAITING: Final = 32  # outputs of streams that wait to be delivered
_KUBECONFIG: Final = "kubeconfig"


class _Item(NamedTuple):
    delivery: Delivery
    stream: str
    arrived: float  # monotonic


class KubeSource:
    """Nodes, pods and namespaces of the cluster that `settings` name. To be iterated once."""

    def __init__(self, settings: KubeSettings, *, clock: Clock, rng: Randomness) -> None:
        self._settings = settings
        self._clock = clock
        self._rng = rng
        self._api = ApiServer(settings)
        self._touch = Touch()
        self._merge: Merge[_Item] = Merge(WAITING)
        self._inventories = {kind: Inventory(kind) for kind in Kind}
        self._watchers: dict[Stream, tuple[Watcher, asyncio.Task[None]]] = {}
        self._lags: dict[str, float] = {}
        self._watch_list = False
        self._misconfigured = False
        self._refreshing = asyncio.Lock()

    @property
    def streams(self) -> Sequence[Freshness]:
        """How fresh each stream is, now."""
        now = now_of(self._clock)
        return [
            watcher.reflector.freshness(now)._replace(lag=self._lags.get(stream.name, 0.0))
            for stream, (watcher, _) in self._watchers.items()
        ]

    async def deliveries(self, known: Known) -> AsyncGenerator[Delivery, None]:
        """See ports.Source. Close the generator to let go of the cluster."""
        running = asyncio.create_task(self._run(known))
        try:
            while True:
                filled = asyncio.ensure_future(self._merge.wait())
                try:
                    await asyncio.wait((filled, running), return_when=asyncio.FIRST_COMPLETED)
                finally:
                    filled.cancel()
                if running.done():
                    running.result()
                items = self._take()
                if items:
                    yield _joined(items)
                    done = self._clock.monotonic()
                    self._lags.update({item.stream: done - item.arrived for item in items})
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await self._api.close()

    def _take(self) -> list[_Item]:
        items: list[_Item] = []
        events = 0
        while events < GROUP and (item := self._merge.take()) is not None:
            items.append(item)
            events += len(item.delivery.events)
        return items

    # ------------------------------------------------------------- the streams

    async def _run(self, known: Known) -> None:
        await self._reach()
        streams = self._wanted()
        async with asyncio.TaskGroup() as tasks:
            await self._begin(known, streams, tasks)

    def _wanted(self) -> list[Stream]:
        namespaces = tuple(dict.fromkeys(self._settings.namespaces))
        pods = [Stream(Kind.POD, namespace) for namespace in namespaces] or [Stream(Kind.POD)]
        return [Stream(Kind.NODE), Stream(Kind.NAMESPACE, only=frozenset(namespaces)), *pods]

    async def _begin(self, known: Known, streams: Sequence[Stream], tasks: asyncio.TaskGroup) -> None:
        """Drop what is no longer watched, take over the rest, start."""
        time = self._clock.time()
        watched = {
            key: version for key, version in known.objects.items() if any(_covers(s, key) for s in streams)
        }
        gone = [
            WatchEvent(Verb.DELETED, key, version, time, deleted_body(key))
            for key, version in known.objects.items()
            if key not in watched
        ]
        certain = {kind: inventory.load(watched.items()) for kind, inventory in self._inventories.items()}
        names = {stream.name for stream in streams}
        # A stream that is not watched now misses events: if it is ever watched again, it has to list.
        versions = {name: "" for name, version in known.versions.items() if version and name not in names}
        await self._put("", Delivery(gone, versions))
        for stream in streams:
            version = known.versions.get(stream.name, "") if certain[stream.kind] else ""
            self._start(stream, version, tasks)

    def _start(self, stream: Stream, version: str, tasks: asyncio.TaskGroup) -> None:
        self._touch.expect(stream)
        reflector = Reflector(
            stream,
            self._inventories[stream.kind],
            rng=self._rng,
            version=version,
            watch_list=self._watch_list,
        )
        watcher = Watcher(reflector, self._api, self._clock, self._deliver)
        self._watchers[stream] = (watcher, tasks.create_task(watcher.run()))

    async def _deliver(self, reflector: Reflector, output: Output) -> None:
        stream = reflector.stream
        versions = {} if output.version is None else {stream.name: output.version}
        reports: list[Report] = []
        for note in output.notes:
            reports += self._touch.note(stream, note)
        await self._put(stream.name, Delivery(output.events, versions, reports))
        if any(isinstance(note, Unauthorized) for note in output.notes):
            await self._refresh()

    async def _put(self, stream: str, delivery: Delivery) -> None:
        if delivery.events or delivery.versions or delivery.reports:
            await self._merge.put(_Item(delivery, stream, self._clock.monotonic()))

    async def _report(self, *reports: Report) -> None:
        await self._put("", Delivery(reports=reports))

    # ------------------------------------------------------------- the cluster

    async def _reach(self) -> None:
        """Try until the cluster has said who it is."""
        backoff = Backoff(self._rng)
        while True:
            if await self._configure():
                try:
                    identity = await identify(self._api, self._clock)
                except UnidentifiedError as error:
                    if error.answered:
                        self._touch.answered()
                    await self._report(*self._touch.unreachable(str(error)))
                else:
                    self._touch.answered()
                    self._watch_list = identity.watch_list
                    await self._report(Identified(identity.cluster))
                    return
            await self._clock.sleep(backoff.failed(self._clock.monotonic()))

    async def _configure(self) -> bool:
        try:
            await self._api.connect()
        except ConfigError as error:
            self._misconfigured = True
            await self._report(
                Fault(ErrorCode.INVALID_KUBECONFIG, "The kubeconfig cannot be used", str(error), _KUBECONFIG)
            )
            return False
        if self._misconfigured:
            self._misconfigured = False
            await self._report(Cleared(_KUBECONFIG))
        return True

    async def _refresh(self) -> None:
        """Read the credentials again, once for all streams that ask for it together (LISTWATCH 11)."""
        if self._refreshing.locked():
            async with self._refreshing:
                return
        async with self._refreshing:
            await self._configure()


def _covers(stream: Stream, key: ObjectKey) -> bool:
    kind, namespace, name = key.kind, key.namespace, key.name
    if stream.kind is not kind:
        return False
    return (not stream.namespace or stream.namespace == namespace) and (
        not stream.only or name in stream.only
    )


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
