"""The hub's outlet on a transport: what it writes, and how it ends. test_ws.py has what a client sees."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
from aiohttp import web

from kstream.core.delivery.session import Close
from kstream.delivery.member import Reached
from kstream.web.metrics import Visits
from kstream.web.ws import LossWatch, Socket
from tests.virtual import in_virtual_time


class Transport(asyncio.Transport):
    """One that notes what it is told."""

    def __init__(self, **extra: Any) -> None:
        super().__init__(extra)
        self.heard: list[tuple[float, object]] = []
        self.ending = False

    def note(self, what: object) -> None:
        self.heard.append((asyncio.get_running_loop().time(), what))

    def is_closing(self) -> bool:
        return self.ending

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.note(bytes(data))

    def get_write_buffer_size(self) -> int:
        return 42

    def abort(self) -> None:
        self.note("abort")


class Peer:
    """aiohttp's side of a WebSocket, whose client answers a close frame after `answers` seconds."""

    def __init__(self, transport: Transport, answers: float = 0.0) -> None:
        self.closed = False
        self._transport = transport
        self._answers = answers

    async def close(self, *, code: int, message: bytes) -> None:
        self._transport.note((code, message))
        await asyncio.sleep(self._answers)
        self._transport.note("answered")


Story = Callable[[Socket, Transport, Peer, "set[asyncio.Task[None]]", Visits], Awaitable[None]]


def played(story: Story, *, answers: float = 0.0, **extra: Any) -> list[tuple[float, object]]:
    transport = Transport(**({"socket": socket.socket()} | extra))

    async def play() -> None:
        closers: set[asyncio.Task[None]] = set()
        visits, peer = Visits(), Peer(transport, answers)
        outlet = Socket(cast(web.WebSocketResponse, peer), transport, closers, visits)
        await story(outlet, transport, peer, closers, visits)
        await asyncio.sleep(100)
        assert not closers

    in_virtual_time(play())
    transport.get_extra_info("socket").close()
    return transport.heard


def test_nothing_is_written_behind_a_close_frame_or_to_what_is_lost() -> None:
    async def story(outlet: Socket, transport: Transport, peer: Peer, *_: Any) -> None:
        outlet.write(b"a")
        peer.closed = True
        outlet.write(b"b")
        peer.closed, transport.ending = False, True
        outlet.write(b"c")
        assert outlet.pending() == 42

    assert played(story) == [(0, b"a")]


@pytest.mark.parametrize(("tls", "own"), [(None, True), (object(), False)])
def test_the_descriptor_is_that_of_the_socket_but_for_tls(tls: object, own: bool) -> None:
    async def story(outlet: Socket, transport: Transport, *_: Any) -> None:
        fileno = transport.get_extra_info("socket").fileno()
        assert outlet.descriptor == (fileno if own else -1)

    played(story, sslcontext=tls)


def closing(close: Close, *, answers: float) -> list[tuple[float, object]]:
    async def story(
        outlet: Socket, _: Transport, __: Peer, closers: set[asyncio.Task[None]], visits: Visits
    ) -> None:
        outlet.close(close)
        assert len(closers) == 1
        assert visits.closes == {str(close.code): 1}

    return played(story, answers=answers)


def test_a_close_is_said_answered_and_then_the_connection_is_cut() -> None:
    close = Close(1001, "the server is stopping")
    assert closing(close, answers=4.9) == [
        (0, (1001, b"the server is stopping")),
        (4.9, "answered"),
        (4.9, "abort"),
    ]


def test_who_does_not_answer_a_close_is_cut_off_after_five_seconds() -> None:
    assert closing(Close(1001, "bye"), answers=60.0) == [(0, (1001, b"bye")), (5.0, "abort")]


def test_who_is_gone_anyway_is_cut_off_without_a_word() -> None:
    assert closing(Close(1013, "read nothing", abort=True), answers=0.0) == [(0, "abort")]


def test_a_watch_for_losses_lets_everything_through() -> None:
    class Behind(asyncio.Protocol):
        def __init__(self) -> None:
            self.heard: list[object] = []

        def data_received(self, data: bytes) -> None:
            self.heard.append(data)

        def eof_received(self) -> bool | None:
            self.heard.append("eof")
            return True

        def pause_writing(self) -> None:
            self.heard.append("pause")

        def resume_writing(self) -> None:
            self.heard.append("resume")

        def connection_lost(self, exc: Exception | None) -> None:
            self.heard.append(exc)

    behind = Behind()
    watch = LossWatch(asyncio.Transport(), behind, lambda: behind.heard.append("lost"))
    error = ConnectionResetError()
    watch.data_received(b"data")
    assert watch.eof_received() is True
    watch.pause_writing()
    watch.resume_writing()
    watch.connection_lost(error)
    assert behind.heard == [b"data", "eof", "pause", "resume", "lost", error]


def test_it_says_how_far_the_network_has_come_with_what_was_written() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        near = socket.create_connection(listening.getsockname())
        far, _ = listening.accept()
        near.setblocking(False)
        transport = Transport(socket=near)

        async def made() -> Socket:
            return Socket(cast(web.WebSocketResponse, Peer(transport)), transport, set(), Visits())

        outlet = asyncio.run(made())
        with near, far:
            before = outlet.reached()
            assert before.written == before.confirmed + 42, "what the transport still has counts as written"
            sent = 0
            try:
                while True:  # until nothing more fits between the two
                    sent += near.send(b"x" * 65536)
            except BlockingIOError:
                pass
            full = outlet.reached()
            assert full.written == before.written + sent
            assert full.confirmed < full.written - 42
            while outlet.reached().confirmed < before.confirmed + sent:
                far.recv(1 << 20)
        assert outlet.reached() == Reached(), "of one that is gone nobody tells"
