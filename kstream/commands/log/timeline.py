"""`kstream log timeline`: how much happened, and how much was bad, bucket by bucket."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from kstream.commands.log.reading import (
    filter_options,
    log_argument,
    moments,
    output_option,
    point_option,
    run,
    table,
    watched_by,
)
from kstream.config import env_option
from kstream.core.errors import InvalidMessageError, UsageError
from kstream.core.timeline.buckets import Bucket
from kstream.core.timeline.events import Verb
from kstream.core.timeline.timepoint import timestamp
from kstream.core.visible import json_text
from kstream.logs.sqlite import SqliteLog
from kstream.logs.timelines import MOST
from kstream.logs.timelines import timeline as counted


@click.command()
@log_argument
@point_option("from", help="The beginning by default.")
@point_option("to", help="The end by default.")
@env_option(
    "--buckets", type=click.IntRange(1, MOST), default=20, show_default=True, help="Into how many parts."
)
@filter_options
@output_option
def timeline(path: Path, buckets: int, output: str, **wanted: Any) -> None:
    """How much happened in LOG, and how much was bad, bucket by bucket; with -o json a JSON object a line.

    Bad is what the page calls "not well": CrashLoopBackOff, Error, ImagePullBackOff, a node's NotReady.
    """
    points = {name: wanted.pop(name) for name in ("from", "to")}
    watched = watched_by(**wanted)

    async def count(log: SqliteLog) -> list[Bucket]:
        first, last = await moments(log, points["from"], points["to"])
        try:
            return await counted(log, watched, first, last, buckets)
        except InvalidMessageError as invalid:
            raise UsageError(f"{invalid}: {invalid.details}") from None

    found = run(path, count)
    if output == "json":
        for bucket in found:
            click.echo(json_text(bucket.as_json()))
    else:
        click.echo(_text(found))


def _text(found: Sequence[Bucket]) -> str:
    head = ("UNTIL", "SEQ", "ADDED", "MODIFIED", "DELETED", "WORSE", "BETTER", "BAD")
    rows = [
        (
            timestamp(each.ends),
            f"{each.first}-{each.last}" if each.first is not None else "",
            *(_count(sum(verbs.get(verb, 0) for verbs in each.counts.values())) for verb in _VERBS),
            *map(_count, (each.worse, each.better, each.bad)),
        )
        for each in found
    ]
    return table(head, rows)


_VERBS = (Verb.ADDED, Verb.MODIFIED, Verb.DELETED)


def _count(number: int) -> str:
    """Nothing for none, so that what there is stands out."""
    return str(number) if number else ""
