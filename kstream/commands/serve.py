"""`kstream serve`: the live cluster."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import click

from kstream.clock import SystemClock
from kstream.commands.cluster import cluster_options, kube_source, stream_status
from kstream.commands.serving import announce, serve_until_stopped
from kstream.config import env_option, serve_settings, serving_options
from kstream.core.errors import KstreamError
from kstream.crew import Crew
from kstream.logs.sqlite import SqliteLog
from kstream.ports import Source
from kstream.run import Server, first_of, stop_on_signals
from kstream.service import record


@click.command()
@cluster_options
@env_option(
    "--log",
    type=click.Path(dir_okay=False),
    help="Keep the history in this file and go on from it after a restart; without it, a temporary one.",
)
@env_option(
    "--workers",
    type=click.IntRange(1),
    default=1,
    help="Processes that serve, behind one port, while this one records: for more clients than a core can take.",
)
@serving_options
def serve(log: str | None, workers: int, **options: Any) -> None:
    """Stream the live cluster."""
    asyncio.run(_serve(log, workers, options))


async def _serve(path: str | None, workers: int, options: dict[str, Any]) -> None:
    settings = serve_settings(options)
    clock = SystemClock()
    source = kube_source(options, clock)
    log = await (SqliteLog.open(path) if path is not None else SqliteLog.open_temporary())
    server = Server(
        mode="live",
        settings=settings,
        log=log,
        source=source,
        clock=clock,
        time=clock.time,
        status=lambda: stream_status(source),
    )
    if workers == 1:
        await serve_until_stopped(server)
    else:
        await _serve_with(workers, server, source, log.path)


async def _serve_with(workers: int, server: Server, source: Source, path: Path) -> None:
    crew = Crew(count=workers, log=path, mode=server.mode, settings=server.settings, clock=server.clock)
    stop = asyncio.Event()
    stop_on_signals(stop)
    try:
        async with asyncio.TaskGroup() as tasks:
            recording = tasks.create_task(record(source, server.log, server.clock, report=crew.report))
            await crew.run(ready=lambda address: announce(server, address), stop=stop)
            recording.cancel()
    except* KstreamError as group:
        raise first_of(group) from None
    finally:
        await server.log.close()
