"""How an answer that may be megabytes is gathered and sent: bounded in bytes and in time, and it stops nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from aiohttp import web

from kstream.core.timeline.events import Event

WITHIN: Final = 60.0  # seconds that an answer may take to be read
ENOUGH: Final = 8 << 20  # bytes after which an answer ends, and says how to go on


class Pieces:
    """The parts of an answer, each made and encoded by itself: one call for all of them would hold up the process."""

    def __init__(self, most: int) -> None:
        """`most`: how many there may be."""
        self._most = most
        self._size = 0  # bytes
        self._parts: list[bytes] = []

    @property
    def full(self) -> bool:
        return len(self._parts) >= self._most or self._size >= ENOUGH

    def take(self, events: Iterable[Event], told: Callable[[Event], bytes | None], upto: int) -> int:
        """What is `told` of each of these events, as long as there is room. For a thread.

        Returns the last one that was looked at, `upto` when all were.
        """
        for event in events:
            if (part := told(event)) is not None:
                self._parts.append(part)
                self._size += len(part)
                if self.full:
                    return event.seq
        return upto

    def joined(self, between: bytes) -> bytes:
        return between.join(self._parts)


async def sent(request: web.Request, response: web.Response) -> web.Response:
    """Send it, deflated for whoever takes that; the connection of one who does not read it in time is cut.

    To be awaited in the turn in which it was made: until it is read, it is held in memory.
    """
    response.enable_compression()
    try:
        async with asyncio.timeout(WITHIN):
            await response.prepare(request)
            await response.write_eof()
    except TimeoutError:
        if request.transport is not None:
            request.transport.abort()
    return response
