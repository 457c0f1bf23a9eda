"""How a command ends: by a signal, or by the error that a person wants to read."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress

from kstream.core.errors import KstreamError

_LONGEST_END = 30  # seconds that an orderly end may take


def stop_on_signals(stop: asyncio.Event) -> None:
    """Ctrl-C, SIGTERM and SIGHUP (a terminal that is closed) set `stop`; a second one ends the process at once.

    An end that takes longer than 30 seconds is made short by the system, whatever this process is doing then.
    """
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
            continue  # nohup: whoever started us wants us to outlive the terminal
        with suppress(NotImplementedError):
            loop.add_signal_handler(number, stop.set)
            # The loop is woken by the signal itself. This runs between two bytecodes, also where the loop is held up.
            signal.signal(number, _no_second_chance)


def _no_second_chance(number: int, _: object) -> None:
    signal.signal(number, signal.SIG_DFL)
    bound_the_end()


def bound_the_end() -> None:
    """From now on the process has 30 seconds to end by itself."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(_LONGEST_END)


def first_of(group: BaseExceptionGroup[KstreamError]) -> KstreamError:
    """The error that a person wants to read: the others of a task group follow from it."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, KstreamError)
    return error
