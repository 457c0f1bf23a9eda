"""What the commands of `kstream log` have in common: the file, points of it, and tables."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import click

from kstream.config import env_option
from kstream.core.delivery.filters import Filter
from kstream.core.errors import InvalidMessageError, LogFormatError, UsageError
from kstream.core.naming import namespace_names
from kstream.core.timeline.events import Event, Kind, ObjectKey, Verb
from kstream.core.visible import visible
from kstream.logs.places import known_place, moment_of
from kstream.logs.sqlite import SqliteLog

_T = TypeVar("_T")
SIGNS: Final = {Verb.ADDED: "+", Verb.MODIFIED: "~", Verb.DELETED: "-"}
_PLURALS: Final = {kind.value: f"{kind}s" for kind in Kind}
_OPTIONS: Final = {"namespaces": "--namespace", "kinds": "--kinds", "labels": "--selector"}
_AT_ONCE: Final = 2000  # events in memory

log_argument = click.argument("path", metavar="LOG", type=click.Path(path_type=Path))
output_option = env_option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", help="For people or programs."
)


def point_option(name: str, *, help: str) -> Callable[[Any], Any]:
    return env_option(f"--{name}", name.replace("-", "_"), metavar="POINT", help=help)


def filter_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`-n`, `-l` and `--kinds` (PROTOCOL 14, 30); `watched_by` makes a filter of them."""
    for option in (
        env_option(
            "--kinds",
            "--kind",
            "kinds",
            multiple=True,
            help="Only these kinds: pods, nodes, namespaces. Repeatable, or several joined by commas.",
        ),
        env_option("-l", "--selector", default="", help="Only the pods that this label selector matches."),
        env_option(
            "-n",
            "--namespace",
            multiple=True,
            help="Only the pods of this namespace. Repeatable, or several joined by commas.",
        ),
    ):
        command = option(command)
    return command


def watched_by(*, namespace: Sequence[str], selector: str, kinds: Sequence[str]) -> Filter:
    """A kind may be in the singular. Raises UsageError for what no filter may be, under the name of its option."""
    names = namespace_names(namespace)
    wanted = [kind.strip() for value in kinds for kind in value.split(",")]
    try:
        return Filter.parse(names, kinds=[_PLURALS.get(kind, kind) for kind in wanted], labels=selector)
    except InvalidMessageError as invalid:
        field, _, why = invalid.details.partition(": ")
        raise UsageError(f"{_OPTIONS[field]}: {why}") from None


class Place(NamedTuple):
    """A moment of a log: right after event `seq`."""

    seq: int
    time: float | None = None  # seconds since the Unix epoch; None: that of the event


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[SqliteLog]:
    log = await SqliteLog.open_read_only(path)
    try:
        yield log
    finally:
        await log.close()


def run(path: Path, work: Callable[[SqliteLog], Awaitable[_T]]) -> _T:
    """`work` on the log at `path`. Raises LogError; a reader that stops reading ends it quietly."""

    async def whole() -> _T:
        async with opened(path) as log:
            return await work(log)

    try:
        return asyncio.run(whole())
    except BrokenPipeError:
        sys.stderr.close()  # Python would complain when it flushes at exit
        sys.exit(0)


async def where(log: SqliteLog, point: str | None, *, option: str, otherwise: int) -> Place:
    """The place of a point that an option gives.

    Raises UsageError, also for an event that is not there, and LogTrimmedError for what retention has dropped.
    """
    if point is None:
        return Place(otherwise)
    try:
        return Place(*await known_place(log, point, field=f"--{option}"))
    except InvalidMessageError as invalid:
        raise UsageError(invalid.details) from None


async def between(log: SqliteLog, start: str | None, end: str | None) -> tuple[Place, Place]:
    """The places of `--from` and `--to`; all that there is by default. Raises UsageError and LogTrimmedError."""
    first = await where(log, start, option="from", otherwise=log.oldest - 1)
    last = await where(log, end, option="to", otherwise=log.head)
    if last.seq < first.seq or (first.time is not None and last.time is not None and last.time < first.time):
        raise UsageError(f"--to {end} is before --from {start}; give the earlier one with --from")
    return first, last


async def moments(log: SqliteLog, start: str | None, end: str | None) -> list[tuple[int, float]]:
    """As `between`: seq and time of both, seconds since the Unix epoch."""
    return [(each.seq, await moment_of(log, each.seq, each.time)) for each in await between(log, start, end)]


async def every_event(log: SqliteLog, after: int, upto: int) -> AsyncIterator[Event]:
    """Those with after < seq <= upto, some at a time, and of a damaged log those up to the damage.

    Raises LogError; of damage it says how to read what comes after it.
    """
    for start in range(after, upto, _AT_ONCE):
        end = min(start + _AT_ONCE, upto)
        try:
            events = await log.read(start, end)
        except LogFormatError:
            async for event in _up_to_damage(log, start, end):
                yield event
        else:
            for event in events:
                yield event


async def _up_to_damage(log: SqliteLog, after: int, upto: int) -> AsyncIterator[Event]:
    """One by one: one of them is damaged, and says so."""
    for seq in range(after + 1, upto + 1):
        try:
            (event,) = await log.read(seq - 1, seq)
        except LogFormatError as damage:
            raise LogFormatError(f"{damage}; --from seq:{seq} reads what comes after it") from damage
        yield event


def nothing(what: str, output: str) -> None:
    """An empty answer says to people that it is one; programs read none."""
    if output == "text":
        click.echo(f"({what})", err=True)


def name_of(key: ObjectKey) -> str:
    """As people write it: `shop/web-1`, `node-1`."""
    return f"{key.namespace}/{key.name}" if key.namespace else key.name


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns as wide as their widest cell; what could act on a terminal is made visible."""
    cells = [list(head), *([visible(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in cells)
    return "\n".join(line.rstrip() for line in lines)
