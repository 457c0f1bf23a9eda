"""The processes that serve while this one records: started, told what the source says, replaced when one dies.

A worker is spoken to in JSON lines. On its stdin: first its orders, then `{"report", "after"}` of the source,
`{"recording", "time"}` now and then, and `{"answer", "value" | "error"}` to what it asked; on its stdout:
`{"host", "port"}` once it listens, then `{"ask", "what", "body"}` for what only this process knows (worker.py has the
other end).
"""

from __future__ import annotations

import asyncio
import json
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from kstream.core.errors import BindError, InvalidMessageError, KstreamError
from kstream.core.timeline.health import Health, Report, report_as_json
from kstream.run import Address, Server

_AGAIN = 1.0  # seconds before one that died is started again
_STOPPING = 7.0  # seconds that one has to say goodbye to its clients
_TICK = 0.1  # seconds between two words about the time of a timeline that has its own
_SECOND = 1.0  # and between two words about what was recorded, where there is no such time
_LINE = 2**21  # bytes that a worker may say at once: the body of a request is at most half of that


class Crew:
    """`count` workers on the log file `log`, which this process writes as `server` says. One port for all of them."""

    def __init__(self, server: Server, *, count: int, log: Path) -> None:
        self._server = server
        self._count = count
        self._log = log
        # Each has its share of the clients: the kernel spreads connections evenly.
        most = -(-server.settings.max_clients // count)
        self._settings = server.settings.model_copy(update={"max_clients": most})
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
                self._tell(worker, report)

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
                keeping.append(tasks.create_task(self._tell_more()))
                ready(address)
                await stop.wait()
                for task in keeping:
                    task.cancel()
        finally:
            await asyncio.gather(*map(self._end, list(self._workers)))

    @property
    def _paced(self) -> bool:
        """The timeline has a time of its own, which the workers cannot know."""
        return self._server.time != self._server.clock.time

    async def _tell_more(self) -> None:
        """The time, if it is not that of the clock, and what was recorded, for their metrics."""
        server = self._server
        while True:
            said: dict[str, Any] = {"recording": server.recording.as_json(), "complete": server.watermark()}
            if self._paced:
                said["time"] = server.time()
            for worker in self._workers:
                _write(worker, said)
            await server.clock.sleep(_TICK if self._paced else _SECOND)

    async def _keep(self, worker: asyncio.subprocess.Process | None) -> None:
        """One worker after the other."""
        while True:
            if worker is None:
                worker = await self._start()
                await self._listening(worker)
            async with asyncio.TaskGroup() as answers:
                assert worker.stdout is not None
                while line := await worker.stdout.readline():
                    answers.create_task(self._answer(worker, json.loads(line)))
            code = await worker.wait()
            self._workers.pop(worker, None)
            sys.stderr.write(f"A worker ended with code {code}; another one takes its place\n")
            worker = None
            await self._server.clock.sleep(_AGAIN)

    async def _start(self) -> asyncio.subprocess.Process:
        worker = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "kstream.workers.worker",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=_LINE,
        )
        self._workers[worker] = None
        server = self._server
        orders = {
            "log": str(self._log),
            "mode": server.mode,
            "settings": self._settings.model_dump(mode="json"),
            "time": server.time() if self._paced else None,
            "status": server.status is not None,
            "control": server.control is not None,
        }
        _write(worker, orders)
        for report in self._health.retold():
            self._tell(worker, report)
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

    def _tell(self, worker: asyncio.subprocess.Process, report: Report) -> None:
        _write(worker, {"report": report_as_json(report), "after": self._after})

    async def _answer(self, worker: asyncio.subprocess.Process, asked: dict[str, Any]) -> None:
        """What a client wants to know or have done, which only this process can."""
        server = self._server
        value: Mapping[str, Any]
        try:
            if asked["what"] == "control":
                assert server.control is not None
                value = await server.control(asked["body"])
            else:
                assert server.status is not None
                value = await server.status()
        except KstreamError as error:
            details = error.details if isinstance(error, InvalidMessageError) else ""
            _write(worker, {"answer": asked["ask"], "error": [str(error), details]})
        except Exception:  # noqa: BLE001 - what one client asked for must not end the service of all
            traceback.print_exc()
            _write(worker, {"answer": asked["ask"], "error": ["That could not be done; stderr has why", ""]})
        else:
            _write(worker, {"answer": asked["ask"], "value": value})

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
