"""`kstream log info`: what a log is of, and how much is in it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import click

from kstream.commands.log.reading import log_argument, output_option, run, table
from kstream.core.timeline.events import Kind
from kstream.core.timeline.timepoint import timestamp
from kstream.core.visible import json_text
from kstream.logs.places import time_of
from kstream.logs.sqlite import SqliteLog


@click.command()
@log_argument
@output_option
def info(path: Path, output: str) -> None:
    """What LOG is of, from when to when, and how much is in it."""
    told = run(path, _told)
    if output == "json":
        click.echo(json_text(told))
    else:
        click.echo(table(("", ""), [(name, str(value)) for name, value in told.items()]).lstrip())


async def _told(log: SqliteLog) -> dict[str, Any]:
    state = await log.state_at(log.head)
    some = log.head >= log.oldest
    cluster = log.cluster
    return {
        "log": str(log.path),
        "bytes": (await asyncio.to_thread(log.path.stat)).st_size,
        "cluster": cluster.name if cluster else "unknown",
        "version": cluster.version if cluster else "unknown",
        "epoch": log.epoch,
        "terms": len(log.terms),
        "first": log.oldest,
        "last": log.head,
        "events": log.head + 1 - log.oldest,
        "from": timestamp(await time_of(log, log.oldest)) if some else None,
        "to": timestamp(await time_of(log, log.head)) if some else None,
        **{f"{kind}s": sum(1 for _ in state.entries(kind)) for kind in Kind},
    }
