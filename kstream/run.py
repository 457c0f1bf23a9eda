"""A running server, composed of a log, perhaps a source, and a clock."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import NamedTuple

from aiohttp import web

from kstream.config import ServeSettings
from kstream.core.delivery.limits import Limits
from kstream.core.delivery.messages import Mode
from kstream.core.delivery.tally import Recording
from kstream.core.errors import BindError, KstreamError
from kstream.core.timeline.health import Health, Report
from kstream.delivery.hub import Hub
from kstream.descriptors import Exhaustion
from kstream.ending import first_of
from kstream.logs.places import settled
from kstream.logs.replay import ReplayLog
from kstream.ports import Clock, EventLog, Played, Reporter, Source
from kstream.processlog.clients import log_clients
from kstream.processlog.faults import FaultLog
from kstream.retention import Retention
from kstream.service import follow, record
from kstream.web.accesslog import http_logging
from kstream.web.api import Status
from kstream.web.app import Control, make_app
from kstream.web.callers import CALLERS, Callers
from kstream.web.metrics import Whole
from kstream.web.neighbours import Neighbours
from kstream.web.seats import Seats

_BACKLOG = 1024  # connections that the system keeps until they are accepted
_IDLE = 30.0  # seconds for a request, from the beginning of a connection or the end of the request before it


class Address(NamedTuple):
    """Where the server can be reached."""

    host: str
    port: int

    @property
    def page(self) -> str:
        return f"http://{self._authority}/"

    @property
    def websocket(self) -> str:
        return f"ws://{self._authority}/ws"

    @property
    def _authority(self) -> str:
        # A wildcard is no address to open; whoever reads the line sits at this machine.
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)
        return f"[{host}]:{self.port}" if ":" in host and not host.startswith("[") else f"{host}:{self.port}"


@dataclass(frozen=True, kw_only=True)
class Server:
    """What is plugged in. The modes differ in this and in nothing else (docs/architecture.md)."""

    mode: Mode  # only told to clients
    settings: ServeSettings
    log: EventLog
    source: (
        Source | None
    )  # what this process records; None: the log is all there is, or another process writes it
    clock: Clock
    time: Callable[[], float]  # the time of the timeline, seconds since the Unix epoch
    watermark: Callable[[], tuple[float, int] | None]  # up to when, with which seq, the log is complete
    moment: Callable[[float], float] = float  # the time of the timeline that the watermark's first stands for
    limits: Limits = field(default_factory=Limits)
    retention: Retention | None = None  # of the log, if this process writes it
    timeline: Played | None = None  # of a replay: its changes are told to clients
    status: Status | None = None
    control: Control | None = None
    reports: AsyncGenerator[tuple[Report, int], None] | None = (
        None  # of a source that another process records
    )
    recording: Recording = field(default_factory=Recording)  # what the process that records has done
    seats: Seats | None = None  # of all who serve behind the port, where this process is not the only one
    whole: Whole | None = None  # the measures of these
    neighbours: Neighbours | None = None  # the others, with whom it shares the port


def replay_of(timeline: ReplayLog, clock: Clock, settings: ServeSettings) -> Server:
    """The server of a recording that is played."""
    return Server(
        mode="replay",
        settings=settings,
        log=timeline,
        source=None,
        clock=clock,
        time=timeline.time,
        watermark=timeline.watermark,
        timeline=timeline,
    )


async def run(server: Server, *, ready: Callable[[Address], None], stop: asyncio.Event) -> None:
    """Serve until `stop` is set. Raises BindError, and LogError when the log breaks."""
    log, settings = server.log, server.settings
    state = await settled(lambda: log.state_at(log.head))
    fed = server.source is not None or server.reports is not None
    health = Health.at_start(log.cluster, recorded=bool(state.seq), fed=fed)
    asyncio.get_running_loop().set_exception_handler(Exhaustion(server.clock))
    hub = Hub(
        epoch=log.epoch,
        term=lambda: log.terms[-1].id,
        source=server.mode,
        state=state,
        health=health,
        clock=server.clock,
        time=server.time,
        watermark=server.watermark,
        moment=server.moment,
        limits=server.limits,
        metrics_interval=settings.metrics_interval,
    )
    if server.timeline is not None:
        hub.watch(server.timeline)
    app = make_app(
        hub,
        log,
        settings,
        recording=server.recording,
        time=server.time,
        status=server.status,
        control=server.control,
        seats=server.seats,
        whole=server.whole,
        timeline=server.timeline,
        neighbours=server.neighbours,
    )
    runner = web.AppRunner(app, shutdown_timeout=5.0, keepalive_timeout=_IDLE, **http_logging())
    await runner.setup()
    try:
        address = await _listen(runner, settings, app[CALLERS], server.neighbours)
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(hub.run()), tasks.create_task(follow(log, hub))]
            running += start_recording(server, tasks, report=hub.report)
            if server.neighbours is None:
                running.append(tasks.create_task(log_clients(lambda: len(hub), server.clock)))
            if server.reports is not None:
                running.append(tasks.create_task(pass_on(server.reports, hub)))
            ready(address)
            await stop.wait()
            await runner.cleanup()
            for task in running:
                task.cancel()
    except* KstreamError as group:
        raise first_of(group) from None
    finally:
        await runner.cleanup()


def start_recording(
    server: Server, tasks: asyncio.TaskGroup, *, report: Reporter
) -> list[asyncio.Task[None]]:
    """Record what the source says, if this process is to, and drop what is not to be kept.

    Returns the tasks to cancel at the end.
    """
    running = []
    if server.source is not None:
        recording = record(
            server.source,
            server.log,
            server.clock,
            report=FaultLog(report, server.clock),
            progress=server.recording.progress,
            committed=server.recording.commits.add,
            retention=server.retention,
        )
        running.append(tasks.create_task(recording))
    if server.retention is not None:
        running.append(tasks.create_task(server.retention.run()))
    return running


async def pass_on(reports: AsyncGenerator[tuple[Report, int], None], hub: Hub) -> None:
    """To the hub, until they end: each report, and the seq that it comes after."""
    async with aclosing(reports):
        async for report, after in reports:
            hub.report(report, after=after)


class _Site(web.BaseSite):
    """As aiohttp's TCPSite, and `callers` hear of each connection as soon as there is one."""

    def __init__(
        self,
        runner: web.AppRunner,
        settings: ServeSettings,
        callers: Callers,
        neighbours: Neighbours | None,
    ) -> None:
        super().__init__(runner, backlog=_BACKLOG)
        self._settings = settings
        self._callers = callers
        self._neighbours = neighbours

    @property
    def name(self) -> str:
        return f"http://{self._settings.host}:{self._settings.port}"

    async def start(self) -> None:
        await super().start()
        self._server = await asyncio.get_running_loop().create_server(
            self._greet,
            self._settings.host,
            self._settings.port,
            backlog=_BACKLOG,
            reuse_port=True if self._neighbours is not None else None,
        )
        if self._neighbours is not None:
            self._neighbours.welcome(self._greet)

    def _greet(self) -> asyncio.Protocol:
        assert self._runner.server is not None, "the runner is set up before its site"
        connection = self._runner.server()
        # In the turn after the next one: by then asyncio has told the connection of its transport.
        loop = asyncio.get_running_loop()
        loop.call_soon(loop.call_soon, self._callers.came, connection)
        return connection


async def _listen(
    runner: web.AppRunner, settings: ServeSettings, callers: Callers, neighbours: Neighbours | None
) -> Address:
    site = _Site(runner, settings, callers, neighbours)
    try:
        await site.start()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            why = "another program listens there; choose another --port, or 0 for a free one"
        elif error.errno == errno.EACCES:
            why = "ports below 1024 need privileges; choose another --port"
        else:
            why = f"{error.strerror or error}; choose an address of this machine with --host"
        raise BindError(f"Cannot listen on {settings.host}:{settings.port}: {why}") from error
    port = runner.addresses[0][1]
    return Address(settings.host, port)
