"""`kstream log diff`: what is different between two moments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kstream.commands.log.reading import (
    SIGNS,
    between,
    filter_options,
    log_argument,
    name_of,
    nothing,
    output_option,
    point_option,
    run,
    watched_by,
)
from kstream.core.timeline.comparison import Change, compared
from kstream.core.visible import json_text, visible
from kstream.logs.sqlite import SqliteLog


@click.command()
@log_argument
@point_option("from", help="The beginning by default.")
@point_option("to", help="The end by default.")
@filter_options
@output_option
def diff(path: Path, output: str, **wanted: Any) -> None:
    """Which objects of LOG came, went and changed between two moments, and in what; not what was in between."""

    points = {name: wanted.pop(name) for name in ("from", "to")}
    watched = watched_by(**wanted)

    async def compare(log: SqliteLog) -> list[Change]:
        first, last = await between(log, points["from"], points["to"])
        return list(
            compared(await log.state_at(first.seq), await log.state_at(last.seq), watched.lets_through)
        )

    changes = run(path, compare)
    for change in changes:
        click.echo(json_text(change.as_json()) if output == "json" else _text(change))
    if not changes:
        nothing("nothing is different between these moments", output)


def _text(change: Change) -> str:
    lines = [f"{SIGNS[change.verb]} {change.key.kind.value} {name_of(change.key)}"]
    return "\n".join(map(visible, [*lines, *(f"    {each}" for each in change.changes)]))
