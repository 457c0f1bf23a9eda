"""Every lasting fault is told to whoever is there and whoever comes, wherever one may look, and taken back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from kstream.clock import SystemClock
from kstream.config import ServeSettings
from kstream.core.timeline.events import Delivery, Kind, Known, Verb
from kstream.core.timeline.health import (
    Cleared,
    ClusterInfo,
    ErrorCode,
    Fault,
    Identified,
    Lost,
    Report,
    Synced,
)
from kstream.core.watching.reflection import Forbidden, InTouch, OutOfTouch, Stream
from kstream.core.watching.touch import Touch
from kstream.logs.memory import MemoryLog
from kstream.processlog.lines import FIELDS
from kstream.run import Address, Server, run
from kstream.workers import worker
from tests.making import change, pod_key
from tests.web.serving import connect

PODS, NODES = Stream(Kind.POD), Stream(Kind.NODE)


def _of(*, holds: bool, out: bool) -> list[Report]:
    """What the streams lead to: pods in touch, and nodes denied, or out of touch."""
    touch = Touch()
    for stream in (PODS, NODES):
        touch.expect(stream)
        touch.note(stream, InTouch())
    return touch.note(NODES, OutOfTouch("refused") if out else Forbidden("list", "no", holds))


LASTING: dict[str, list[Report]] = {
    "a kind that is denied, and shown": _of(holds=True, out=False),
    "a kind that is denied, of which nothing is shown": _of(holds=False, out=False),
    "a cluster that is gone": _of(holds=True, out=True),
    "a log that cannot be written": [
        Fault(ErrorCode.WATCH_ERROR, "The event log is full", "no space", "log", stale=True)
    ],
    "a namespace that is not there": [
        Fault(ErrorCode.WATCH_ERROR, "There is none", "Create it", "namespace:shop")
    ],
    "a process that records and is silent": [worker._SILENCE],
}


class Told:
    """A source that says what it is told to."""

    def __init__(self) -> None:
        self.said: asyncio.Queue[list[Report]] = asyncio.Queue()

    async def deliveries(self, known: Known) -> AsyncGenerator[Delivery, None]:
        cluster = Identified(ClusterInfo("test", "v1.36.0"))
        yield Delivery([change(Verb.ADDED, pod_key("a"))], reports=[cluster, Synced()])
        while True:
            yield Delivery(reports=await self.said.get())


@asynccontextmanager
async def serving(source: Told) -> AsyncIterator[Address]:
    clock = SystemClock()
    log = MemoryLog()
    server = Server(
        mode="live",
        settings=ServeSettings(port=0, metrics_interval=86_400.0),
        log=log,
        source=source,
        clock=clock,
        time=clock.time,
        watermark=lambda: None,
    )
    listening: asyncio.Future[Address] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    task = asyncio.create_task(run(server, ready=listening.set_result, stop=stop))
    try:
        yield await listening
    finally:
        stop.set()
        await task


class Heard:
    """What a client knows of faults and of freshness."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self.faults: dict[str, str] = {}
        self.status = ""

    async def until(self, faults: set[str], status: str) -> None:
        while self.faults.keys() != faults or self.status != status:
            message = json.loads(await self._socket.recv())
            if message["type"] == "connection":
                self.status = message["status"]
            elif message["type"] == "error":
                self.faults[message["error"]["fault"]] = message["error"]["code"]
            elif message["type"] == "cleared":
                del self.faults[message["fault"]]


async def _answers(address: Address) -> tuple[int, set[str], dict[str, float]]:
    """/readyz, the faults of /api/status, and what /metrics says of them."""
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{address.page}readyz") as answer:
            ready = answer.status
        async with session.get(f"{address.page}api/status") as answer:
            faults = {fault["fault"] for fault in (await answer.json())["faults"]}
        async with session.get(f"{address.page}metrics") as answer:
            lines = (await answer.text()).splitlines()
    measured = {
        name: float(line.split()[-1])
        for line in lines
        for name in ("kstream_stale", "kstream_faults")
        if line.startswith(f"{name} ")
    }
    return ready, faults, measured


@pytest.mark.parametrize("what", LASTING)
async def test_a_lasting_fault_is_told_everywhere_and_taken_back_everywhere(
    what: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    reports = LASTING[what]
    subjects = {report.subject for report in reports if isinstance(report, Fault)}
    stale = any(
        isinstance(report, Lost) or (isinstance(report, Fault) and report.stale) for report in reports
    )
    status = "reconnecting" if stale else "connected"
    source = Told()
    async with serving(source) as address, connect(address.websocket) as early:
        there = Heard(early)
        await there.until(set(), "connected")
        assert await _answers(address) == (200, set(), {"kstream_stale": 0.0, "kstream_faults": 0.0})

        source.said.put_nowait(reports)
        await there.until(subjects, status)
        async with connect(address.websocket) as late:
            await Heard(late).until(subjects, status)
        measured = {"kstream_stale": float(stale), "kstream_faults": float(len(subjects))}
        assert await _answers(address) == (503 if stale else 200, subjects, measured)

        source.said.put_nowait([*map(Cleared, sorted(subjects)), Synced()])
        await there.until(set(), "connected")
        async with connect(address.websocket) as later:
            await Heard(later).until(set(), "connected")
        assert await _answers(address) == (200, set(), {"kstream_stale": 0.0, "kstream_faults": 0.0})
    told = [(record.message, getattr(record, FIELDS, {}).get("fault")) for record in caplog.records]
    for subject in subjects:
        assert [said for said, fault in told if fault == subject] == ["fault", "fault over"]
