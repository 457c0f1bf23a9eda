"""`kstream log import`: the log that an export was of, or that others have recorded."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from io import BufferedReader
from pathlib import Path
from typing import Final, cast

import click

from kstream.commands.log.reading import output_option
from kstream.commands.log.writing import force_option, interruptible, say, told
from kstream.config import env_option
from kstream.core.errors import ConfigError, UsageError
from kstream.core.timeline.timepoint import timestamp
from kstream.core.visible import visible
from kstream.logs.adopted import FORMS, TWICE, Adopted
from kstream.logs.draft import check, draft
from kstream.logs.exchanged import Lines
from kstream.logs.foreign import lines_of
from kstream.logs.making import make

_OURS: Final = "kstream"
_STDIN: Final = "-"


@click.command("import")
@click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(dir_okay=False, path_type=Path, allow_dash=True),
)
@click.argument("log", metavar="LOG", type=click.Path(dir_okay=False, path_type=Path))
@env_option("--form", type=click.Choice([_OURS, *FORMS]), default=_OURS, help="What wrote FILE.")
@env_option(
    "--cluster",
    metavar="NAME",
    help="What LOG is of, where FILE does not say it.  [default: the name of FILE]",
)
@force_option
@output_option
def imports(
    files: tuple[Path, ...], log: Path, form: str, cluster: str | None, force: bool, output: str
) -> None:
    """Make LOG of FILE, which `kstream log export` wrote, or another program; - for stdin.

    kstream: an export, which is the same bytes again when it is exported again. The others may be several files of one
    history, each gzipped or not (docs/importing.md). kubectl: `kubectl get pods -A -w -o json --output-watch-events`, a
    file for each kind. audit: audit logs of an API server, with the answers to writes (level RequestResponse). capture:
    raw lists and watches, as in fixtures/wire.
    """
    _check_files(files, form)
    if form == _OURS and cluster is not None:
        raise UsageError(
            f"--cluster {cluster}: an export says itself of which cluster it is; leave it out, or say --form"
        )
    check(log, force=force, inputs=files)
    as_json = output == "json"
    if form == _OURS:
        _import_export(files[0], log, force=force, as_json=as_json)
    else:
        _import_foreign(files, log, form=form, cluster=cluster, force=force, as_json=as_json)


def _import_export(source: Path, log: Path, *, force: bool, as_json: bool) -> None:
    with interruptible(), _opened(source) as file, draft(log, force=force, inputs=[source]) as written:
        lines = Lines(_name(source), file)
        start = lines.start._replace(objects=told(lines.start.objects, lines.objects, what="objects"))
        made = make(written, log, lines.status, start, told(lines.events(), lines.count))
    say(log, made, as_json=as_json)


def _import_foreign(
    files: Sequence[Path], log: Path, *, form: str, cluster: str | None, force: bool, as_json: bool
) -> None:
    read = [partial(lines_of, _name(file), partial(_opened, file)) for file in files]
    found = Adopted(form, read, cluster=cluster or _name(Path(files[0].name)).partition(".")[0])
    with interruptible(), draft(log, force=force, inputs=files) as written:
        made = make(written, log, found.status, found.start, told(found.events(), None))
        if not made.events:
            raise ConfigError(_nothing(files, form, found))
    first, last, left = timestamp(found.first), timestamp(found.last), dict(found.left.counts)
    more = {"from": first, "to": last, "unchanged": found.unchanged, "left": left, "cut": found.left.cut}
    say(log, made, as_json=as_json, **more)
    if not as_json:
        click.echo("\n".join(map(visible, [f"from {first} to {last}", *_left_out(found)])))


def _check_files(files: Sequence[Path], form: str) -> None:
    """Raises UsageError for files that cannot be read in that form, all at once."""
    if form == _OURS and len(files) > 1:
        raise UsageError(
            f"{len(files)} files: an export is a log of its own; import one after the other, and `kstream log merge`"
            " them, or say with --form what else wrote them"
        )
    stdin = sum(_is_stdin(file) for file in files)
    if stdin > 1 or (stdin and form in TWICE):
        raise UsageError(f"-: stdin is read once, and --form {form} would read it again; give it as a file")


def _nothing(files: Sequence[Path], form: str, found: Adopted) -> str:
    why = "; ".join(
        [
            *(f"{count} {what}" for what, count in found.left.counts.items()),
            *(f"the last line of {file}, which is cut off or no JSON" for file in found.left.cut),
        ]
    )
    return (
        f"{', '.join(map(_name, files))}: no pod, node or namespace is in it, read as --form {form}"
        f"{f' (left out: {why})' if why else ''}"
    )


def _left_out(found: Adopted) -> Iterator[str]:
    if found.unchanged:
        yield f"left out: {found.unchanged:,} that change nothing that kstream shows"
    for why, count in found.left.counts.items():
        yield f"left out: {count:,} {why}"
    for file in found.left.cut:
        yield f"{file}: its last line is cut off, and left out"


def _is_stdin(file: Path) -> bool:
    return str(file) == _STDIN


def _name(file: Path) -> str:
    return "stdin" if _is_stdin(file) else str(file)


@contextmanager
def _opened(source: Path) -> Iterator[BufferedReader]:
    if _is_stdin(source):
        yield cast(BufferedReader, sys.stdin.buffer)
        return
    try:
        file = cast(BufferedReader, source.open("rb", buffering=1 << 20))
    except OSError as error:
        raise ConfigError(f"{source}: it cannot be read ({error.strerror}); check the path") from error
    with file:
        yield file
