"""`kstream log state`: what there was at a moment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from kstream.commands.log.reading import (
    filter_options,
    log_argument,
    nothing,
    output_option,
    point_option,
    run,
    table,
    watched_by,
    where,
)
from kstream.core.delivery import snapshot
from kstream.logs.places import moment_of
from kstream.logs.sqlite import SqliteLog


@click.command()
@log_argument
@point_option("at", help="When; the end by default.")
@filter_options
@output_option
def state(path: Path, at: str | None, output: str, **wanted: Any) -> None:
    """The nodes, pods and namespaces that there were in LOG at a moment; with -o json the `initial_state` message."""
    watched = watched_by(**wanted)

    async def tell(log: SqliteLog) -> bytes | None:
        if not log.head and output == "text":
            return None
        when = await where(log, at, option="at", otherwise=log.head)
        taken = snapshot.capture(await log.state_at(when.seq), watched)
        time = await moment_of(log, when.seq, when.time)
        (message,) = snapshot.messages(taken, time=time, limit=None)
        return message

    message = run(path, tell)
    if message is None:
        nothing("nothing was recorded: there is no state", output)
    else:
        click.echo(message.decode() if output == "json" else _text(json.loads(message)))


def _text(message: dict[str, Any]) -> str:
    data = message["data"]
    nodes = [_told(node, "name", "status", "role") for node in data["nodes"]]
    spaces = [_told(each, "name", "status", "podCount") for each in data["namespaces"]]
    pods = [_told(pod, "namespace", "name", "status", "nodeName") for pod in data["pods"]]
    parts = [
        f"{message['timestamp']}  {_where(message['seq'])}:"
        f" {len(nodes)} nodes, {len(pods)} pods, {len(spaces)} namespaces",
        *(
            table(head, sorted(rows))
            for head, rows in (
                (("NODE", "STATUS", "ROLE"), nodes),
                (("NAMESPACE", "STATUS", "PODS"), spaces),
                (("NAMESPACE", "POD", "STATUS", "NODE"), pods),
            )
            if rows
        ),
    ]
    return "\n\n".join(parts)


def _told(resource: dict[str, Any], *fields: str) -> tuple[str, ...]:
    """A body is as somebody recorded it: what it lacks is nothing."""
    return tuple("" if (value := resource.get(field)) is None else str(value) for field in fields)


def _where(seq: int) -> str:
    return f"after event {seq}" if seq else "before the first event, of which nothing is known"
