"""`kstream replay`: a recording, as if it happened now."""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import Any

import click

from kstream.clock import SystemClock
from kstream.commands.keys import Keys
from kstream.commands.serving import fitted, serve_until_stopped
from kstream.config import Finite, ServeSettings, env_option, serve_settings, serving_options
from kstream.core.errors import InvalidMessageError, LogError, UsageError
from kstream.logs.places import check_kept
from kstream.logs.replay import ReplayLog
from kstream.logs.sqlite import SqliteLog
from kstream.ports import Clock
from kstream.processlog.lines import say
from kstream.processlog.setup import process_log
from kstream.run import replay_of

_log = logging.getLogger(__name__)


@click.command()
@click.argument("log", type=click.Path(dir_okay=False))
@env_option("--speed", default="1", metavar="N|max", help="Recorded seconds for a second.")
@env_option(
    "--from",
    "start",
    metavar="POINT",
    help="Begin here: RFC 3339, seq:N, +90s (from its start), -5m (to its end).",
)
@env_option("--to", "end", metavar="POINT", help="End here.")
@env_option("--loop", is_flag=True, help="Begin again at the end.")
@env_option(
    "--max-gap",
    type=Finite(0, 1e9, min_open=True),
    metavar="SECONDS",
    help="Make longer pauses between two events this short.",
)
@env_option("--start-paused", is_flag=True, help="Wait for the space bar.")
@serving_options
def replay(log: str, **options: Any) -> None:
    """Stream the recording LOG to clients on one shared timeline."""
    settings = serve_settings(options)
    with process_log(settings.log_format, settings.log_level, clock=SystemClock()):
        asyncio.run(_replay(log, fitted(settings), **options))


async def _replay(path: str, settings: ServeSettings, **options: Any) -> None:
    clock = SystemClock()
    recording = await SqliteLog.open_read_only(path, clock=clock)
    try:
        if not recording.head:
            raise LogError(
                f"Nothing was recorded in {path}: there is nothing to play. `kstream record` says why"
            )
        timeline = await _timeline(recording, clock, **options)
        if options["start_paused"] and not (sys.stdin.isatty() and sys.stderr.isatty()):
            say(
                _log,
                logging.INFO,
                "paused",
                message='nothing is played until {"action": "play"} is sent with POST to /api/playback',
            )
        await _serve(timeline, clock, settings)
    finally:
        await recording.close()


async def _timeline(recording: SqliteLog, clock: Clock, *, start_paused: bool, **options: Any) -> ReplayLog:
    try:
        for option, point in (("--from", options["start"]), ("--to", options["end"])):
            if point is not None:
                await check_kept(recording, point, field=option)
        return await ReplayLog.open(recording, clock, paused=start_paused, **options)
    except InvalidMessageError as invalid:
        raise UsageError(f"--{invalid.details.removeprefix('--')}") from None


async def _serve(timeline: ReplayLog, clock: Clock, settings: ServeSettings) -> None:
    server = replay_of(timeline, clock, settings)
    await serve_until_stopped(server, alongside=lambda stop: Keys(timeline, stop).run())
