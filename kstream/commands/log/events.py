"""`kstream log events`: what happened, an event a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from kstream.commands.log.reading import (
    SIGNS,
    between,
    every_event,
    filter_options,
    log_argument,
    name_of,
    nothing,
    output_option,
    point_option,
    run,
    watched_by,
)
from kstream.config import env_option
from kstream.core.delivery.records import Record
from kstream.core.timeline.comparison import key_as_json
from kstream.core.timeline.events import Event
from kstream.core.timeline.timepoint import timestamp
from kstream.core.visible import json_text, visible
from kstream.logs.sqlite import SqliteLog


@click.command()
@log_argument
@point_option("from", help="Those after this; all by default.")
@point_option("to", help="And up to this.")
@filter_options
@env_option("--name", help="Only objects of this name.")
@output_option
def events(path: Path, output: str, name: str | None, **wanted: Any) -> None:
    """What happened in LOG, an event a line; with -o json a JSON object a line.

    With -l a pod that begins to match is ADDED, and one that ceases to is DELETED, as on the socket.
    """
    points = {bound: wanted.pop(bound) for bound in ("from", "to")}
    watched = watched_by(**wanted)

    async def tell(log: SqliteLog) -> bool:
        first, last = await between(log, points["from"], points["to"])
        # What the objects were before tells which of them begin to match, and which cease to.
        state = await log.state_at(first.seq) if watched.labels is not None else None
        told = False
        async for event in every_event(log, first.seq, last.seq):
            previous = state.apply(event) if state is not None else None
            seen = Record(event, previous).seen_by(watched)
            if seen is not None and name in (None, event.change.key.name):
                click.echo(json_text(_as_json(seen.event)) if output == "json" else _line(seen.event))
                told = True
        return told

    if not run(path, tell):
        nothing("no such event is in the log", output)


def _as_json(event: Event) -> dict[str, Any]:
    change = event.change
    return {
        "seq": event.seq,
        "time": timestamp(change.time),
        "action": change.verb.value,
        **key_as_json(change.key),
        "data": json.loads(change.body),
    }


def _line(event: Event) -> str:
    key = event.change.key
    status = json.loads(event.change.body).get("status", "")
    what = f"{SIGNS[event.change.verb]} {key.kind.value:9}  {name_of(key)}  {status}"
    return visible(f"{event.seq:>8}  {timestamp(event.change.time)}  {what}").rstrip()
