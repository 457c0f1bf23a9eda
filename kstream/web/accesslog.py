"""What of HTTP is worth a line: who was refused and why, and at the level debug every request.

What clients do every day (a connection that ends in the middle, bytes that are no HTTP) is no defect of the server:
it has no traceback, and a line only where an answer was refused.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web
from aiohttp.abc import AbstractAccessLogger
from aiohttp.http import HttpProcessingError

from kstream.processlog.lines import say

_log = logging.getLogger(__name__)

_PROBES: Final = frozenset(("/livez", "/readyz"))
_PATH: Final = 200  # characters


class Refusal(web.Response):
    """An answer of 400 or more in the shape of PROTOCOL 14, which knows what to say of itself."""

    def __init__(
        self, status: int, code: str, message: str, details: str, headers: Mapping[str, str] | None
    ) -> None:
        body = {"error": {"code": code, "message": message, "details": details}}
        super().__init__(
            status=status, text=json.dumps(body), content_type="application/json", headers=headers
        )
        self.code = code
        self.why = details or message


def is_refusal(request: web.BaseRequest, response: web.StreamResponse) -> bool:
    """An answer of 400 or more; but a probe that hears that the server is not ready was answered, not refused, and
    who has gone hears nothing."""
    if response.status < 400 or request.transport is None:
        return False
    return response.status != 503 or request.path not in _PROBES


def log_refusal(request: web.BaseRequest, response: web.StreamResponse) -> None:
    """One line; what is not there (404) is asked for by every browser, and no line."""
    if response.status == 404:
        return
    known = response if isinstance(response, Refusal) else None
    say(
        _log,
        logging.WARNING,
        "refused",
        remote=request.remote,
        status=response.status,
        reason=response.reason if known is None else known.code,
        method=request.method[:_PATH],
        path=request.path[:_PATH],
        details="" if known is None else known.why,
    )


class _Requests(AbstractAccessLogger):
    """Every request, when it has ended: a socket, too."""

    @property
    def enabled(self) -> bool:
        return self.logger.isEnabledFor(logging.DEBUG)

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        """A request that is over, after `time` seconds."""
        # Without the query: what a proxy or a page adds there may be a secret.
        say(
            self.logger,
            logging.DEBUG,
            "request",
            remote=request.remote,
            method=request.method[:_PATH],
            path=request.path[:_PATH],
            status=response.status,
            seconds=round(time, 3),
            bytes=response.body_length,
            agent=request.headers.get("User-Agent", "")[:_PATH],
        )


class _Server(logging.LoggerAdapter[logging.Logger]):
    """aiohttp's own words, of which only a defect keeps its traceback."""

    def exception(self, msg: object, *args: object, exc_info: Any = True, **kwargs: Any) -> None:
        if not _everyday(self.logger, exc_info, args):
            super().exception(msg, *args, exc_info=exc_info, **kwargs)

    def debug(self, msg: object, *args: object, exc_info: Any = None, **kwargs: Any) -> None:
        if not _everyday(self.logger, exc_info, args):
            super().debug(msg, *args, exc_info=exc_info, **kwargs)


def _everyday(logger: logging.Logger, error: object, args: tuple[object, ...]) -> bool:
    """Say it in a line if it is something that clients do; `args` begin with who it was, if aiohttp knows."""
    if isinstance(error, ConnectionError):
        say(logger, logging.DEBUG, "connection lost", error=type(error).__name__)
    elif isinstance(error, HttpProcessingError):
        say(
            logger,
            logging.WARNING,
            "refused",
            remote=str(args[0]) if args else None,
            status=error.code,
            reason="BAD_HTTP",
            details=error.message.partition("\n")[0].rstrip(": ") or type(error).__name__,
        )
    else:
        return False
    return True


def http_logging() -> dict[str, Any]:
    """What `web.AppRunner` is told about logging."""
    return {"access_log": _log, "access_log_class": _Requests, "logger": _Server(_log)}
