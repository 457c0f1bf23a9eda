"""Connections that one worker hands to another: whoever follows a private timeline reaches any of them (PROTOCOL 28).

Each worker has a door, a pair of sockets that the process that records keeps, so that one that is replaced has it, too.
A connection goes through it as its descriptor, with the request that was read of it; on the other side it is as if it
had come there in the first place.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from aiohttp import web

from kstream.ports import Clock

_MOST: Final = 2**16  # bytes of a request: aiohttp reads no longer one, but for very many headers
_TRIES: Final = 40  # a door takes a few at a time
_BETWEEN: Final = 0.05  # seconds between two of them


class Doors:
    """Those of `count` workers, made by the process that records."""

    def __init__(self, count: int) -> None:
        self._pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(count)]

    def of(self, number: int) -> list[int]:
        """The descriptors for one worker: where it takes in what others hand over, then the way to each."""
        return [self._pairs[number][0].fileno(), *(outside.fileno() for _, outside in self._pairs)]

    def close(self) -> None:
        for pair in self._pairs:
            for each in pair:
                each.close()


class Handing:
    """The Neighbours of worker `number`; `descriptors` as `Doors.of` says."""

    def __init__(self, descriptors: Sequence[int], *, number: int, clock: Clock) -> None:
        self.prefix = f"{number}."
        self._number = number
        self._clock = clock
        self._inside, *self._ways = [socket.socket(fileno=each) for each in descriptors]
        self._inside.setblocking(False)
        self._coming: set[asyncio.Task[None]] = set()
        self._greet: Callable[[], asyncio.Protocol] | None = None

    async def hand_over(self, request: web.Request, name: str) -> bool:
        """False where it is the own one, that of nobody, or the other does not take it within two seconds."""
        owner = self._owner(name)
        head = _head(request)
        if owner is None or owner == self._number or len(head) > _MOST:
            return False
        for _ in range(_TRIES):
            transport = request.transport
            if transport is None or transport.is_closing():
                return False
            connection: socket.socket = transport.get_extra_info("socket")
            with suppress(BlockingIOError):
                socket.send_fds(self._ways[owner], [head], [connection.fileno()], socket.MSG_DONTWAIT)
                transport.abort()  # which lets go of the descriptor here, and of nothing else
                await asyncio.sleep(0)  # by then it knows that it is gone, and answers nobody
                return True
            await self._clock.sleep(_BETWEEN)
        return False

    def _owner(self, name: str) -> int | None:
        number, dot, _ = name.partition(".")
        if not (dot and number.isascii() and number.isdigit() and len(number) < 6):
            return None
        return int(number) if int(number) < len(self._ways) else None

    def welcome(self, greet: Callable[[], asyncio.Protocol]) -> None:
        """See Neighbours."""
        self._greet = greet
        asyncio.get_running_loop().add_reader(self._inside, self._take)

    def _take(self) -> None:
        try:
            head, descriptors, _, _ = socket.recv_fds(self._inside, _MOST, 1)
        except BlockingIOError:
            return
        for descriptor in descriptors:
            connection = socket.socket(fileno=descriptor)
            connection.setblocking(False)
            coming = asyncio.create_task(self._come(connection, head))
            self._coming.add(coming)
            coming.add_done_callback(self._coming.discard)

    async def _come(self, connection: socket.socket, head: bytes) -> None:
        assert self._greet is not None, "nothing is taken in before somebody is there to greet"
        _, protocol = await asyncio.get_running_loop().connect_accepted_socket(self._greet, connection)
        protocol.data_received(head)

    def close(self) -> None:
        if self._greet is not None:
            asyncio.get_running_loop().remove_reader(self._inside)
        for coming in self._coming:
            coming.cancel()
        for each in (self._inside, *self._ways):
            each.close()


def _head(request: web.Request) -> bytes:
    """The request as it was read; it has no body."""
    lines = [b"GET %b HTTP/1.1" % request.raw_path.encode()]
    lines += [b"%b: %b" % header for header in request.raw_headers]
    return b"\r\n".join([*lines, b"", b""])
