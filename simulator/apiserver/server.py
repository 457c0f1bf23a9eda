"""A fake API server that runs: its socket, the cluster that plays in it, and the log of what was asked.

async with FakeApiServer(store, faults=script) as server:
    ...  # server.url, server.requests
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine, Sequence
from typing import Any, Final, Self

from aiohttp import web

from kstream.clock import SystemClock
from kstream.core.errors import BindError
from kstream.ports import Clock
from simulator.apiserver.access import Access
from simulator.apiserver.app import make_app
from simulator.apiserver.faults import FaultScript, Restore, Rule
from simulator.apiserver.feed import Pace
from simulator.apiserver.kubeconfig import kubeconfig
from simulator.apiserver.matching import FaultMatcher
from simulator.apiserver.requests import Ask, Seen
from simulator.apiserver.store import Store
from simulator.apiserver.tls import Certificate

_LOGGED: Final = 10_000  # requests that are remembered
_COMPACTIONS: Final = 10  # while a write grows old enough to be forgotten
_SELDOM: Final = 0.5  # seconds between two, however fast the cluster's time goes
_ACCEPTING: Final = 5  # turns of the loop from an accepted connection to its protocol


class FakeApiServer:
    """Serves a Store. Whatever is applied to the store reaches the watches at once."""

    def __init__(
        self,
        store: Store,
        *,
        pacing: Pace | None = None,
        clock: Clock | None = None,
        access: Access | None = None,
        faults: FaultScript | None = None,
        certificate: Certificate | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        name: str = "kstream-fake",
        git_version: str = "v1.36.0",
        bookmark_interval: float = 60.0,
        compact_after: float | None = None,
    ) -> None:
        """`pacing` plays a cluster into the store; `compact_after` is the age of history, in its seconds;
        `name` is what the kubeconfig calls the cluster.
        """
        self.store = store
        self.clock: Clock = clock or SystemClock()
        self.access = access or Access()
        self.name = name
        self.git_version = git_version
        self.bookmark_interval = bookmark_interval
        self.requests: deque[Seen] = deque(maxlen=_LOGGED)
        self._pacing = pacing
        self._matcher = FaultMatcher(faults or FaultScript())
        self._certificate = certificate
        self._host = host
        self._port = port
        self._compact_after = compact_after
        self._seen = 0
        self._connections: dict[asyncio.Transport, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.failed = (
            asyncio.Event()
        )  # something that runs beside the requests has failed; closing tells what
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None
        self._restarts = 0  # under way
        self._began = self.clock.monotonic()
        self._writes = store.writes

    async def __aenter__(self) -> Self:
        """Raises BindError."""
        self._runner = web.AppRunner(
            make_app(self), handler_cancellation=True, access_log=None, shutdown_timeout=0.5
        )
        await self._runner.setup()
        try:
            await self._listen()
        except BindError:
            await self._runner.cleanup()
            raise
        self._forget = self.store.listen(self._on_write)
        self._began, self._writes = self.clock.monotonic(), self.store.writes
        if self._pacing is not None:
            self._spawn(self._pacing.run(self.restore))
        if self._compact_after is not None:
            self._spawn(self._compact(self._compact_after))
        if self._matcher.next_time() is not None:
            self._spawn(self._fail_in_time())
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Raises what failed beside the requests: a feed that goes wrong, a port that is taken at a restart."""
        self._forget()
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        self.disconnect()
        if self._runner is not None:
            if self._site is not None:
                await self._site.stop()
                # A connection that was accepted a moment ago becomes known to the runner a few turns of the loop later:
                # one that is not yet would be left open.
                for _ in range(_ACCEPTING):
                    await asyncio.sleep(0)
            await self._runner.cleanup()
        for end in ends:
            if isinstance(end, Exception):
                raise end

    @property
    def url(self) -> str:
        return f"{'https' if self._certificate else 'http'}://{self._host}:{self._port}"

    @property
    def played(self) -> bool:
        """The cluster that plays in the store has come to its end, or there is none."""
        return self._pacing is None or self._pacing.ended

    @property
    def unused_faults(self) -> Sequence[Rule]:
        """The rules of the script that have not acted."""
        return self._matcher.unused()

    def kubeconfig(self) -> dict[str, Any]:
        return kubeconfig(
            name=self.name, url=self.url, users=self.access.users, certificate=self._certificate
        )

    def cluster_time(self) -> float:
        """What the cluster's clocks say, seconds since the Unix epoch: ages are counted to it."""
        return self._pacing.now() if self._pacing is not None else self.clock.time()

    def disconnect(self) -> None:
        """Cut every connection."""
        for transport in tuple(self._connections):
            transport.abort()

    def restart(self, down: float) -> None:
        """Cut every connection and refuse new ones for `down` seconds; the store keeps everything."""
        self._spawn(self._restart(down))

    def restore(self, store: Store) -> None:
        """Serve another history from now on, as after a restore of etcd: every connection is cut."""
        self._forget()
        self._writes += store.writes - self.store.writes
        self.store = store
        if self._pacing is not None:
            self._pacing.restore(store)
        self._forget = store.listen(self._on_write)
        self.disconnect()

    def put_back(self, action: Restore) -> None:
        """Restore the copy of so many seconds ago; every API server is stopped for that."""
        self.restart(action.down)
        self.restore(self.store.restored(self.cluster_time() - action.back))

    def log(self, request: web.Request, user: str, ask: Ask | None) -> Seen:
        """Remember a request and its connection."""
        self._seen += 1
        headers = {key.lower(): value for key, value in request.headers.items()}
        headers.pop("authorization", None)
        seen = Seen(
            number=self._seen,
            time=self.clock.time(),
            method=request.method,
            path=request.path,
            query=dict(request.query),
            headers=headers,
            user=user,
            verb=ask.verb if ask is not None else request.method.lower(),
            resource=ask.resource.plural if ask is not None else "",
            namespace=ask.namespace if ask is not None else "",
            name=ask.name if ask is not None else "",
        )
        self.requests.append(seen)
        if request.transport is not None:
            for transport in [known for known in self._connections if known.is_closing()]:
                del self._connections[transport]
            self._connections[request.transport] = self._seen
        return seen

    def faults_of(self, seen: Seen, *, page: int) -> Sequence[Rule]:
        return self._matcher.on_request(seen, page=page, now=self._age())

    def _age(self) -> float:
        return self.clock.monotonic() - self._began

    async def _listen(self) -> None:
        if self._runner is None:
            return
        context = self._certificate.context if self._certificate else None
        self._site = web.TCPSite(self._runner, self._host, self._port, ssl_context=context)
        try:
            await self._site.start()
        except OSError as error:
            raise BindError(
                f"cannot listen on {self._host}:{self._port}: {error.strerror or error}; "
                "choose another --port (0 picks a free one)"
            ) from error
        self._port = self._runner.addresses[0][1]

    async def _restart(self, down: float) -> None:
        # One may begin while another is down: the server is back when the last of them is over.
        self._restarts += 1
        site, self._site = self._site, None
        if site is not None:
            await site.stop()
        self.disconnect()
        await self.clock.sleep(down)
        self._restarts -= 1
        if not self._restarts:
            await self._listen()

    async def _compact(self, after: float) -> None:
        while True:
            every = after / _COMPACTIONS
            if self._pacing is not None:  # it may go faster by then
                every = max(_SELDOM, min(every, self._pacing.lasting(every)))
            await self.clock.sleep(every)
            self.store.compact_before(self.cluster_time() - after)

    async def _fail_in_time(self) -> None:
        while (due := self._matcher.next_time()) is not None:
            await self.clock.sleep(max(0.0, due - self._age()))
            self._fail()
            await asyncio.sleep(0)

    def _on_write(self) -> None:
        self._fail()

    def _fail(self) -> None:
        for rule in self._matcher.on_server(writes=self.store.writes - self._writes, now=self._age()):
            match rule.do.kind:
                case "compact":
                    self.store.compact()
                case "drop":
                    self.disconnect()
                case "restart":
                    self.restart(rule.do.restart.down if rule.do.restart is not None else 0.0)
                case "restore":
                    self.put_back(rule.do.restore or Restore())

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._on_end)

    def _on_end(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or task.exception() is None:
            self._tasks.discard(task)
        else:
            self.failed.set()
