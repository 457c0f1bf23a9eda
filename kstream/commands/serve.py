"""`kstream serve`: the live cluster."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import click

from kstream.clock import SystemClock, time_at
from kstream.commands.cluster import cluster_options, kube_source, stream_status
from kstream.commands.keeping import keep_settings, keeping_options, retention
from kstream.commands.livelog import open_live
from kstream.commands.serving import fitted, serve_until_stopped
from kstream.config import ServeSettings, env_option, serve_settings, serving_options, workers_option
from kstream.logs.leftovers import sweep
from kstream.logs.sqlite import SqliteLog
from kstream.processlog.setup import process_log
from kstream.run import Server
from kstream.workers.crew import Crew


@click.command()
@cluster_options
@env_option(
    "--log",
    type=click.Path(dir_okay=False),
    help="Keep the history in this file and go on from it after a restart; without it, a temporary one.",
)
@keeping_options(temporary=True)
@workers_option
@serving_options
def serve(log: str | None, workers: int, **options: Any) -> None:
    """Stream the live cluster."""
    settings = serve_settings(options)
    with process_log(settings.log_format, settings.log_level, clock=SystemClock()):
        asyncio.run(_serve(log, workers, fitted(settings, processes=workers), options))


async def _serve(path: str | None, workers: int, settings: ServeSettings, options: dict[str, Any]) -> None:
    keep = keep_settings(options, temporary=path is None)
    clock = SystemClock()
    source = kube_source(options, clock)
    await asyncio.to_thread(sweep)
    log = await (open_live(path) if path is not None else SqliteLog.open_temporary())
    server = Server(
        mode="live",
        settings=settings,
        log=log,
        source=source,
        clock=clock,
        time=clock.time,
        retention=retention(log, keep, clock=clock, time=clock.time),
        status=lambda: stream_status(source),
        watermark=lambda: None if (heard := source.heard) is None else (heard, log.head),
        moment=partial(time_at, clock),
    )
    crew = Crew(server, count=workers, log=log.path) if workers > 1 else None
    await serve_until_stopped(server, crew=crew)
