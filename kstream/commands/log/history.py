"""`kstream log history`: one object, from version to version."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kstream.commands.log.reading import log_argument, nothing, output_option, run
from kstream.core.errors import UsageError
from kstream.core.timeline.comparison import Biography
from kstream.core.timeline.difference import Difference
from kstream.core.timeline.reference import parse
from kstream.core.visible import json_text, visible
from kstream.logs.lives import lives
from kstream.logs.sqlite import SqliteLog


@click.command()
@log_argument
@click.argument("wanted", metavar="OBJECT")
@output_option
def history(path: Path, wanted: str, output: str) -> None:
    """What happened to OBJECT, and what changed each time.

    OBJECT is a uid, pod/NAMESPACE/NAME, node/NAME or namespace/NAME. A name that was used again is several objects.
    """
    meant = parse(wanted)

    async def tell(log: SqliteLog) -> list[dict[str, Any]]:
        # What there was before the first event that is kept: nobody knows since when.
        known, events = await lives(log, meant, after=log.oldest - 1, upto=log.head)
        biography = Biography(known)
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


def _text(told: dict[str, Any]) -> str:
    lines = [f"{told['time']}  seq {told['seq']}  {told['action']}  {told['uid']}"]
    return "\n".join(map(visible, [*lines, *(f"    {Difference(**each)}" for each in told["changes"])]))
