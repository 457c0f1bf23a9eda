"""The processes that serve while this one records: started, told what the source says, replaced when one dies.

A worker is spoken to in JSON lines. On its stdin: first its orders, then `{"report", "after"}` of the source,
`{"recording", "time"}` now and then, `{"answer", "value" | "error"}` to what it asked, and `{"measure"}` to be told
`{"measured", "value"}`; on its stdout: `{"host", "port"}` once it listens, then `{"ask", "what", "body"}` for what only
this process knows (worker.py has the other end).
"""

from __future__ import annotations

import asyncio
import logging
import random
import signal
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from kstream.core.errors import BindError, InvalidMessageError, KstreamError
from kstream.core.timeline.health import Report
from kstream.core.watching.backoff import Backoff
from kstream.ending import first_of
from kstream.processlog.clients import log_clients
from kstream.processlog.lines import say
from kstream.run import Address, Server
from kstream.web.measures import Measures, join
from kstream.web.metrics import process_measures, recorded
from kstream.workers.handing import Doors
from kstream.workers.hearing import heard
from kstream.workers.measuring import Measuring
from kstream.workers.saying import LINE, line_of
from kstream.workers.seats import Ledger
from kstream.workers.telling import Telling

_log = logging.getLogger(__name__)
_REPLACED = "Another one takes its place; its clients resume there"
_AGAIN = 1.0  # seconds before one that died is started again
_TOLD_TO_END = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_STOPPING = 7.0  # seconds that one has to say goodbye to its clients
_UNREAD = 2**22  # bytes that one may leave unread: one that was stopped, or hangs, is ended and replaced


class Crew:
    """`count` workers on the log file `log`, which this process writes as `server` says. One port for all of them."""

    def __init__(self, server: Server, *, count: int, log: Path) -> None:
        self.count = count
        self._server = server
        self._log = log
        self._settings = server.settings
        self._telling = Telling(
            server.clock, server.recording, server.watermark, time=server.time if self._paced else None
        )
        self._workers: dict[asyncio.subprocess.Process, int] = {}  # to the number of its seats
        self._seats = Ledger(count)
        self._doors = Doors(count)
        self._measuring = Measuring(_write, server.clock)

    @property
    def pids(self) -> list[int]:
        """The processes that serve, or are about to."""
        return [worker.pid for worker in self._workers]

    def report(self, report: Report, *, after: int) -> None:
        """What the source says about itself, for all of them and for those to come."""
        self._telling.report(report, after=after)

    async def run(self, *, ready: Callable[[Address], None], stop: asyncio.Event) -> None:
        """Serve until `stop` is set. Raises BindError when the first worker cannot listen."""
        try:
            async with asyncio.TaskGroup() as tasks:
                serving = tasks.create_task(self._serve(ready))
                stopping = tasks.create_task(stop.wait())
                await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
                stopping.cancel()
                serving.cancel()
        except* KstreamError as group:
            raise first_of(group) from None
        finally:
            await asyncio.gather(*map(self._end, list(self._workers)))
            self._seats.close()
            self._doors.close()

    async def _serve(self, ready: Callable[[Address], None]) -> None:
        first, address = await self._begin(0)
        # Whoever comes now shares the port that the first one got.
        self._settings = self._settings.model_copy(update={"port": address.port})
        ready(address)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep(0, first))
            for number in range(1, self.count):
                tasks.create_task(self._keep(number, None))
            tasks.create_task(self._telling.run())
            tasks.create_task(log_clients(lambda: self._seats.taken, self._server.clock))

    async def _begin(self, number: int) -> tuple[asyncio.subprocess.Process, Address]:
        """One that listens. Raises BindError, KstreamError when it cannot."""
        while True:
            worker = await self._start(number)
            if (address := await self._listening(worker)) is not None:
                return worker, address
            await self._server.clock.sleep(_AGAIN)

    @property
    def _paced(self) -> bool:
        """The timeline has a time of its own, which the workers cannot know."""
        return self._server.time != self._server.clock.time

    async def _keep(self, number: int, worker: asyncio.subprocess.Process | None) -> None:
        """One worker after the other, each with the seats `number`."""
        backoff = Backoff(random.Random())
        while True:
            if worker is None:
                try:
                    worker, _ = await self._begin(number)
                except KstreamError as error:  # the others serve, and nobody but us records
                    wait = backoff.failed(self._server.clock.monotonic())
                    why = f"{error}; again in {wait:.0f} s"
                    say(_log, logging.ERROR, "worker could not start", message=why)
                    await self._server.clock.sleep(wait)
                    continue
            async with asyncio.TaskGroup() as answers:
                assert worker.stdout is not None, "a worker is started with its stdout piped"
                while (asked := await heard(worker.stdout)) is not None and _is_asked(asked):
                    answers.create_task(self._answer(worker, asked))
            code = await self._ended(worker, worker.stdout)
            say(_log, logging.ERROR, "worker ended", worker=worker.pid, exit_code=code, message=_REPLACED)
            worker = None
            await self._server.clock.sleep(_AGAIN)

    async def _start(self, number: int) -> asyncio.subprocess.Process:
        doors = self._doors.of(number)
        worker = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "kstream.workers.worker",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=LINE,
            pass_fds=(self._seats.descriptor, *doors),
        )
        self._workers[worker] = number
        server = self._server
        orders = {
            "log": str(self._log),
            "mode": server.mode,
            "settings": self._settings.model_dump(mode="json"),
            "time": server.time() if self._paced else None,
            "status": server.status is not None,
            "control": server.control is not None,
            "seats": [self._seats.descriptor, self.count, number],
            "doors": doors,
        }
        _write(worker, orders)
        self._telling.joined(worker, partial(_write, worker))
        return worker

    async def _listening(self, worker: asyncio.subprocess.Process) -> Address | None:
        """None for one that was told to end, as every process of a group may be, before it knew how to."""
        assert worker.stdout is not None, "a worker is started with its stdout piped"
        said = await heard(worker.stdout)
        if said is None:
            code = await self._ended(worker, worker.stdout)
            if -code in _TOLD_TO_END:
                return None
            error = BindError if code == BindError.exit_code else KstreamError
            raise error("A worker could not serve; what it says above is why")
        return Address(said["host"], said["port"])

    async def _answer(self, worker: asyncio.subprocess.Process, asked: dict[str, Any]) -> None:
        """What a client wants to know or have done, which only this process can."""
        server = self._server
        value: Mapping[str, Any]
        if "measured" in asked:
            self._measuring.hear(worker, asked)
            return
        try:
            if asked["what"] == "measures":
                value = await self._measures()
            elif asked["what"] == "control":
                assert server.control is not None, (
                    "a worker asks for what its orders say that there is none of"
                )
                value = await server.control(asked["body"])
            else:
                assert server.status is not None, (
                    "a worker asks for what its orders say that there is none of"
                )
                value = {**await server.status(), "clients": self._seats.taken}
        except KstreamError as error:
            details = error.details if isinstance(error, InvalidMessageError) else ""
            _write(worker, {"answer": asked["ask"], "error": [str(error), details]})
        except Exception:  # noqa: BLE001 - what one client asked for must not end the service of all
            _log.exception("an order of a client failed")
            _write(worker, {"answer": asked["ask"], "error": ["That could not be done; stderr has why", ""]})
        else:
            if not _write(worker, {"answer": asked["ask"], "value": value}):
                _write(worker, {"answer": asked["ask"], "error": ["The answer is too long to be told", ""]})

    async def _end(self, worker: asyncio.subprocess.Process) -> None:
        assert worker.stdin is not None, "a worker is started with its stdin piped"
        worker.stdin.close()
        try:
            async with asyncio.timeout(_STOPPING):
                await worker.wait()
        except TimeoutError:
            worker.kill()
            await worker.wait()
        self._forget(worker)

    async def _measures(self) -> Measures:
        """Those of all who serve, and of this process."""
        whole = await self._measuring.measures(self._workers)
        own = await asyncio.to_thread(process_measures)
        return join([whole, own]) | recorded(self._server.recording)

    async def _ended(self, worker: asyncio.subprocess.Process, said: asyncio.StreamReader) -> int:
        """The exit code of one that is not heard any more."""
        if not said.at_eof():  # it lives, and has lost its way
            worker.kill()
        code = await worker.wait()
        self._forget(worker)
        return code

    def _forget(self, worker: asyncio.subprocess.Process) -> None:
        if (number := self._workers.pop(worker, None)) is not None:
            self._telling.left(worker)
            self._seats.clear(number)
            self._measuring.forget(worker)


def _is_asked(said: dict[str, Any]) -> bool:
    measured = "measured" in said and isinstance(said.get("value"), dict)
    return measured or ("ask" in said and isinstance(said.get("what"), str))


def _write(worker: asyncio.subprocess.Process, said: object) -> bool:
    """False for what is too long to be heard."""
    assert worker.stdin is not None, "a worker is started with its stdin piped"
    if worker.stdin.is_closing():
        return True
    if (line := line_of(said)) is None:
        return False
    worker.stdin.write(line)
    if worker.stdin.transport.get_write_buffer_size() > _UNREAD:
        say(
            _log,
            logging.ERROR,
            "worker does not read",
            worker=worker.pid,
            unread=_UNREAD,
            message="It is ended",
        )
        worker.stdin.transport.abort()
        worker.kill()
    return True
