"""An outlet that does what `--fault` asks for (core/delivery/socketfaults.py), around one that works."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

from aiohttp import WSMessage, WSMsgType

from kstream.core.delivery.session import Close
from kstream.core.delivery.socketfaults import CloseWith, Deaf, Delay, Drop, Mute, SocketFault
from kstream.delivery.member import Outlet, Reached

_PING = b'"ping"'


class FaultySocket:
    """Everything goes through `write`: it hands nothing to the operating system at once."""

    def __init__(self, behind: Outlet, faults: Sequence[SocketFault]) -> None:
        self._behind = behind
        self._loop = asyncio.get_running_loop()
        self._delay = sum(fault.seconds for fault in faults if isinstance(fault, Delay))
        self._muted_at = min((f.after for f in faults if isinstance(f, Mute)), default=float("inf"))
        self._deaf_at = min((f.after for f in faults if isinstance(f, Deaf)), default=float("inf"))
        self._began = self._loop.time()
        self._late: deque[tuple[float, bytes]] = deque()
        self._timers: list[asyncio.TimerHandle] = []
        for fault in faults:
            if isinstance(fault, Drop):
                end = Close(1006, "--fault drop", abort=True)
            elif isinstance(fault, CloseWith):
                end = Close(fault.code, "--fault close")
            else:
                continue
            self._timers.append(self._loop.call_later(fault.after, behind.close, end))

    @property
    def descriptor(self) -> int:
        return -1

    def hears(self, message: WSMessage) -> bool:
        """False for a ping, of either sort, that is to go unanswered."""
        if self._loop.time() - self._began < min(self._deaf_at, self._muted_at):
            return True
        return not (
            message.type is WSMsgType.PING or (message.type is WSMsgType.TEXT and _PING in message.data)
        )

    def write(self, data: bytes | memoryview) -> None:
        if self._loop.time() - self._began >= self._muted_at:
            return
        if not self._delay:
            self._behind.write(data)
            return
        self._late.append((self._loop.time() + self._delay, bytes(data)))
        if len(self._late) == 1:
            self._loop.call_later(self._delay, self._deliver)

    def _deliver(self) -> None:
        # One timer for all: two of the same instant could fire in any order.
        while self._late and self._late[0][0] <= self._loop.time():
            self._behind.write(self._late.popleft()[1])
        if self._late:
            self._loop.call_at(self._late[0][0], self._deliver)

    def pending(self) -> int:
        return self._behind.pending()

    def reached(self) -> Reached:
        return self._behind.reached()

    def close(self, close: Close) -> None:
        self.done()
        self._behind.close(close)

    def done(self) -> None:
        """The connection is over: no timer shall act on it."""
        self._late.clear()
        for timer in self._timers:
            timer.cancel()
