"""`kstream log events`: what happened, an event a line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from kstream.commands.log.reading import (
    SIGNS,
    every_event,
    log_argument,
    name_of,
    output_option,
    point_option,
    run,
    where,
)
from kstream.config import env_option
from kstream.core.timeline.comparison import key_as_json
from kstream.core.timeline.events import Event, Kind
from kstream.core.timeline.timepoint import timestamp
from kstream.core.visible import json_text, visible
from kstream.logs.sqlite import SqliteLog


@click.command()
@log_argument
@point_option("from", help="Those after this; all by default.")
@point_option("to", help="And up to this.")
@env_option("--kind", type=click.Choice([kind.value for kind in Kind]), help="Only of this kind.")
@env_option("-n", "--namespace", help="Only what is in this namespace.")
@env_option("--name", help="Only objects of this name.")
@output_option
def events(path: Path, output: str, **wanted: Any) -> None:
    """What happened in LOG, an event a line; with -o json a JSON object a line."""

    async def tell(log: SqliteLog) -> None:
        first = await where(log, wanted["from"], option="from", otherwise=log.oldest - 1)
        last = await where(log, wanted["to"], option="to", otherwise=log.head)
        async for event in every_event(log, first.seq, last.seq):
            if _is_wanted(event, wanted):
                click.echo(json_text(_as_json(event)) if output == "json" else _line(event))

    run(path, tell)


def _is_wanted(event: Event, wanted: Mapping[str, str | None]) -> bool:
    key = event.change.key
    return all(
        given is None or given == of
        for given, of in (
            (wanted["kind"], key.kind.value),
            (wanted["namespace"], key.namespace),
            (wanted["name"], key.name),
        )
    )


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
