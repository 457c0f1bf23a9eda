"""Connections that are no clients yet, or never will be: bounded, so that whoever says nothing takes no descriptor from
those who do.

A connection is silent until its first request is there, and again between two of them (keep-alive). Where there are too
many of these and of those that ask for a page or a read, the one that has been silent for longest goes; a browser opens
another one.
"""

from __future__ import annotations

import logging
from itertools import islice
from typing import Final, Protocol

from aiohttp import web
from aiohttp.typedefs import Handler

from kstream.processlog.lines import say

_log = logging.getLogger(__name__)
_PRUNED: Final = 64  # connections, of which some may be over already, that are kept without a look


class Connection(Protocol):
    """aiohttp's RequestHandler, as far as it is looked at here."""

    @property
    def transport(self) -> Transport | None: ...


class Transport(Protocol):
    def abort(self) -> None: ...


class Callers:
    """Of one process; `most` connections at once that are no clients."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._silent: dict[Connection, None] = {}  # who has been silent for longest comes first
        self._asking: dict[Connection, None] = {}  # as do those who have been asking for longest
        self._prune_at = _PRUNED

    def __len__(self) -> int:
        return len(self._silent) + len(self._asking)

    def came(self, connection: Connection) -> None:
        """A connection was made; nothing was heard of it yet."""
        if connection.transport is None:
            return  # it is over already
        self._silent[connection] = None
        if len(self) > min(self._most, self._prune_at):
            self._make_room()

    def asks(self, connection: Connection, *, client: bool) -> None:
        """A request has come; that of a `client` is counted by its seat."""
        self._silent.pop(connection, None)
        if client:
            return
        self._asking[connection] = None
        # Half of the places are for those who come: whoever asks and does not read may take a minute.
        self._show_out(self._asking, len(self._asking) - max(self._most // 2, 1))

    def answered(self, connection: Connection) -> None:
        """It may ask again."""
        self._asking.pop(connection, None)
        if connection.transport is not None:
            self._silent[connection] = None

    def _make_room(self) -> None:
        for kept in (self._silent, self._asking):
            for connection in [each for each in kept if each.transport is None]:
                del kept[connection]
        # Never the newest: nothing was heard of it, since it has only just come.
        self._show_out(self._silent, min(len(self) - self._most, len(self._silent) - 1))
        self._show_out(self._asking, len(self) - self._most)
        self._prune_at = max(_PRUNED, 2 * len(self))

    def _show_out(self, kept: dict[Connection, None], many: int) -> None:
        shown_out = list(islice(kept, max(many, 0)))
        for connection in shown_out:
            del kept[connection]
            if connection.transport is not None:
                connection.transport.abort()
        if shown_out:
            asked = kept is self._asking
            say(_log, logging.WARNING, "shown out", connections=len(shown_out), asked=asked, most=self._most)


CALLERS: web.AppKey[Callers] = web.AppKey("callers", Callers)


@web.middleware
async def attend(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Note who asks for something, before anything else happens."""
    callers, connection = request.app[CALLERS], request.protocol
    callers.asks(connection, client=request.path == "/ws")
    try:
        return await handler(request)
    finally:
        callers.answered(connection)
