"""The log of a process: which loggers are heard, where they write, and how the process's last word is said."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Final

from kstream.core.errors import KstreamError
from kstream.core.visible import visible
from kstream.ports import Clock
from kstream.processlog.lines import Form, Lines, Scalar, say
from kstream.processlog.log import ProcessLog
from kstream.processlog.outlet import write_to

FORMS: Final = ("text", "json")
LEVELS: Final = ("debug", "info", "warning", "error")
# What other libraries say below a warning is for their developers, and may quote what is nobody's affair.
_HEARD: Final = {"": logging.WARNING, "asyncio": logging.ERROR}
_OURS: Final = ("kstream", "simulator")
_CLEAR_LINE: Final = b"\r\x1b[K"

_log = logging.getLogger(__name__)


@contextmanager
def process_log(form: Form, level: str, *, clock: Clock, among: int = 1, **always: Scalar) -> Iterator[None]:
    """What happens inside is logged on stderr, from `level` on; `always` are fields of every line. `among`: so many
    processes share this stderr, and what a flood may cost there.

    An error that ends it becomes the last line, and SystemExit with its exit code: a KstreamError is one line
    (`Error: …` in text form), anything else has a traceback and exit code 1. Nothing waits for stderr to be read, and
    nothing fails when it is closed.
    """
    keep_descriptors()
    lines = Lines(form, always)
    write, terminal = _stderr()
    clear = _CLEAR_LINE if terminal and form == "text" else b""
    handler = ProcessLog(write, lines, clock=clock, clear=clear, among=among)
    before = {name: logging.getLogger(name).level for name in (*_HEARD, *_OURS)}
    wanted = _HEARD | dict.fromkeys(_OURS, logging.getLevelNamesMapping()[level.upper()])
    logging.getLogger().addHandler(handler)
    for name, number in wanted.items():
        logging.getLogger(name).setLevel(number)
    logging.captureWarnings(True)
    try:
        yield
    except KstreamError as error:
        if form == "text":
            handler.put(f"Error: {visible(str(error))}")
        else:
            say(_log, logging.ERROR, "failed", message=str(error), exit_code=error.exit_code)
        raise SystemExit(error.exit_code) from error
    except Exception as error:
        _log.critical("crashed", exc_info=error, extra={"fields": {"exit_code": 1}})
        raise SystemExit(1) from error
    finally:
        logging.captureWarnings(False)
        logging.getLogger().removeHandler(handler)
        for name, number in before.items():
            logging.getLogger(name).setLevel(number)
        handler.close()


def keep_descriptors() -> None:
    """Where stdin, stdout or stderr is closed, /dev/null stands in: the next file must not get that number, and with
    it what is written to stderr."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            with suppress(OSError):
                os.open(os.devnull, os.O_RDWR)  # the lowest number that is free


def _stderr() -> tuple[Callable[[bytes], None], bool]:
    """How to write to it, and whether a person sits there."""
    stream = sys.stderr
    if stream is None:
        return lambda _: None, False
    try:
        return partial(write_to, stream.fileno()), stream.isatty()
    except (OSError, ValueError):
        # None of the system's: something in this process collects what is written.
        return _write_text, False


def _write_text(data: bytes) -> None:
    if sys.stderr is not None:
        sys.stderr.write(data.decode())
        sys.stderr.flush()
