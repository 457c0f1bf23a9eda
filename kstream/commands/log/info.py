"""`kstream log info`: what a log is of, and how much is in it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, TypeVar

import click

from kstream.commands.log.reading import log_argument, output_option, run, table
from kstream.core.errors import LogFormatError
from kstream.core.timeline.events import Kind
from kstream.core.timeline.timepoint import timestamp
from kstream.core.visible import json_text
from kstream.logs.places import time_of
from kstream.logs.sqlite import SqliteLog

_T = TypeVar("_T")


@click.command()
@log_argument
@output_option
def info(path: Path, output: str) -> None:
    """What LOG is of, from when to when, and how much is in it."""
    told, damage = run(path, _told)
    if output == "json":
        click.echo(json_text(told))
    else:
        none = "unknown" if damage else "none"
        rows = [(name, none if value is None else str(value)) for name, value in told.items()]
        click.echo(table(("", ""), rows).lstrip())
    if damage:
        raise damage[0]


async def _told(log: SqliteLog) -> tuple[dict[str, Any], list[LogFormatError]]:
    """And what could not be read for it: all else is told."""
    damage: list[LogFormatError] = []

    async def readable(reading: Awaitable[_T]) -> _T | None:
        try:
            return await reading
        except LogFormatError as error:
            damage.append(error)
            return None

    state = await readable(log.state_at(log.head))
    some = log.head >= log.oldest
    first, last = [await readable(time_of(log, seq)) if some else None for seq in (log.oldest, log.head)]
    cluster = log.cluster
    told = {
        "log": str(log.path),
        "bytes": (await asyncio.to_thread(log.path.stat)).st_size,
        "cluster": cluster.name if cluster else "unknown",
        "version": cluster.version if cluster else "unknown",
        "epoch": log.epoch,
        "terms": len(log.terms),
        "first": log.oldest if some else None,
        "last": log.head or None,
        "events": log.head + 1 - log.oldest,
        "from": None if first is None else timestamp(first),
        "to": None if last is None else timestamp(last),
        **{f"{kind}s": None if state is None else sum(1 for _ in state.entries(kind)) for kind in Kind},
    }
    return told, damage
