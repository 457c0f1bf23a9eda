"""What the serving commands share: the line at the start, signals, and the event loop."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

import click

from kstream.core.errors import KstreamError
from kstream.ending import first_of, stop_on_signals
from kstream.run import Address, Server, run, start_recording
from kstream.workers.crew import Crew


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
    click.echo(line)


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
    companions: list[asyncio.Task[None]] = []

    def ready(address: Address) -> None:
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
