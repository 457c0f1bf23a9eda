"""`kstream log history`: one object, from version to version."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from kstream.commands.log.reading import (
    every_readable_event,
    log_argument,
    nothing,
    output_option,
    run,
)
from kstream.core.errors import LogFormatError, UsageError
from kstream.core.timeline.comparison import Biography
from kstream.core.timeline.difference import Difference
from kstream.core.timeline.events import ObjectKey
from kstream.core.visible import json_text, visible
from kstream.logs.sqlite import SqliteLog

_KINDS = {
    "pod": "pod",
    "po": "pod",
    "node": "node",
    "no": "node",
    "namespace": "namespace",
    "ns": "namespace",
}


@click.command()
@log_argument
@click.argument("wanted", metavar="OBJECT")
@output_option
def history(path: Path, wanted: str, output: str) -> None:
    """What happened to OBJECT, and what changed each time.

    OBJECT is a uid, pod/NAMESPACE/NAME, node/NAME or namespace/NAME. A name that was used again is several objects.
    """
    is_wanted = _wanted(wanted)

    damage: list[LogFormatError] = []

    async def tell(log: SqliteLog) -> list[dict[str, Any]]:
        # What there was before the first event that is kept: nobody knows since when.
        known = [entry for entry in await log.state_at(log.oldest - 1) if is_wanted(entry.key)]
        life = Biography(known)
        events = every_readable_event(log, log.oldest - 1, log.head, damaged=damage.append)
        told = [life.tell(event) async for event in events if is_wanted(event.change.key)]
        if not told and not known and not damage:
            raise UsageError(
                f"{log.path}: nothing is recorded of {wanted!r}; `kstream log events` names what there was,"
                " with -o json by its uid"
            )
        return told

    told = run(path, tell)
    for each in told:
        click.echo(json_text(each) if output == "json" else _text(each))
    if not told and not damage:
        nothing("it was there all the time: nothing happened to it since the log begins", output)
    if damage:
        raise LogFormatError(
            f"{str(damage[0]).partition('; ')[0]}: what is told may lack it; restore the file from a copy"
        )


def _wanted(text: str) -> Callable[[ObjectKey], bool]:
    kind, _, name = text.partition("/")
    if not name:
        return lambda key: key.uid == text
    if (wanted := _KINDS.get(kind.rstrip("s") if kind not in _KINDS else kind)) is None:
        raise UsageError(f"{text!r}: give a uid, pod/NAMESPACE/NAME, node/NAME or namespace/NAME")
    namespace, _, last = name.rpartition("/")
    if bool(namespace) != (wanted == "pod"):
        raise UsageError(
            f"{text!r}: a pod has a namespace, pod/NAMESPACE/NAME; a node and a namespace have none"
        )
    return lambda key: (key.kind.value, key.namespace, key.name) == (wanted, namespace, last)


def _text(told: dict[str, Any]) -> str:
    lines = [f"{told['time']}  seq {told['seq']}  {told['action']}  {told['uid']}"]
    return "\n".join(map(visible, [*lines, *(f"    {Difference(**each)}" for each in told["changes"])]))
