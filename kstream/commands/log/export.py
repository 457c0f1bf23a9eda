"""`kstream log export`: a log, or a span of it, as lines of JSON."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

import click

from kstream.commands.log.reading import log_argument, point_option
from kstream.commands.log.writing import force_option, interruptible, span, told
from kstream.config import env_option
from kstream.core.timeline.exchange import Beginning, event_line, header_line
from kstream.core.visible import visible_json
from kstream.logs.draft import check, draft, refused
from kstream.logs.passage import Passage, passage

_BUFFER: Final = 1 << 20  # bytes


@click.command()
@log_argument
@env_option("-o", "--out", default="-", metavar="OUT", help="The file to make; - for stdout.")
@point_option("from", help="Those after this; all by default.")
@point_option("to", help="And up to this.")
@force_option
def export(path: Path, out: str, force: bool, **points: Any) -> None:
    """Write LOG as lines of JSON: a header, the objects that it begins with, then an event a line.

    The same log is the same bytes, and `kstream log import` makes the same log of them. docs/log-format.md has each
    field.
    """
    if out != "-" and _is_file(Path(out)):
        check(Path(out), force=force, inputs=[path])
    after, upto = span(path, points["from"], points["to"])
    with (
        interruptible(),
        passage(path, after=after, upto=upto) as found,
        _opened(out, force=force, source=path) as file,
    ):
        # To a terminal nothing goes that would act on it; the lines still say the same.
        shown = out == "-" and sys.stdout.isatty()
        for line in _lines(found):
            file.write(visible_json(line.decode()).encode() if shown else line)


def _lines(found: Passage) -> Iterator[bytes]:
    status, start = found.status, found.start
    count = status.head - start.seq
    yield header_line(
        Beginning(
            status.epoch,
            status.cluster,
            status.meta,
            status.versions,
            status.terms,
            start.seq,
            start.time,
            len(start.refs),
            count,
        )
    )
    for event in told(found.state(start.seq), len(start.refs), what="objects"):
        yield event_line(event)
    for event in told(found.events(), count):
        yield event_line(event)


@contextmanager
def _opened(out: str, *, force: bool, source: Path) -> Iterator[IO[bytes]]:
    if out == "-":
        with _stdout() as file:
            yield file
    elif not _is_file(Path(out)):
        with refused(Path(out)), Path(out).open("wb", buffering=_BUFFER) as file:
            yield file
    else:
        with (
            draft(Path(out), force=force, inputs=[source], log=False) as written,
            written.open("wb", buffering=_BUFFER) as file,
        ):
            yield file


def _is_file(out: Path) -> bool:
    """Or none yet: a pipe and a device are written as they are."""
    return not out.exists() or out.is_file() or out.is_dir()


@contextmanager
def _stdout() -> Iterator[IO[bytes]]:
    """A reader that stops reading, such as `head`, ends it quietly."""
    file = sys.stdout.buffer
    try:
        with refused(Path("stdout")):
            yield file
            file.flush()
    except BrokenPipeError:
        # Python would complain when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
