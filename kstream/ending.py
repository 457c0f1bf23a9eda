"""How a command ends: by a signal, by the error that a person wants to read, or because nobody takes what it says."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, Final, NoReturn

from kstream.core.errors import KstreamError

_LONGEST_END = 30  # seconds that an orderly end may take
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def stopped_from_the_start() -> None:
    """A signal that comes before `stop_on_signals`, while a command is being loaded, ends it with exit code 0 too."""
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            signal.signal(number, _ended_early)


def _ended_early(_: int, __: object) -> None:
    raise SystemExit(0)


@contextmanager
def written_out() -> Iterator[None]:
    """What the inside prints has reached stdout when it ends, or it ends with an error line and exit code 1.

    A reader that has enough, as `head` has, is no error: that ends it with 0. What the inside has coped with is its own
    affair.
    """
    refused: list[OSError] = []
    with _watched(refused):
        try:
            yield
            if sys.stdout is not None:
                sys.stdout.flush()
        except (Exception, SystemExit) as error:
            if error in refused:
                _end(refused[-1], cause=error)
            if isinstance(error, SystemExit):
                gone = any(isinstance(each, BrokenPipeError) for each in refused)
                if gone and error.code == 1:  # what click makes of a reader that is gone
                    raise SystemExit(0) from error
                if not refused:
                    _flush_last(error)
            raise
        finally:
            if refused:
                _silence()


def _flush_last(end: SystemExit) -> None:
    with suppress(ValueError):  # it is closed: whoever did that has seen to it
        try:
            if sys.stdout is not None:
                sys.stdout.flush()
        except OSError as error:
            _end(error, cause=end, code=end.code)


@contextmanager
def _watched(refused: list[OSError]) -> Iterator[None]:
    """Each error of stdout is in `refused` from now on, whoever catches it: it does not say itself where it is from."""
    stream: Any = sys.stdout

    def watched(call: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any) -> Any:
            try:
                return call(*arguments)
            except OSError as error:
                refused.append(error)
                raise

        return called

    if stream is None:  # there is none: Python drops what is printed
        yield
        return
    names = ("write", "flush")
    for name in names:
        setattr(stream, name, watched(getattr(stream, name)))
    try:
        yield
    finally:
        for name in names:
            delattr(stream, name)


def _end(why: OSError, *, cause: BaseException, code: object = 0) -> NoReturn:
    if isinstance(why, BrokenPipeError):
        raise SystemExit(code) from cause
    with suppress(OSError):
        sys.stderr.write(
            f"Error: stdout cannot be written ({why.strerror}): not all was told; make room, or write it elsewhere\n"
        )
    raise SystemExit(code or 1) from cause


def _silence() -> None:
    # What is left would be tried once more at the exit, with a complaint of Python's own.
    with suppress(OSError, ValueError):
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, sys.stdout.fileno())
        os.close(silent)


def stop_on_signals(stop: asyncio.Event) -> None:
    """Ctrl-C, SIGTERM and SIGHUP (a terminal that is closed) set `stop`; a second one ends the process at once.

    An end that takes longer than 30 seconds is made short by the system, whatever this process is doing then.
    """
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        if number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
            continue  # nohup: whoever started us wants us to outlive the terminal
        with suppress(NotImplementedError):
            loop.add_signal_handler(number, stop.set)
            # The loop is woken by the signal itself. This runs between two bytecodes, also where the loop is held up.
            signal.signal(number, _no_second_chance)


def stop_with_stdin(stop: asyncio.Event) -> None:
    """The end of stdin sets `stop`: whoever started this process has closed it, or is gone, however that ended.

    What is written to it is read and thrown away. A terminal has its own ways to end a command: there, nothing is read.
    """
    if sys.stdin is None:  # it was closed before the start, and its number may be another file's
        stop.set()
    elif not sys.stdin.isatty():
        # A thread: an event loop cannot wait for a file, nor for any stdin of Windows.
        waiting = (sys.stdin.fileno(), stop, asyncio.get_running_loop())
        threading.Thread(target=_stop_at_end, args=waiting, name="stdin", daemon=True).start()


def _stop_at_end(descriptor: int, stop: asyncio.Event, loop: asyncio.AbstractEventLoop) -> None:
    with suppress(OSError):
        while os.read(descriptor, 65_536):
            pass
    with suppress(RuntimeError):  # the loop has ended before
        loop.call_soon_threadsafe(stop.set)


@asynccontextmanager
async def stdin_until(stop: asyncio.Event) -> AsyncIterator[None]:
    """`sys.stdin` ends when `stop` is set, too, for who reads it in a thread.

    Such a thread waits for the next line, and the process for the thread: a signal alone would end neither.
    """
    real, (read, written) = sys.stdin, socket.socketpair()
    with read, written, read.makefile("r", encoding="utf-8") as stream:
        if real is None:  # it was closed before the start
            written.shutdown(socket.SHUT_RDWR)
        else:
            passing = (real.fileno(), written)
            threading.Thread(target=_pass_on, args=passing, name="stdin", daemon=True).start()
        ending = asyncio.create_task(_end_at(stop, written))
        sys.stdin = stream
        try:
            yield
        finally:
            sys.stdin = real
            ending.cancel()


async def _end_at(stop: asyncio.Event, written: socket.socket) -> None:
    await stop.wait()
    written.shutdown(socket.SHUT_RDWR)


def _pass_on(descriptor: int, written: socket.socket) -> None:
    with suppress(OSError):  # nobody reads it any more
        while some := os.read(descriptor, 65_536):
            written.sendall(some)
    with suppress(OSError):
        written.shutdown(socket.SHUT_WR)


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
