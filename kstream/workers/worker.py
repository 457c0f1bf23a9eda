"""One of the processes that serve from the same log, behind the same port (`--workers`).

Started by a Crew, with which it speaks JSON lines (crew.py says which). It ends when its stdin does, so it never
outlives the process that records.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from kstream.clock import SystemClock, time_at
from kstream.collecting import collect_seldom
from kstream.config import ServeSettings
from kstream.core.delivery.tally import Recording
from kstream.core.errors import InvalidMessageError
from kstream.core.timeline.health import Cleared, ErrorCode, Fault, Report, report_of_json
from kstream.ending import bound_the_end, stop_on_signals
from kstream.logs.sqlite import SqliteLog
from kstream.ports import Clock
from kstream.processlog.faults import log_cleared, log_fault
from kstream.processlog.setup import process_log
from kstream.run import Address, Server, run
from kstream.web.measures import Measures
from kstream.workers.handing import Handing
from kstream.workers.hearing import heard
from kstream.workers.saying import LINE, Voice
from kstream.workers.seats import SharedSeats

_SILENT = 10.0  # seconds without a word of the process that records: it speaks once a second
_SILENCE = Fault(
    ErrorCode.WATCH_ERROR,
    "The process that records is silent: what is shown is stale",
    f"No word of it for {_SILENT:.0f} s: it is stopped, or its machine is overloaded",
    "recorder",
    stale=True,
)
_ANSWERED = 2.0  # seconds in which it answers, unless it is held up: a probe that asks may wait for ten
_MEASURED = 3.0  # and in which it can ask all for what they measure
_LONGEST = 0.5  # seconds that a timeline is believed to go on as it did, without word of it


class Foreman:
    """The process that records, as a worker sees it."""

    def __init__(
        self, lines: asyncio.StreamReader, clock: Clock, *, say: Callable[[object], bool], time: float | None
    ) -> None:
        """`say` says it to that process, or returns False; `time`: of a timeline that has its own."""
        self.gone = asyncio.Event()
        self.recording = Recording()
        self._lines = lines
        self._clock = clock
        self._say = say
        self._asked = itertools.count()
        self._answers: dict[int, asyncio.Future[Mapping[str, Any]]] = {}
        self._asking: dict[str, asyncio.Task[Mapping[str, Any]]] = {}  # what all who ask wait for together
        self._time = clock.time() if time is None else time
        self._heard = clock.monotonic()
        self._silent = False  # nobody waits for an answer of it
        self._complete: list[Any] | None = None
        self._rate = 0.0  # seconds of the timeline in a second
        self._measure: Callable[[], Awaitable[Measures]] = _nothing
        self._telling: set[asyncio.Task[None]] = set()
        self._whole: Measures | None = None

    async def reports(self) -> AsyncGenerator[tuple[Report, int], None]:
        """What the source says; everything else that comes is put where it belongs. Ends with the other process."""
        while True:
            reading = asyncio.ensure_future(heard(self._lines))
            try:
                began = self._clock.monotonic()
                if silent := not await self._done(reading, _SILENT):
                    self._silent = True
                    log_fault(_SILENCE)
                    yield _SILENCE, 0
                if (said := await reading) is None:
                    break
            finally:
                reading.cancel()
            self._silent = False
            if silent:
                log_cleared(_SILENCE, self._clock.monotonic() - began)
                yield Cleared(_SILENCE.subject), 0
            if "report" in said:
                yield report_of_json(said["report"]), said["after"]
            elif "answer" in said:
                self._answered(said)
            elif "measure" in said:
                telling = asyncio.create_task(self._tell_measures(said["measure"]))
                self._telling.add(telling)
                telling.add_done_callback(self._telling.discard)
            else:
                self.recording.learn(said["recording"])
                self._complete = said["complete"]
                if "time" in said:
                    self._hear(said["time"])
        self.gone.set()
        for answer in self._answers.values():
            answer.cancel()

    async def _done(self, waited: asyncio.Future[Any], seconds: float) -> bool:
        """Whether it is, before so many seconds have passed."""
        timer = asyncio.ensure_future(self._clock.sleep(seconds))
        try:
            await asyncio.wait((waited, timer), return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
        return waited.done()

    def time(self) -> float:
        """The time of the timeline, seconds since the Unix epoch."""
        return self._time + self._rate * min(self._clock.monotonic() - self._heard, _LONGEST)

    def watermark(self) -> tuple[float, int] | None:
        """Up to when, with which seq, the log is complete, as told last."""
        return None if self._complete is None else (self._complete[0], self._complete[1])

    async def status(self) -> Mapping[str, Any]:
        """What the source knows of its watches; nothing when the other process does not say it in time."""
        return await self._told("status", _ANSWERED) or {}

    def attach(self, measure: Callable[[], Awaitable[Measures]]) -> None:
        """What the share of this process is asked of."""
        self._measure = measure

    async def measures(self) -> Measures:
        """Those of all who serve; while the other process is silent, the last ones, and what is wrong as seen here."""
        if (told := await self._told("measures", _MEASURED)) is not None:
            self._whole = dict(told)
            return self._whole
        own = await self._measure()
        known = own if self._whole is None else self._whole
        return known | {name: own[name] for name in ("kstream_stale", "kstream_faults")}

    async def _tell_measures(self, number: int) -> None:
        self._say({"measured": number, "value": await self._measure()})

    async def control(self, body: dict[str, Any]) -> Mapping[str, Any]:
        """Take a hand in a simulation. Raises InvalidMessageError when it is refused."""
        return await self._ask("control", body)

    def _hear(self, time: float) -> None:
        now = self._clock.monotonic()
        if now > self._heard:
            self._rate = max(time - self._time, 0.0) / (now - self._heard)
        self._time, self._heard = time, now

    async def _told(self, what: str, within: float) -> Mapping[str, Any] | None:
        """What the other process answers; None where it does not, before so many seconds have passed."""
        if self._silent:
            return None
        asked = asyncio.ensure_future(self._ask_once(what))
        try:
            return asked.result() if await self._done(asked, within) else None
        except InvalidMessageError:
            return None
        finally:
            asked.cancel()

    async def _ask_once(self, what: str) -> Mapping[str, Any]:
        """One question for all who want to know the same: one that is not answered is not asked again."""
        if (asking := self._asking.get(what)) is None:
            asking = self._asking[what] = asyncio.create_task(self._ask(what, None))
            asking.add_done_callback(lambda done: self._asked_once(what, done))
        return await asyncio.shield(asking)

    def _asked_once(self, what: str, asking: asyncio.Task[Mapping[str, Any]]) -> None:
        del self._asking[what]
        if not asking.cancelled():
            asking.exception()  # perhaps nobody waits for it any more

    async def _ask(self, what: str, body: object) -> Mapping[str, Any]:
        number = next(self._asked)
        answer: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        try:
            if not self._say({"ask": number, "what": what, "body": body}):
                raise InvalidMessageError(
                    "That cannot be asked of the process that records",
                    "It does not read, or it is too long: try again",
                )
            return await answer
        finally:
            del self._answers[number]

    def _answered(self, said: dict[str, Any]) -> None:
        answer = self._answers.get(said["answer"])
        if answer is None or answer.done():
            return  # whoever asked has gone
        if "error" in said:
            answer.set_exception(InvalidMessageError(*said["error"]))
        else:
            answer.set_result(said["value"])


async def _nothing() -> Measures:
    return {}


async def serve(orders: dict[str, Any], lines: asyncio.StreamReader, voice: Voice) -> None:
    """Serve as ordered until `lines` end, or a signal says so."""
    clock = SystemClock()
    log = await SqliteLog.open_read_only(orders["log"], clock=clock)
    paced = orders["time"] is not None
    foreman = Foreman(lines, clock, say=voice.say, time=orders["time"])
    # A signal reaches the whole group of processes, or all of a container: each says goodbye to its clients.
    stop_on_signals(foreman.gone)
    ending = asyncio.create_task(_end_soon(foreman.gone))
    settings = ServeSettings.model_validate(orders["settings"])
    descriptor, workers, number = orders["seats"]
    neighbours = Handing(orders["doors"], number=number, clock=clock)
    seats = SharedSeats(descriptor, workers=workers, number=number, most=settings.max_clients)
    server = Server(
        mode=orders["mode"],
        settings=settings,
        log=log,
        source=None,
        clock=clock,
        time=foreman.time if paced else clock.time,
        status=foreman.status if orders["status"] else None,
        control=foreman.control if orders["control"] else None,
        reports=foreman.reports(),
        watermark=foreman.watermark,
        moment=float if paced else partial(time_at, clock),
        recording=foreman.recording,
        seats=seats,
        whole=foreman,
        neighbours=neighbours,
    )

    def listening(address: Address) -> None:
        voice.say({"host": address.host, "port": address.port})

    try:
        await run(server, ready=listening, stop=foreman.gone)
    finally:
        ending.cancel()
        await log.close()
        seats.close()
        neighbours.close()


async def _end_soon(gone: asyncio.Event) -> None:
    await gone.wait()
    bound_the_end()


async def _main(orders: dict[str, Any]) -> None:
    lines = asyncio.StreamReader(limit=LINE)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    pipe, _ = await loop.connect_write_pipe(asyncio.Protocol, sys.stdout)
    await serve(orders, lines, Voice(pipe))


def main() -> None:
    """Exit code as the error says; the message goes to stderr."""
    # Not a byte more than the first line: the loop reads the others.
    with open(sys.stdin.fileno(), "rb", buffering=0, closefd=False) as stdin:
        line = stdin.readline()
    if not line:
        return  # whoever started us is gone already
    collect_seldom()
    orders = json.loads(line)
    settings = orders["settings"]
    with process_log(
        settings["log_format"],
        settings["log_level"],
        clock=SystemClock(),
        among=orders["seats"][1],
        worker=os.getpid(),
    ):
        asyncio.run(_main(orders))


if __name__ == "__main__":
    main()
