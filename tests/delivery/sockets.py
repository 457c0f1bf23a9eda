"""Sockets that read as a test says, and what it reads there."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Any

from kstream.clock import VirtualClock
from kstream.core.delivery.filters import EVERYTHING, Filter
from kstream.core.delivery.session import Close
from kstream.core.timeline.events import Event
from kstream.delivery.hub import Hub
from kstream.delivery.member import Member, Reached
from tests.frames_reader import FrameReader


class FakeSocket:
    """An outlet whose reader takes `room` bytes more; None is all."""

    descriptor = -1

    def __init__(self) -> None:
        self.room: int | None = None
        self.taken = bytearray()
        self.buffer = bytearray()
        self.closed: Close | None = None
        self.network = Reached()
        self._reader = FrameReader()
        self.writes = 0
        self.looks = 0  # how often somebody asked what is pending

    def write(self, data: bytes | memoryview) -> None:
        self.writes += 1
        self.buffer += data
        self.read(0)

    def read(self, more: int) -> None:
        if self.room is not None:
            self.room += more
        count = len(self.buffer) if self.room is None else min(self.room, len(self.buffer))
        self.taken += self.buffer[:count]
        del self.buffer[:count]
        if self.room is not None:
            self.room -= count

    def pending(self) -> int:
        self.looks += 1
        return len(self.buffer)

    def reached(self) -> Reached:
        return self.network

    def close(self, close: Close) -> None:
        self.closed = close

    def messages(self) -> list[dict[str, Any]]:
        data, self.taken = bytes(self.taken), bytearray()
        return self._reader.messages(data)


class RealSocket(FakeSocket):
    """One with a descriptor, that a lane writes to directly."""

    def __init__(self) -> None:
        super().__init__()
        self._near, self._far = socket.socketpair()
        self._near.setblocking(False)
        self._far.setblocking(False)
        self._near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        self.descriptor = self._near.fileno()

    def all_taken(self) -> bytes:
        """The bytes that came by either way."""
        with suppress(BlockingIOError):
            while data := self._far.recv(65536):
                self.taken += data
        return bytes(self.taken)

    def received(self) -> list[dict[str, Any]]:
        """What came by either way, in order; the transport's part never before the descriptor's is read."""
        self.all_taken()
        return self.messages()

    def __del__(self) -> None:
        self._near.close()
        self._far.close()


async def join(hub: Hub, clock: VirtualClock, watched: Filter = EVERYTHING) -> tuple[FakeSocket, Member]:
    socket = FakeSocket()
    member = hub.join(socket, watched, window_bits=0)
    hub.serve(member)
    await clock.advance(0)
    return socket, member


async def publish(hub: Hub, *events: Event) -> None:
    hub.publish(events)
    await hub.flush()


def types(messages: list[dict[str, Any]]) -> list[str]:
    return [message["type"] for message in messages]


class SlowClock(VirtualClock):
    """A clock on which sending takes time: each look at it costs `step` seconds."""

    step = 0.0

    def monotonic(self) -> float:
        self.spend(self.step)
        return super().monotonic()

    def spend(self, seconds: float) -> None:
        self._now += seconds
