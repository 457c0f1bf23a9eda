"""Open files: each client is one, and a process may have so many."""

from __future__ import annotations

import asyncio
import logging
import resource
from typing import Any, Final

from kstream.ports import Clock
from kstream.processlog.lines import say

_log = logging.getLogger(__name__)
_MOST: Final = 1 << 20  # that are asked for, where the system sets no limit
SPARE: Final = 256  # kept for the log, watches, probes and pages
_WAITING: Final = 4096  # connections that are no clients, where there is room for more
_TOLD_EVERY: Final = 60.0  # seconds
_ACCEPT: Final = "socket.accept()"  # how asyncio's words begin when there is no descriptor left


def raise_limit() -> int:
    """Let this process, and those it starts, open as many files as the system allows; how many that are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST if hard == resource.RLIM_INFINITY else min(hard, _MOST)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return _MOST if soft == resource.RLIM_INFINITY else soft


def fitting(max_clients: int, *, limit: int, processes: int) -> int:
    """How many of `max_clients` fit into so many processes, each with `limit` open files, a number; said where it is
    fewer."""
    fit = max(limit - SPARE, limit // 2) * processes
    if fit >= max_clients:
        return max_clients
    say(
        _log,
        logging.WARNING,
        "fewer clients",
        max_clients=fit,
        open_files=limit,
        message=f"--max-clients {max_clients} is more than the limit of open files lets in; raise it (ulimit -n)",
    )
    return fit


def open_files() -> int:
    """How many files this process may open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MOST if soft == resource.RLIM_INFINITY else soft


def waiting_room(max_clients: int, *, limit: int) -> int:
    """How many connections may be open beside those of `max_clients`, where a process has `limit` open files, a number.

    Half of what is spare at the least; the other half is for the log, watches and probes.
    """
    return max(min(limit - SPARE - max_clients, _WAITING), min(SPARE // 2, limit // 4))


class Exhaustion:
    """Handler of what the event loop cannot handle: that no connection can be accepted is said once a minute.

    asyncio says it as often as connections wait, with a traceback each (cpython/Lib/asyncio/selector_events.py).
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._told_at = -_TOLD_EVERY

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if not str(context.get("message", "")).startswith(_ACCEPT):
            loop.default_exception_handler(context)
            return
        now = self._clock.monotonic()
        if now - self._told_at >= _TOLD_EVERY:
            self._told_at = now
            why = f"{context.get('exception')}; no more files can be opened: raise the limit (ulimit -n)"
            say(_log, logging.ERROR, "cannot accept connections", message=why)
