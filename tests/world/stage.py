"""One seed, played: the steps happen, the checker looks, and in the end all must be well and nothing be left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from tests.world.api import Faults
from tests.world.checker import FindingError, check, check_end, check_limits
from tests.world.clients import Client
from tests.world.cluster import Cluster
from tests.world.disk import Disk
from tests.world.loop import DeadlockError, LoopClock, VirtualLoop
from tests.world.server import Server
from tests.world.story import CLIENTS, LASTS, Step

PROBED = 400.0  # seconds: what was forbidden for long is asked for every five minutes
QUIET = 200.0  # seconds after the last fault in which everything heals: back-off, silence, a list
Trace = Callable[[str], None]


def play(seed: int, steps: Sequence[Step], *, trace: Trace = lambda _: None) -> str:
    """What was found, "" for nothing."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        try:
            runner.run(_Stage(seed, trace).play(steps))
        except FindingError as found:
            return str(found)
        except DeadlockError as found:
            return f"deadlock: {found}"
    return ""


class _Stage:
    def __init__(self, seed: int, trace: Trace) -> None:
        self._seed = seed
        self._trace = trace
        self._clock = LoopClock()
        self._cluster = Cluster(seed)
        self._faults = Faults()
        self._disk = Disk()
        self._servers: dict[str, Server] = {}
        self._lives = 0
        self._clients = [Client(f"client {number}", ours=number % 2 == 0) for number in range(CLIENTS)]
        self._tasks: list[asyncio.Task[None]] = []
        self._healing: list[asyncio.Task[None]] = []

    async def play(self, steps: Sequence[Step]) -> None:
        self._tasks = [asyncio.create_task(client.run(self._servers)) for client in self._clients]
        await self._begin()
        waiting = list(steps)
        while self._clock.monotonic() < LASTS:
            until = min(self._clock.monotonic() + 1.0, LASTS)
            while waiting and waiting[0].at <= until:
                step = waiting.pop(0)
                await asyncio.sleep(max(0.0, step.at - self._clock.monotonic()))
                self._trace(str(step))
                await self._do(step)
            await asyncio.sleep(max(0.0, until - self._clock.monotonic()))
            self._look()
        while not all(healing.done() for healing in self._healing):
            await asyncio.sleep(1.0)
            self._look()
        self._faults.clear()
        self._disk.full, self._disk.slow = False, 0.0
        for client in self._clients:
            client.stalled = False
            client.read()
        denied = any(step.what == "403 for long" for step in steps)
        for _ in range(int(PROBED if denied else QUIET)):
            await asyncio.sleep(1.0)
            self._look()
        for client in self._clients:
            check_end(client, self._cluster)
        await self._leave()

    def _look(self) -> None:
        now = self._clock.monotonic()
        server = self._servers.get("now")
        if server is not None and server.failed:
            raise FindingError(f"broken: a part of the server ended: {server.failed[0]!r}")
        for task in self._tasks:
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                raise FindingError(f"broken: a client could not take what it was sent: {error!r}")
        for client in self._clients:
            check(client, self._cluster, now)
            check_limits(client)

    async def _leave(self) -> None:
        """Everyone goes: nothing of them is left."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        server = self._servers["now"]
        hub = server.hub
        assert hub is not None
        for client in self._clients:
            if client.member is not None:
                hub.leave(client.member)
        left = {
            "clients": len(hub),
            "crowds": len(hub._crowds),
            "views": len(hub.backlog._views),
            "views by namespace": len(hub.backlog._by_namespace),
            "slow": hub.slow,
        }
        await server.kill()
        if any(left.values()):
            raise FindingError(f"left over: when everyone had gone: {left}")

    # Steps

    async def _begin(self) -> None:
        self._lives += 1
        server = Server(
            self._cluster, self._faults, self._disk, self._clock, seed=self._seed * 100 + self._lives
        )
        await server.start()
        self._servers["now"] = server

    async def _again(self, change: Callable[[], None] = lambda: None) -> None:
        """The process dies; the disk is as it may be after that; a new one begins."""
        await self._servers.pop("now").kill()
        change()
        await asyncio.sleep(0.5)
        await self._begin()

    def _for(self, seconds: float, end: Callable[[], None]) -> None:
        async def heal() -> None:
            await asyncio.sleep(seconds)
            end()
            self._faults.change()

        self._healing.append(asyncio.create_task(heal()))

    def _refuse(self, status: int, resource: str, seconds: float) -> None:
        self._faults.refused[resource] = status
        self._cut()

        def allow() -> None:
            self._faults.refused.pop(resource, None)

        self._for(seconds, allow)

    def _cut(self) -> None:
        self._faults.cuts += 1
        self._faults.change()

    async def _do(self, step: Step) -> None:
        faults, disk = self._faults, self._disk
        match step.what:
            case "write":
                self._cluster.write(int(step.whom), now=self._clock.monotonic())
            case "down" | "restart":
                faults.down = True
                self._cut()
                self._for(step.seconds, lambda: setattr(faults, "down", False))
            case "cut":
                self._cut()
            case "401" | "429" | "500":
                self._refuse(int(step.what), step.whom, step.seconds)
            case "403 for long":
                self._refuse(403, step.whom, step.seconds)
            case "403 at a restart":
                self._refuse(403, "", step.seconds)
            case "black hole":
                faults.black_hole = True
                faults.change()
                self._for(step.seconds, lambda: setattr(faults, "black_hole", False))
            case "torn line":
                faults.torn = True
            case "compact":
                self._cluster.store.compact()
                self._cut()
            case "no WatchList":
                faults.watch_list = False
            case "kill":
                await self._again()
            case "full disk":
                disk.full = True
                self._for(step.seconds, lambda: setattr(disk, "full", False))
            case "slow disk":
                disk.slow = 0.2
                self._for(step.seconds, lambda: setattr(disk, "slow", 0.0))
            case "copy":
                disk.copy()
            case "put back":
                await self._again(disk.put_back)
            case "lost tail":
                await self._again(lambda: disk.lose_tail(int(step.whom)))
            case "etcd copy":
                self._cluster.copy()
            case "etcd restored":
                # Every API server is stopped before etcd is put back, and started when it is.
                faults.stopped = True
                self._cluster.restore(now=self._clock.monotonic())
                self._cut()
                self._for(step.seconds, lambda: setattr(faults, "stopped", False))
            case _:
                self._client_does(step)

    def _client_does(self, step: Step) -> None:
        number, _, names = step.whom.partition(" ")
        client = self._clients[int(number)]
        match step.what:
            case "drop":
                client.drop()
            case "stall":
                client.stalled = True

                def read_on() -> None:
                    client.stalled = False
                    client.read()

                self._for(step.seconds, read_on)
            case "subscribe":
                client.subscribe([name for name in names.split(",") if name])
            case "ping":
                client.say('{"type":"ping"}')
            case "nonsense":
                client.say('{"type":')
            case "late":
                self._clients.append(late := Client(f"client {len(self._clients)}", ours=len(names) % 2 == 0))
                self._tasks.append(asyncio.create_task(late.run(self._servers)))
            case _:
                raise AssertionError(step.what)
