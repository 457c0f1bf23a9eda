"""How a command ends: by a signal, or by the error that a person wants to read."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from functools import partial

from kstream.core.errors import KstreamError


def stop_on_signals(stop: asyncio.Event) -> None:
    """Ctrl-C and SIGTERM set `stop`; a second one ends the process at once."""
    loop = asyncio.get_running_loop()

    def stopped(number: int) -> None:
        stop.set()
        loop.remove_signal_handler(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):
            loop.add_signal_handler(number, partial(stopped, number))


def first_of(group: BaseExceptionGroup[KstreamError]) -> KstreamError:
    """The error that a person wants to read: the others of a task group follow from it."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, KstreamError)
    return error
