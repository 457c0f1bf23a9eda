"""The API server, played: lists and watches of the fake one without a socket, and what is wrong with it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import cast

import aiohttp

from kstream.sources.apiserver import ApiServer
from kstream.sources.credentials import Credentials
from kstream.sources.kubeconfig import KubeSettings
from simulator.apiserver import listing, selectors
from simulator.apiserver.rendering import Plain
from simulator.apiserver.requests import parse
from simulator.apiserver.statuses import StatusError, forbidden, unauthorized
from simulator.apiserver.watching import Watch
from tests.world.cluster import Cluster
from tests.world.loop import LEAST, LoopClock

_PIECE = 500  # bytes of a watch that are read at once; the others wait in the socket
_CREDENTIALS = Credentials(host="https://played", cluster="world", namespace="", connection="played")


class Faults:
    """What is wrong with the API server now. `changed` is set and replaced whenever that changes."""

    def __init__(self) -> None:
        self.down = False
        self.stopped = False  # for as long as a restore of etcd takes
        self.black_hole = False
        self.refused: dict[str, int] = {}  # resource, or "" for all → status
        self.narrow = False  # pods may be asked for in one namespace after the other only
        self.watch_list = True
        self.cuts = 0  # how often all streams were cut
        self.torn = False  # the next line is cut in the middle, and its stream with it
        self.changed = asyncio.Event()

    def change(self) -> None:
        before, self.changed = self.changed, asyncio.Event()
        before.set()

    def clear(self) -> None:
        """All is well again."""
        self.down = self.stopped = self.black_hole = self.torn = self.narrow = False
        self.refused.clear()
        self.change()


class Played:
    """A response as far as Watcher and identify look at it."""

    def __init__(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.status = status
        self.headers = headers or {}
        self.content = self
        self._body = body

    async def __aenter__(self) -> Played:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def read(self) -> bytes:
        return self._body

    async def iter_any(self) -> AsyncIterator[bytes]:
        yield self._body

    def read_nowait(self) -> bytes:
        body, self._body = self._body, b""
        return body

    async def readany(self) -> bytes:
        return self.read_nowait()

    def at_eof(self) -> bool:
        return not self._body

    def release(self) -> None:
        return None

    def close(self) -> None:
        return None


class PlayedWatch(Played):
    """An open watch. What is due is made when it is asked for."""

    def __init__(self, watch: Watch, cluster: Cluster, faults: Faults, clock: LoopClock) -> None:
        super().__init__(200, b"")
        self._watch = watch
        self._faults = faults
        self._clock = clock
        self._cuts = faults.cuts
        self._store = cluster.store
        self._cluster = cluster
        self._news = asyncio.Event()
        self._deaf: Callable[[], None] = cluster.store.listen(self._news.set)
        self._eof = False
        self._unread = b""

    def read_nowait(self) -> bytes:
        data, self._unread = self._unread[:_PIECE], self._unread[_PIECE:]
        return data

    async def readany(self) -> bytes:
        while True:
            faults = self._faults
            if faults.cuts != self._cuts or self._store is not self._cluster.store:
                raise aiohttp.ClientPayloadError("cut")
            if faults.black_hole:
                await faults.changed.wait()
                continue
            lines = self._watch.take(self._clock.monotonic())
            data = b"".join(line.body for line in lines)
            if data and faults.torn:
                faults.torn = False
                self._cuts = -1
                data = data[: len(data) // 2]
            if data:
                self._unread = data
                return self.read_nowait()
            if self._watch.done:
                self._eof = True
                return b""
            await self._something()

    async def _something(self) -> None:
        """Until a write, a fault, or the watch's own deadline."""
        waits = [asyncio.ensure_future(self._news.wait()), asyncio.ensure_future(self._faults.changed.wait())]
        left = max(LEAST, self._watch.deadline - self._clock.monotonic())
        try:
            await asyncio.wait(waits, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        self._news.clear()

    def at_eof(self) -> bool:
        return self._eof

    def close(self) -> None:
        self._deaf()
        self._deaf = lambda: None


class PlayedApi(ApiServer):
    """Requests that never leave the process."""

    def __init__(self, cluster: Cluster, faults: Faults, clock: LoopClock) -> None:
        super().__init__(KubeSettings(), clock)
        self._cluster = cluster
        self._faults = faults
        self._loop_clock = clock

    async def connect(self) -> None:
        self._doubted = self._credentials is not None
        self._credentials = _CREDENTIALS
        self.serial += 1

    async def renew(self, serial: int, *, only_if_changed: bool = False) -> None:
        if self.serial == serial and not only_if_changed:
            await self.connect()

    async def ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] = {},
        body: Mapping[str, object] | None = None,
    ) -> aiohttp.ClientResponse:
        await asyncio.sleep(0.01)
        while self._faults.black_hole:
            await self._faults.changed.wait()
        if self._faults.down or self._faults.stopped:
            raise aiohttp.ServerDisconnectedError("down")
        return cast(aiohttp.ClientResponse, self._answer(method, path, dict(query)))

    def _answer(self, method: str, path: str, query: dict[str, str]) -> Played:
        if path == "/readyz":
            return Played(self._faults.refused.get("", 200), b"ok")
        if path == "/version":
            return Played(200, json.dumps({"gitVersion": "v1.36.0", "major": "1", "minor": "36"}).encode())
        asked = parse(method, path, query)
        assert asked is not None, path
        name = asked.resource.plural
        try:
            status = self._faults.refused.get(name, self._faults.refused.get("", 0))
            if status == 401:
                raise unauthorized()
            if status == 403 or (self._faults.narrow and name == "pods" and not asked.namespace):
                raise forbidden(user="viewer", verb=asked.verb, resource=name, namespace=asked.namespace)
            if status:
                return Played(status, b"not now", {"Retry-After": "1"} if status == 429 else {})
            store = self._cluster.store
            if asked.verb == "get":
                entry = store.get(asked.resource.kind, asked.namespace, asked.name)
                return Played(404, b"{}") if entry is None else Played(200, Plain(asked.resource).one(entry))
            if asked.verb == "list":
                page = listing.page(store, asked, selectors.parse(asked))
                meta = {"resourceVersion": str(page.version)} | ({"continue": page.next} if page.next else {})
                return Played(200, Plain(asked.resource).many(page.entries, json.dumps(meta).encode()))
            if query.get("sendInitialEvents") and not self._faults.watch_list:
                return Played(500, b'{"kind":"Status","code":500,"message":"no WatchList"}')
            watch = Watch(
                store,
                asked,
                selectors.parse(asked),
                Plain(asked.resource),
                now=self._loop_clock.monotonic(),
                bookmark_interval=10.0,
            )
            return PlayedWatch(watch, self._cluster, self._faults, self._loop_clock)
        except StatusError as error:
            return Played(error.code, error.body())

    async def close(self) -> None:
        return None
