"""One seed, played: the steps happen, the checker looks, and in the end all must be well and nothing be left."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from kstream.core.delivery.limits import Limits
from kstream.core.timeline.retention import Keep
from tests.world.api import Faults
from tests.world.bounds import check_left, check_memory
from tests.world.checker import Checker
from tests.world.clients import Client
from tests.world.cluster import Cluster
from tests.world.complaints import complaints
from tests.world.disk import Disk
from tests.world.filed import FileDisk
from tests.world.judging import FindingError
from tests.world.loop import DeadlockError, LoopClock, WorldLoop
from tests.world.server import Server, Serving
from tests.world.story import BY_SWITCH, CLIENTS, LASTS, SET_UP, Step
from tests.world.weather import Weather
from tests.world.witness import Witness

PROBED = 400.0  # seconds: what was forbidden for long is asked for every five minutes
QUIET = 200.0  # seconds after the last fault in which all is quiet
HEALED = 100.0  # of these, until everything has healed: a silence is noticed after 70, and what was missed is listed
_SET_UP = SET_UP.keys() | BY_SWITCH
Trace = Callable[[str], None]


def play(seed: int, steps: Sequence[Step], *, trace: Trace = lambda _: None) -> str:
    """What was found, "" for nothing."""
    with (
        complaints() as complained,
        TemporaryDirectory(prefix="world-") as folder,
        asyncio.Runner(loop_factory=WorldLoop) as runner,
    ):
        runner.get_loop().set_exception_handler(lambda _, context: complained.append(str(context)))
        try:
            runner.run(_Stage(seed, steps, trace, Path(folder)).play())
        except FindingError as found:
            return str(found)
        except DeadlockError as found:
            return f"deadlock: {found}"
    return f"complaint: {complained[0]}" if complained else ""


class _Stage:
    def __init__(self, seed: int, steps: Sequence[Step], trace: Trace, folder: Path) -> None:
        self._seed = seed
        self._set_up = {step.what: int(step.whom) for step in steps if step.what in _SET_UP}
        self._steps = [step for step in steps if step.what not in _SET_UP]
        self._trace = trace
        self._clock = LoopClock()
        self._cluster = Cluster(seed)
        self._faults = Faults()
        self._disk = FileDisk(folder) if "file" in self._set_up else Disk()
        self._disk.told_after = self._set_up.get("told after", 0) / 1000
        self._crew: Server | None = None  # who has others serve beside it
        self._servers: dict[str, Serving] = {}  # those who serve, the one that records first
        self._lives = 0
        self._limits = Limits(
            per_minute=(minute := self._set_up.get("limit", 1000)),
            burst=minute // 20,
            window_events=self._set_up.get("window", 20_000),
        )
        self._denied = any(step.what in ("403 for long", "403 of all namespaces") for step in steps)
        self._weather = Weather(healed_after=PROBED if self._denied else HEALED)
        self._witness = Witness(self._cluster, self._clock)
        self._checker = Checker(self._cluster, self._weather, self._limits)
        self._clients: list[Client] = []
        for number in range(CLIENTS):
            self._come(ours=number % 2 == 0)
        self._most = 0  # connections at once
        self._tasks: list[asyncio.Task[None]] = []
        self._refusals: list[tuple[str, int, float]] = []
        self._lasting: Counter[str] = Counter()
        self._healing: list[asyncio.Task[None]] = []

    def _come(self, *, ours: bool) -> Client:
        number = len(self._clients)
        bits = self._set_up.get("deflate", 0) if number // 2 % 2 else 0
        client = Client(f"client {number}", self._witness, ours=ours, window_bits=bits)
        client.turn = number // 2
        self._clients.append(client)
        return client

    async def play(self) -> None:
        self._tasks = [asyncio.create_task(client.run(self._servers)) for client in self._clients]
        await self._begin()
        waiting = list(self._steps)
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
        for _ in range(int(PROBED if self._denied else QUIET)):
            await asyncio.sleep(1.0)
            self._look()
        for client in self._clients:
            self._checker.end(client, self._clock.monotonic())
        await self._leave()

    def _look(self) -> None:
        now = self._clock.monotonic()
        for name, server in self._servers.items():
            if server.failed:
                raise FindingError(f"broken: a part of the server ({name}) ended: {server.failed[0]!r}")
        for task in (*self._tasks, *self._healing):
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                raise FindingError(f"broken: a client could not take what it was sent: {error!r}")
        if self._witness.found:
            raise FindingError(self._witness.found)
        for client in self._clients:
            self._checker.look(client, client.hub, now)
        for server in self._servers.values():
            if server.hub is not None:
                self._checker.look_at(server.hub, now, log_refuses=self._disk.refused > 1)
                self._most = max(self._most, len(server.hub))
                check_memory(server, most=self._most)

    async def _leave(self) -> None:
        """Everyone goes: nothing of them is left."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for client in self._clients:
            if client.member is not None and client.hub is not None:
                client.hub.leave(client.member)
        for server in reversed(self._servers.values()):
            check_left(server)
            await server.kill()

    # Steps

    async def _begin(self) -> None:
        self._lives += 1
        server = Server(
            self._cluster,
            self._faults,
            self._disk,
            self._clock,
            seed=self._seed * 100 + self._lives,
            limits=self._limits,
            keep=Keep(seconds=self._set_up.get("keep")),
        )
        await server.start()
        self._servers["recorder"] = server
        self._crew = server if self._set_up.keys() >= BY_SWITCH else None
        await self._work()

    async def _work(self) -> None:
        """One that serves beside the one that records."""
        if self._crew is not None:
            self._servers["worker"] = await self._crew.worker()

    async def _again(self, change: Callable[[], None] = lambda: None) -> None:
        """The process dies; the disk is as it may be after that; a new one begins."""
        self._weather.moment(self._clock.monotonic())
        for server in reversed(self._servers.values()):
            await server.kill()
        self._servers.clear()
        self._disk.refused = 0
        change()
        await asyncio.sleep(0.5)
        await self._begin()

    def _for(self, step: Step, end: Callable[[], None], *, what: str = "") -> None:
        """What is wrong ends with the last of the steps that made it so; `what`: the step's own name if not said."""
        what = what or step.what
        ends = self._weather.begins(step.what, self._clock.monotonic())
        self._lasting[what] += 1

        async def heal() -> None:
            await asyncio.sleep(step.seconds)
            self._lasting[what] -= 1
            if not self._lasting[what]:
                end()
                self._faults.change()
            ends(self._clock.monotonic())

        self._healing.append(asyncio.create_task(heal()))

    def _later(self, seconds: float, do: Callable[[], None]) -> None:
        async def done_later() -> None:
            await asyncio.sleep(seconds)
            do()

        self._healing.append(asyncio.create_task(done_later()))

    async def _flood(self, step: Step) -> None:
        """Writes without a pause."""
        for _ in range(int(step.seconds * 20)):
            self._cluster.write(int(step.whom), now=self._clock.monotonic())
            await asyncio.sleep(0.05)

    async def _herd(self) -> None:
        """Many come and go within moments, again and again."""
        for _ in range(12):
            herd = [Client("one of a herd", self._witness, ours=True) for _ in range(40)]
            coming = [asyncio.create_task(client.run(self._servers)) for client in herd]
            await asyncio.sleep(0.2)
            for server in self._servers.values():
                self._most = max(self._most, 0 if server.hub is None else len(server.hub))
            for client in herd:
                client.drop()
            await asyncio.sleep(0.1)
            for task in coming:
                task.cancel()
            await asyncio.gather(*coming, return_exceptions=True)

    def _refuse(self, status: int, step: Step) -> None:
        """Of one resource, or of all; the last of those who refuse it counts."""
        refusal = step.whom, status, step.at
        self._refusals.append(refusal)
        self._faults.refused[step.whom] = status
        self._cut()

        def allow() -> None:
            self._refusals.remove(refusal)
            self._faults.refused = {resource: refused for resource, refused, _ in self._refusals}

        self._for(step, allow, what=str(refusal))

    def _cut(self) -> None:
        self._weather.moment(self._clock.monotonic())
        self._faults.cuts += 1
        self._faults.change()

    async def _do(self, step: Step) -> None:
        faults, disk = self._faults, self._disk
        match step.what:
            case "write" | "burst":
                self._cluster.write(int(step.whom), now=self._clock.monotonic())
            case "tenant":
                self._cluster.tenant(int(step.whom), now=self._clock.monotonic())
            case "down" | "restart":
                faults.down = True
                self._cut()
                self._for(step, lambda: setattr(faults, "down", False), what="down")
            case "cut":
                self._cut()
            case "flood":
                self._healing.append(asyncio.create_task(self._flood(step)))
            case "herd":
                self._healing.append(asyncio.create_task(self._herd()))
            case "401" | "429" | "500":
                self._refuse(int(step.what), step)
            case "403 for long":
                self._refuse(403, step)
            case "403 at a restart":
                self._refuse(403, step)
            case "403 of all namespaces":
                faults.narrow = True
                self._cut()
                self._for(step, lambda: setattr(faults, "narrow", False))
            case "black hole":
                faults.black_hole = True
                faults.change()
                self._for(step, lambda: setattr(faults, "black_hole", False))
            case "torn line":
                self._weather.moment(self._clock.monotonic())
                faults.torn = True
            case "compact":
                self._cluster.store.compact()
                self._cut()
            case "no WatchList":
                faults.watch_list = False
            case "kill":
                await self._again()
            case "worker killed":
                if (worker := self._servers.pop("worker", None)) is not None:
                    self._weather.moment(self._clock.monotonic())
                    await worker.kill()
                    await asyncio.sleep(1.0)
                    await self._work()
            case "full disk":
                disk.full = True
                self._for(step, lambda: setattr(disk, "full", False))
            case "slow disk":
                disk.slow = 0.2
                self._for(step, lambda: setattr(disk, "slow", 0.0))
            case "copy":
                disk.copy()
            case "put back":
                await self._again(disk.put_back)
            case "lost tail":
                await self._again(lambda: disk.lose_tail(int(step.whom)))
            case "clock set":
                self._clock.set(float(step.whom))
            case "etcd copy":
                self._cluster.copy()
            case "etcd restored":
                # Every API server is stopped before etcd is put back, and started when it is.
                faults.stopped = True
                self._cluster.restore(now=self._clock.monotonic())
                self._cut()
                self._for(step, lambda: setattr(faults, "stopped", False))
            case "rewind":
                self._rewinds(step)
            case "drop" | "stall" | "subscribe" | "select" | "ping" | "nonsense" | "late":
                self._client_does(step)
            case _:
                raise ValueError(f"{step}: story.py tells a step that nobody does; teach it to stage.py")

    def _rewinds(self, step: Step) -> None:
        """Our clients only: the others know nothing of timelines, and would take the past for the present."""
        number, *moves = step.whom.split(" ")
        client = self._clients[int(number)]

        async def there_and_back() -> None:
            for move in (*moves, "live"):
                action, _, at = move.partition("@")
                # It reads on when the story says so; what is said without a connection is not said.
                while client.stalled or client.viewer is None:  # noqa: ASYNC110
                    await asyncio.sleep(1.0)
                await client.move(action, **({"at": at} if at else {}))
                await asyncio.sleep(step.seconds)

        self._healing.append(asyncio.create_task(there_and_back()))

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

                self._later(step.seconds, read_on)
            case "subscribe":
                client.subscribe([name for name in names.split(",") if name], [], "")
            case "select":
                spaces, kinds, labels = names.split(";")
                client.subscribe(
                    list(filter(None, spaces.split(","))), list(filter(None, kinds.split(","))), labels
                )
            case "ping":
                client.ping()
            case "nonsense":
                client.say('{"type":')
            case "late":
                late = self._come(ours=len(names) % 2 == 0)
                self._tasks.append(asyncio.create_task(late.run(self._servers)))
