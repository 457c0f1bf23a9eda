"""`kstream log trim`: drop the beginning of a recording that nobody writes."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any, NamedTuple

import click

from kstream.commands.keeping import keep_settings, keeping_options
from kstream.config import env_option
from kstream.core.errors import LogError, LogFullError, UsageError
from kstream.core.timeline.retention import Keep
from kstream.logs.places import time_of
from kstream.logs.sqlite import SqliteLog
from kstream.retention import trim_to


class _Trimmed(NamedTuple):
    """What `-o json` prints."""

    log: str
    dropped: int  # events
    oldest: int  # seq of the first event that is left; head + 1 when none is
    head: int
    bytes_before: int
    bytes_after: int
    fits: bool  # in --keep-size


@click.command()
@click.argument("log", type=click.Path(dir_okay=False, path_type=Path))
@keeping_options(temporary=False)
@env_option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", help="For people or programs."
)
def trim(log: Path, output: str, **options: Any) -> None:
    """Drop the oldest events of the recording LOG; what is left plays as before.

    The age of events counts from the last one: --keep-for 1h keeps the last hour. --keep-size may drop all events and
    leave the state alone. At least one of the two options is needed. A log that a running kstream writes is refused;
    give that one the options instead. `kstream trim` is the same command.
    """
    keep = keep_settings(options)
    if keep.everything:
        raise UsageError(
            "kstream log trim: nothing says what to keep; give --keep-for 1h or --keep-size 500MB"
        )
    trimmed = asyncio.run(_trim(log, keep))
    if output == "json":
        click.echo(json.dumps(trimmed._asdict()))
    else:
        click.echo(_line(trimmed))
    if not trimmed.fits:
        click.echo(
            f"{log}: the state alone takes more than {keep.size} bytes; all of the history was dropped",
            err=True,
        )


def _line(trimmed: _Trimmed) -> str:
    kept = trimmed.head + 1 - trimmed.oldest
    if kept:
        left = f"left are those from {trimmed.oldest} to {trimmed.head}"
    elif trimmed.head:
        left = "none is left, but the state"
    else:
        left = "there was none"
    return (
        f"{trimmed.log}: {trimmed.dropped:,} events dropped, {left};"
        f" {trimmed.bytes_before:,} bytes before, {trimmed.bytes_after:,} after"
    )


async def _trim(path: Path, keep: Keep) -> _Trimmed:
    # Opened for writing, a file that is not there would be made.
    if not await asyncio.to_thread(path.is_file):
        raise LogError(f"{path}: there is no such event log; check the path")
    try:
        return await _trim_as(path, keep, only_trim=False)
    except LogFullError:
        click.echo(
            f"{path}: the disk is full; it is trimmed in place, which must not be interrupted", err=True
        )
        return await _trim_as(path, keep, only_trim=True)


async def _trim_as(path: Path, keep: Keep, *, only_trim: bool) -> _Trimmed:
    before = await asyncio.to_thread(_size, path)
    log = await SqliteLog.open(path, only_trim=only_trim)
    try:
        oldest = log.oldest
        fits = await trim_to(log, keep, now=await time_of(log, log.head))
        dropped, oldest, head = log.oldest - oldest, log.oldest, log.head
    finally:
        await log.close()
    return _Trimmed(str(path), dropped, oldest, head, before, await asyncio.to_thread(_size, path), fits)


def _size(path: Path) -> int:
    return path.stat().st_size
