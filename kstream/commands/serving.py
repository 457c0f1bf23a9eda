"""What the serving commands share: the line at the start, signals, and the event loop."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import click

from kstream.config import VERSION, ServeSettings
from kstream.core.errors import KstreamError
from kstream.descriptors import fitting, raise_limit
from kstream.ending import first_of, stop_on_signals, stop_with_stdin
from kstream.ports import EventLog
from kstream.processlog.lines import say
from kstream.run import Address, Server, run, start_recording
from kstream.workers.crew import Crew

_log = logging.getLogger(__name__)


def fitted(settings: ServeSettings, *, processes: int = 1) -> ServeSettings:
    """With no more clients than so many `processes` can have open files for, all that the system allows."""
    most = fitting(settings.max_clients, limit=raise_limit(), processes=processes)
    return settings.model_copy(update={"max_clients": most})


def announce(server: Server, address: Address) -> None:
    """One line with where to connect; with `-o json` one object for programs."""
    if server.settings.output == "json":
        line = json.dumps(
            {
                "mode": server.mode,
                "page": address.page,
                "websocket": address.websocket,
                "host": address.host,
                "port": address.port,
                "epoch": server.log.epoch,
            }
        )
    else:
        line = f"kstream {server.mode}: {address.websocket}  ·  open {address.page}  ·  Ctrl-C stops"
    # Nobody may read it: a full or closed stdout is no reason not to serve.
    with suppress(OSError):
        click.echo(line)


def _file_of(log: EventLog) -> dict[str, str]:
    path = getattr(log, "path", None)
    return {} if path is None else {"log": str(path)}


async def serve_until_stopped(
    server: Server,
    *,
    crew: Crew | None = None,
    alongside: Callable[[asyncio.Event], Coroutine[Any, Any, None]] | None = None,
) -> None:
    """Run the server until Ctrl-C or SIGTERM, then close the log; with a `crew`, record here and let that one serve.

    `alongside` runs from when the server listens until it stops, and may set the event that stops it.
    """
    stop = asyncio.Event()
    stop_on_signals(stop)
    if server.settings.end_with_stdin:
        stop_with_stdin(stop)
    companions: list[asyncio.Task[None]] = []
    began: float | None = None

    def ready(address: Address) -> None:
        nonlocal began
        began = server.clock.monotonic()
        say(
            _log,
            logging.INFO,
            "started",
            mode=server.mode,
            version=VERSION,
            url=address.page,
            workers=1 if crew is None else crew.count,
            head=server.log.head,
            **_file_of(server.log),
        )
        announce(server, address)
        if alongside is not None:
            companions.append(asyncio.create_task(alongside(stop)))

    try:
        if crew is None:
            await run(server, ready=ready, stop=stop)
        else:
            await _record_for(crew, server, ready=ready, stop=stop)
    finally:
        for companion in companions:
            companion.cancel()
        await asyncio.gather(*companions, return_exceptions=True)
        await server.log.close()
        if began is not None:
            say(_log, logging.INFO, "stopped", seconds=round(server.clock.monotonic() - began, 1))


async def _record_for(
    crew: Crew, server: Server, *, ready: Callable[[Address], None], stop: asyncio.Event
) -> None:
    try:
        async with asyncio.TaskGroup() as tasks:
            running = start_recording(server, tasks, report=crew.report)
            await crew.run(ready=ready, stop=stop)
            for task in running:
                task.cancel()
    except* KstreamError as group:
        raise first_of(group) from None
