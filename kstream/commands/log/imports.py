"""`kstream log import`: the log that an export was of."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click

from kstream.commands.log.reading import output_option
from kstream.commands.log.writing import force_option, interruptible, say, told
from kstream.core.errors import ConfigError
from kstream.logs.draft import check, draft
from kstream.logs.exchanged import Lines
from kstream.logs.making import make


@click.command("import")
@click.argument("source", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path, allow_dash=True))
@click.argument("log", metavar="LOG", type=click.Path(dir_okay=False, path_type=Path))
@force_option
@output_option
def imports(source: Path, log: Path, force: bool, output: str) -> None:
    """Make LOG of FILE, which `kstream log export` wrote; - for stdin. Its export is the same bytes again."""
    check(log, force=force, inputs=[source])
    with interruptible(), _opened(source) as file, draft(log, force=force, inputs=[source]) as written:
        lines = Lines("stdin" if str(source) == "-" else str(source), file)
        start = lines.start._replace(objects=told(lines.start.objects, lines.objects, what="objects"))
        made = make(written, log, lines.status, start, told(lines.events(), lines.count))
    say(log, made, as_json=output == "json")


@contextmanager
def _opened(source: Path) -> Iterator[IO[bytes]]:
    if str(source) == "-":
        yield sys.stdin.buffer
        return
    try:
        file = source.open("rb", buffering=1 << 20)
    except OSError as error:
        raise ConfigError(f"{source}: it cannot be read ({error.strerror}); check the path") from error
    with file:
        yield file
