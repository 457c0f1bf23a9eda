"""The processes that serve while this one records: started, told what the source reports, replaced when one dies."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path

from kstream.config import ServeSettings
from kstream.core.errors import BindError, KstreamError
from kstream.core.health import Health, Report, report_as_json
from kstream.ports import Clock
from kstream.run import Address

_AGAIN = 1.0  # seconds before one that died is started again
_STOPPING = 7.0  # seconds that one has to say goodbye to its clients


class Crew:
    """`count` workers on the log file `log`, which this process writes. One port, shared by the kernel."""

    def __init__(self, *, count: int, log: Path, mode: str, settings: ServeSettings, clock: Clock) -> None:
        self._count = count
        self._log = log
        self._mode = mode
        # Each has its share of the clients: the kernel spreads connections evenly.
        self._settings = settings.model_copy(update={"max_clients": -(-settings.max_clients // count)})
        self._clock = clock
        self._health = Health()
        self._after = 0
        self._workers: dict[asyncio.subprocess.Process, None] = {}

    @property
    def pids(self) -> list[int]:
        """The processes that serve, or are about to."""
        return [worker.pid for worker in self._workers]

    def report(self, report: Report, *, after: int) -> None:
        """What the source says about itself, for all of them and for those to come."""
        self._after = after
        if self._health.apply(report):
            for worker in self._workers:
                self._say(worker, report)

    async def run(self, *, ready: Callable[[Address], None], stop: asyncio.Event) -> None:
        """Serve until `stop` is set. Raises BindError when the first worker cannot listen."""
        first = await self._start()
        address = await self._listening(first)
        # Whoever comes now shares the port that the first one got.
        self._settings = self._settings.model_copy(update={"port": address.port})
        try:
            async with asyncio.TaskGroup() as tasks:
                keeping = [tasks.create_task(self._keep(first))]
                keeping += [tasks.create_task(self._keep(None)) for _ in range(self._count - 1)]
                ready(address)
                await stop.wait()
                for task in keeping:
                    task.cancel()
        finally:
            await asyncio.gather(*map(self._end, list(self._workers)))

    async def _keep(self, worker: asyncio.subprocess.Process | None) -> None:
        while True:
            if worker is None:
                worker = await self._start()
                await self._listening(worker)
            code = await worker.wait()
            self._workers.pop(worker, None)
            sys.stderr.write(f"A worker ended with code {code}; another one takes its place\n")
            worker = None
            await self._clock.sleep(_AGAIN)

    async def _start(self) -> asyncio.subprocess.Process:
        worker = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "kstream.worker",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        self._workers[worker] = None
        orders = {
            "log": str(self._log),
            "mode": self._mode,
            "settings": self._settings.model_dump(mode="json"),
        }
        _write(worker, orders)
        for report in self._health.retold():
            self._say(worker, report)
        return worker

    async def _listening(self, worker: asyncio.subprocess.Process) -> Address:
        assert worker.stdout is not None
        line = await worker.stdout.readline()
        if not line:
            code = await worker.wait()
            self._workers.pop(worker, None)
            error = BindError if code == BindError.exit_code else KstreamError
            raise error("A worker could not serve; what it says above is why")
        said = json.loads(line)
        return Address(said["host"], said["port"])

    def _say(self, worker: asyncio.subprocess.Process, report: Report) -> None:
        _write(worker, {"report": report_as_json(report), "after": self._after})

    async def _end(self, worker: asyncio.subprocess.Process) -> None:
        assert worker.stdin is not None
        worker.stdin.close()
        try:
            async with asyncio.timeout(_STOPPING):
                await worker.wait()
        except TimeoutError:
            worker.kill()
            await worker.wait()
        self._workers.pop(worker, None)


def _write(worker: asyncio.subprocess.Process, said: object) -> None:
    assert worker.stdin is not None
    if not worker.stdin.is_closing():
        worker.stdin.write(json.dumps(said).encode() + b"\n")
