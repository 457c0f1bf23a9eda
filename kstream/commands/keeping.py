"""How much history a log keeps: the options of the commands that write one, and what is made of them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final, TypeVar

from kstream.config import env_option
from kstream.core.amounts import byte_count, seconds
from kstream.core.errors import ConfigError, UsageError
from kstream.core.timeline.retention import Keep
from kstream.logs.sqlite import SqliteLog
from kstream.ports import Clock
from kstream.processlog.lines import say
from kstream.retention import Retention

F = TypeVar("F", bound=Callable[..., Any])
A = TypeVar("A", int, float)

_log = logging.getLogger(__name__)

# Of a log that nobody named: whoever lets a server run for weeks has not asked for a full disk.
_TEMPORARY_SIZE: Final = 2**30

_FOR: Final = ("--keep-for", "SPAN", "Drop events that are older, in the time of the timeline: 7d, 12h, 30m.")
_SIZE: Final = ("--keep-size", "SIZE", "Drop the oldest events when the log is larger: 500MB, 2GiB.")


def keeping_options(*, temporary: bool) -> Callable[[F], F]:
    """Add the options; they arrive as keyword arguments for `keep_settings`. `temporary`: there may be no --log."""

    def add(command: F) -> F:
        for name, metavar, text in (_SIZE, _FOR):
            default = "  [default: everything]"
            if temporary and name == "--keep-size":
                default = "  [default: everything; 1GiB without --log]"
            command = env_option(name, metavar=metavar, help=text + default)(command)
        return command

    return add


def keep_settings(options: dict[str, Any], *, temporary: bool = False) -> Keep:
    """Take these options out of a command's keyword arguments. Raises UsageError."""
    span, size = options.pop("keep_for"), options.pop("keep_size")
    otherwise = _TEMPORARY_SIZE if temporary else None
    return Keep(
        None if span is None else _read("--keep-for", span, seconds),
        otherwise if size is None else _read("--keep-size", size, byte_count),
    )


def _read(option: str, text: str, parse: Callable[[str], A]) -> A:
    try:
        amount = parse(text)
    except ConfigError as error:
        raise UsageError(f"{option}: {error}") from None
    if amount <= 0:
        raise UsageError(f"{option}: {text!r} would keep nothing: give more, or leave the option out")
    return amount


def retention(log: SqliteLog, keep: Keep, *, clock: Clock, time: Callable[[], float]) -> Retention:
    """Of a log that this process writes; `time` is that of its events, seconds since the Unix epoch. What it has to say
    is logged."""
    return Retention(log, keep, clock=clock, time=time, warn=_warn)


def _warn(line: str) -> None:
    say(_log, logging.WARNING, "retention", message=line)
