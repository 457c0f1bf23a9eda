"""What the commands of `kstream log` that make a file have in common: its name, who may interrupt, what is told."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from kstream.commands import statusline
from kstream.commands.log.reading import run, where
from kstream.config import env_option
from kstream.core.errors import UsageError
from kstream.core.visible import json_text, visible
from kstream.logs.making import Made
from kstream.logs.sqlite import SqliteLog

_T = TypeVar("_T")
_OFTEN: Final = 5000  # events from one word to the next

out_option = env_option(
    "-o",
    "--out",
    required=True,
    metavar="OUT",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to make.",
)
force_option = env_option("--force", is_flag=True, help="Replace OUT where it is there already.")
json_option = env_option("--json", "as_json", is_flag=True, help="Say what was made as JSON, for programs.")


def span(path: Path, start: str | None, end: str | None) -> tuple[int | None, int | None]:
    """The seqs between which the events of the points of `--from` and `--to` are; None where none was given.

    Raises UsageError, LogError.
    """
    if start is None and end is None:
        return None, None

    async def find(log: SqliteLog) -> tuple[int, int]:
        first = await where(log, start, option="from", otherwise=log.oldest - 1)
        last = await where(log, end, option="to", otherwise=log.head)
        return first.seq, last.seq

    first, last = run(path, find)
    if first > last:
        raise UsageError(
            f"--from {start} --to {end}: the span ends, after event {last}, before it begins, after event {first}"
        )
    return None if start is None else first, None if end is None else last


@contextmanager
def interruptible() -> Iterator[None]:
    """SIGTERM, and SIGHUP of a terminal that is closed, break off as Ctrl-C does: what is half made is removed."""
    before: dict[signal.Signals, Any] = {}
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            before[number] = signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _tell("")


def told(events: Iterable[_T], of: int | None, *, what: str = "events") -> Iterator[_T]:
    """The same, and on a terminal how far it is; `of`: how many there are, where that is known."""
    shown = sys.stderr.isatty()
    whole = "" if of is None else f" of {of:,}"
    for number, event in enumerate(events):
        if shown and number % _OFTEN == 0:
            _tell(f"{number:,}{whole} {what}")
        yield event


def _tell(text: str) -> None:
    if sys.stderr.isatty():
        statusline.show(text)


def say(out: Path, made: Made, *, as_json: bool, **more: Any) -> None:
    """What is in the file, on stdout; `more`: for programs."""
    size = out.stat().st_size
    if as_json:
        click.echo(
            json_text(
                {
                    "log": str(out),
                    "objects": made.objects,
                    "events": made.events,
                    "first": made.first,
                    "last": made.last,
                    "bytes": size,
                    **more,
                }
            )
        )
        return
    events = (
        f"{made.events:,} events, {made.first} to {made.last}"
        if made.events
        else f"no event, the state after event {made.last}"
    )
    begin = f", after a state of {made.objects:,} objects" if made.events and made.objects else ""
    click.echo(visible(f"{out}: {events}{begin}; {size:,} bytes"))
