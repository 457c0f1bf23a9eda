"""`kstream log history`: one object, from version to version."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from kstream.commands.log.reading import log_argument, nothing, output_option, run
from kstream.core.errors import UsageError
from kstream.core.timeline.comparison import Biography
from kstream.core.timeline.difference import Difference
from kstream.core.visible import json_text, visible
from kstream.logs.lives import life, named
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
    name = _name_in(wanted)

    async def tell(log: SqliteLog) -> list[dict[str, Any]]:
        uids = [wanted] if name is None else [key.uid for key in await named(log, *name)]
        # What there was before the first event that is kept: nobody knows since when.
        lives = [await life(log, uid, after=log.oldest - 1, upto=log.head, most=sys.maxsize) for uid in uids]
        known = [before for before, _ in lives if before is not None]
        biography = Biography(known)
        events = sorted((event for _, events in lives for event in events), key=lambda event: event.seq)
        told = [biography.tell(event) for event in events]
        if not told and not known:
            raise UsageError(
                f"{log.path}: nothing is recorded of {wanted!r}; `kstream log events` names what there was,"
                " with -o json by its uid"
            )
        return told

    told = run(path, tell)
    for each in told:
        click.echo(json_text(each) if output == "json" else _text(each))
    if not told:
        nothing("it was there all the time: nothing happened to it since the log begins", output)


def _name_in(text: str) -> tuple[str, str, str] | None:
    """Kind, namespace and name; None where it is a uid. Raises UsageError."""
    kind, _, name = text.partition("/")
    if not name:
        return None
    if (wanted := _KINDS.get(kind.rstrip("s") if kind not in _KINDS else kind)) is None:
        raise UsageError(f"{text!r}: give a uid, pod/NAMESPACE/NAME, node/NAME or namespace/NAME")
    namespace, _, last = name.rpartition("/")
    if bool(namespace) != (wanted == "pod"):
        raise UsageError(
            f"{text!r}: a pod has a namespace, pod/NAMESPACE/NAME; a node and a namespace have none"
        )
    return wanted, namespace, last


def _text(told: dict[str, Any]) -> str:
    lines = [f"{told['time']}  seq {told['seq']}  {told['action']}  {told['uid']}"]
    return "\n".join(map(visible, [*lines, *(f"    {Difference(**each)}" for each in told["changes"])]))
