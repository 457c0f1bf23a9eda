"""`kstream log when`: from when to when a condition was true, of which object, and by which events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kstream.commands.log.reading import (
    log_argument,
    moments,
    name_of,
    nothing,
    output_option,
    point_option,
    run,
)
from kstream.config import env_option
from kstream.core.conditions.condition import Condition
from kstream.core.conditions.intervals import Interval, Moment
from kstream.core.errors import InvalidMessageError, UsageError
from kstream.core.timeline.timepoint import timestamp
from kstream.core.visible import json_text, visible
from kstream.logs.searching import Found, when_all
from kstream.logs.sqlite import SqliteLog


@click.command()
@log_argument
@click.argument("where")
@point_option("from", help="The beginning by default.")
@point_option("to", help="The end by default.")
@env_option(
    "--limit", type=click.IntRange(1, 10_000), default=1000, show_default=True, help="Intervals at most."
)
@output_option
def when(path: Path, where: str, limit: int, output: str, **wanted: Any) -> None:
    """From when to when WHERE was true in LOG, and of which object; with -o json a JSON object a line.

    WHERE is a CEL expression about a pod, a node or a namespace: pod.status == "CrashLoopBackOff" && pod.namespace ==
    "shop", or size(pod.containers) > 2, or pod.labels["app"] == "web".
    """
    try:
        condition = Condition.parse(where)
    except InvalidMessageError as invalid:
        raise UsageError(f"{invalid}: {invalid.details}") from None

    async def search(log: SqliteLog) -> Found:
        first, last = await moments(log, wanted["from"], wanted["to"])
        try:
            return await when_all(log, condition, start=Moment(*first), upto=last[0], limit=limit)
        except InvalidMessageError as invalid:
            raise UsageError(f"{invalid}: {invalid.details}") from None

    found = run(path, search)
    for each in found.intervals:
        click.echo(json_text(each.as_json()) if output == "json" else _text(each))
    if not (found.intervals or found.more or found.cursor is not None):
        nothing("that was so of no object", output)
    if found.undecided:
        click.echo(visible(f"Of {found.undecided} it could not be told: {found.why}"), err=True)
    if found.more:
        click.echo(
            f"{found.more} more were so at the beginning already: raise --limit, or narrow it", err=True
        )
    if found.cursor is not None:
        click.echo(f"There may be more: go on with --from seq:{found.cursor}, or raise --limit", err=True)


def _text(each: Interval) -> str:
    since = "until then and on" if each.earlier else f"seq {each.since.seq}"
    until = f"{timestamp(each.until.time)} (seq {each.until.seq})" if each.until else "the end"
    return visible(
        f"{each.key.kind.value} {name_of(each.key)}  {timestamp(each.since.time)} ({since}) to {until}"
    )
