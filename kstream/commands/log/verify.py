"""`kstream log verify`: whether a log is as it was written."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from kstream.commands import statusline
from kstream.commands.log.reading import log_argument, output_option
from kstream.core.errors import LogFormatError
from kstream.core.visible import json_text, visible
from kstream.logs.verification import verify as verified


@click.command()
@log_argument
@output_option
def verify(path: Path, output: str) -> None:
    """Read all of LOG: its pages, every event, its terms, and that its keyframes are the fold of the events.

    Exit code 6 where something is damaged; what is damaged is named, all else can still be read.
    """
    terminal = sys.stderr.isatty()

    def tell(done: int, of: int) -> None:
        if terminal:
            statusline.show(f"{done:,} of {of:,} events" if done < of else "")

    findings = verified(path, tell)
    if output == "json":
        click.echo(json_text({"log": str(path), "findings": [each._asdict() for each in findings]}))
    else:
        for what, wrong in findings:
            click.echo(visible(f"{what}: {wrong or 'as written'}"))
    damaged = [each.what for each in findings if each.wrong]
    if damaged:
        raise LogFormatError(
            f"{path}: the event log is damaged ({', '.join(damaged)}); restore the file from a copy"
        )
