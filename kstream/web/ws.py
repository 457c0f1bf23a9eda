"""`/ws`: a socket and its session. aiohttp does the handshake and reads; what goes out are our own frames.

Frames go straight to the transport: all that a client is due in one flush is one write. Since deflated frames are
shared between clients, no message may go through aiohttp's own compressor on the same socket.
"""

from __future__ import annotations

import asyncio
import fcntl
import socket
import struct
import termios
from collections.abc import Callable, Mapping, Sequence

from aiohttp import WSCloseCode, WSMsgType, web

from kstream.core.delivery.filters import Filter
from kstream.core.delivery.limits import MAX_TAKEN
from kstream.core.delivery.session import Close
from kstream.core.delivery.socketfaults import Refuse, SocketFault
from kstream.core.errors import InvalidMessageError, LogError, NoRoomError
from kstream.delivery.hub import Hub
from kstream.delivery.member import Outlet, Reached
from kstream.delivery.timelines import Timelines
from kstream.delivery.viewers import Viewer
from kstream.ports import EventLog
from kstream.tracebacks import forget_frames
from kstream.web.admission import error_response
from kstream.web.deflateoffers import negotiable
from kstream.web.faultysocket import FaultySocket
from kstream.web.inflating import MAX_INBOUND, bound_inflating
from kstream.web.metrics import Visits
from kstream.web.neighbours import Neighbours
from kstream.web.reads import watched_by
from kstream.web.resuming import ELSEWHERE, Held, Resumes, Token
from kstream.web.seats import Seats
from kstream.web.wishes import Wish, wished

_CLOSE_TIMEOUT = 5.0  # seconds for a client to answer a close frame
_RETRY_AFTER = "5"


class Socket:
    """The hub's Outlet on an aiohttp WebSocket."""

    __slots__ = ("_closers", "_socket", "_transport", "_visits", "_ws", "descriptor")

    def __init__(
        self,
        ws: web.WebSocketResponse,
        transport: asyncio.Transport,
        closers: set[asyncio.Task[None]],
        visits: Visits,
    ) -> None:
        self._visits = visits
        self._ws = ws
        self._transport = transport
        self._closers = closers
        # Whoever writes to it must forget it in the moment the connection is lost, since the number is used again:
        # see LossWatch. Over TLS what the socket takes is not what a client gets.
        plain = transport.get_extra_info("sslcontext") is None
        self._socket = transport.get_extra_info("socket")
        self.descriptor: int = self._socket.fileno() if plain else -1

    def write(self, data: bytes | memoryview) -> None:
        # Nothing goes out behind a close frame (RFC 6455, 5.5.1).
        if not self._transport.is_closing() and not self._ws.closed:
            self._transport.write(data)

    def pending(self) -> int:
        return self._transport.get_write_buffer_size()

    def reached(self) -> Reached:
        """Linux tells (linux/tcp.h, tcp_info: tcpi_bytes_acked is at byte 120; tcp(7), SIOCOUTQ)."""
        try:
            told = self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 128)
            (confirmed,) = struct.unpack_from("Q", told, 120)
            (queued,) = struct.unpack("i", fcntl.ioctl(self._socket.fileno(), termios.TIOCOUTQ, bytes(4)))
        except (OSError, ValueError, struct.error):  # gone, or another system
            return Reached()
        return Reached(confirmed, confirmed + queued + self.pending())

    def close(self, close: Close) -> None:
        self._visits.closes[str(int(close.code))] += 1
        task = asyncio.get_running_loop().create_task(self._close(close))
        self._closers.add(task)
        task.add_done_callback(self._closers.discard)

    async def _close(self, close: Close) -> None:
        try:
            if not close.abort:
                async with asyncio.timeout(_CLOSE_TIMEOUT):
                    await self._ws.close(code=close.code, message=close.reason.encode())
        except TimeoutError:
            pass
        finally:
            # A close that is blocked, or that the client never answers, must not hold the socket.
            self._transport.abort()


class LossWatch(asyncio.Protocol):
    """Stands before aiohttp's protocol to hear of a lost connection before its descriptor is closed."""

    __slots__ = ("_behind", "_lost", "_transport")

    def __init__(
        self, transport: asyncio.Transport, behind: asyncio.Protocol, lost: Callable[[], None]
    ) -> None:
        self._transport = transport
        self._behind = behind
        self._lost = lost

    def data_received(self, data: bytes) -> None:
        self._behind.data_received(data)

    def eof_received(self) -> bool | None:
        return self._behind.eof_received()

    def pause_writing(self) -> None:
        self._behind.pause_writing()

    def resume_writing(self) -> None:
        self._behind.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost()
        self._behind.connection_lost(exc)
        # asyncio's transport holds a method of its own, and so itself: who came and went would be kept until the
        # garbage collector comes by, which it does very seldom here.
        getattr(self._transport, "__dict__", {}).pop("_read_ready_cb", None)


class WebSockets:
    """The handler of `/ws`, and the end of all its connections."""

    def __init__(
        self,
        hub: Hub,
        log: EventLog,
        visits: Visits,
        *,
        seats: Seats,
        timelines: Timelines,
        neighbours: Neighbours,
        faults: Sequence[SocketFault] = (),
    ) -> None:
        bound_inflating()
        self._hub = hub
        self._resumes = Resumes(hub, log)
        self._visits = visits
        self._seats = seats
        self._timelines = timelines
        self._neighbours = neighbours
        self._faults = faults
        self._refusals = sum(fault.first for fault in faults if isinstance(fault, Refuse))
        self._closers: set[asyncio.Task[None]] = set()
        self._stopping = False

    async def handle(self, request: web.Request) -> web.StreamResponse:
        try:
            watched = watched_by(request)
            wish = wished(request.query)
            token = _token(request.query)
            if wish.elsewhere:
                wish = wish.holding(None if token is None else self._resumes.vouched(token))
                token = None
        except InvalidMessageError as invalid:
            return error_response(400, "INVALID_MESSAGE", str(invalid), invalid.details)
        if self._stopping or self._seats.taken >= self._seats.most:
            return self._full()
        ws = web.WebSocketResponse(
            autoping=False,
            autoclose=False,
            compress=negotiable(request.headers.get("Sec-WebSocket-Extensions", "")),
            max_msg_size=MAX_INBOUND,
            decode_text=False,  # what is too long is not looked at
        )
        if not ws.can_prepare(request).ok:
            return error_response(
                426,
                "UPGRADE_REQUIRED",
                "This is a WebSocket endpoint",
                "Connect with new WebSocket('ws://…/ws')",
                {"Upgrade": "websocket", "Sec-WebSocket-Version": "13"},
            )
        if wish.follow is not None and await self._neighbours.hand_over(request, wish.follow):
            raise ConnectionResetError("another process goes on with this connection")
        if self._refusals:
            self._refusals -= 1
            return error_response(
                503, "TOO_MANY_CLIENTS", "Refused by --fault refuse", "", {"Retry-After": "1"}
            )
        if not self._seats.take():
            return self._full()
        try:
            transport = request.transport
            wish = await wish.prepared(
                self._timelines,
                wanted=lambda: not self._stopping and transport is not None and not transport.is_closing(),
            )
            await self._serve(request, ws, watched, token, wish)
        except NoRoomError as full:
            retry = {"Retry-After": _RETRY_AFTER}
            return error_response(503, "TOO_MANY_TIMELINES", str(full), full.details, retry)
        except InvalidMessageError as invalid:
            return error_response(400, "INVALID_MESSAGE", str(invalid), invalid.details)
        except LogError as unreadable:
            return error_response(503, "LOG_UNREADABLE", "The log cannot be read now", str(unreadable))
        finally:
            self._seats.leave()
            forget_frames(ws.exception())
        if not ws.prepared:
            # It left in the middle of the handshake, as happens every day: there is nobody to answer.
            raise ConnectionResetError("the client left before it was answered")
        return ws

    def _full(self) -> web.Response:
        return error_response(
            503,
            "TOO_MANY_CLIENTS",
            "The server has as many clients as it may",
            f"At most {self._seats.most} at once (--max-clients)",
            {"Retry-After": _RETRY_AFTER},
        )

    async def _serve(
        self,
        request: web.Request,
        ws: web.WebSocketResponse,
        watched: Filter,
        token: Token | None,
        wish: Wish,
    ) -> None:
        async with self._resumes.turn(token, watched) as held:
            joined = await self._join(request, ws, watched, token, held)
        if joined is None:
            return
        viewer, outlet = joined
        try:
            if wish.elsewhere:
                self._grant(viewer, wish)
            viewer.hub.serve(viewer.member)
            await self._read(ws, outlet, viewer)
        finally:
            self._timelines.leave(viewer)
            if isinstance(outlet, FaultySocket):
                outlet.done()

    async def _join(
        self,
        request: web.Request,
        ws: web.WebSocketResponse,
        watched: Filter,
        token: Token | None,
        held: Held,
    ) -> tuple[Viewer, Outlet] | None:
        """Open the socket and take the client in, where it left off if that can be; None when it is gone already."""
        hub, resumes = self._hub, self._resumes
        backlog = hub.backlog
        events, reason = await resumes.look(token, watched) if token is not None else ((), None)
        try:
            await ws.prepare(request)
        except ConnectionResetError:
            return None
        bits = int(ws.compress or 0)
        missed = None
        if token is not None and reason is None:
            missed = await resumes.encode(token, events, watched, bits, held)
            if hub.backlog is not backlog:
                missed, reason = None, ELSEWHERE
        if token is not None:
            self._visits.note_resume(reason)
        transport = request.transport
        if transport is None:
            return None
        outlet: Outlet = Socket(ws, transport, self._closers, self._visits)
        if self._faults:
            outlet = FaultySocket(outlet, self._faults)
        member = hub.join(outlet, watched, window_bits=bits, resumed=missed is not None, reason=reason)
        protocol = transport.get_protocol()
        assert isinstance(protocol, asyncio.Protocol)
        viewer = Viewer(hub, member)
        transport.set_protocol(LossWatch(transport, protocol, lambda: self._timelines.leave(viewer)))
        if missed is not None:
            resumes.give(member, missed)
        return viewer, outlet

    def _grant(self, viewer: Viewer, wish: Wish) -> None:
        """It goes where it wanted to be from the start; if that is not there any more it is told, and stays."""
        try:
            wish.grant(self._timelines, viewer)
        except InvalidMessageError as invalid:
            viewer.member.session.refuse(invalid, time=viewer.hub.time())

    async def _take(self, viewer: Viewer, text: bytes) -> float:
        """A message. Returns as Session.receive does."""
        rest = viewer.hub.receive(viewer.member, text)
        session = viewer.member.session
        if (command := session.command) is not None:
            session.command = None
            try:
                await self._timelines.obey(viewer, command)
            except InvalidMessageError as invalid:
                session.refuse(invalid, time=viewer.hub.time())
                viewer.hub.serve(viewer.member)
        return rest

    async def _read(self, ws: web.WebSocketResponse, outlet: Outlet, viewer: Viewer) -> None:
        clock = self._hub.clock
        while True:
            message = await ws.receive()
            hub, member = viewer.hub, viewer.member
            if isinstance(outlet, FaultySocket) and not outlet.hears(message):
                continue
            match message.type:
                case WSMsgType.TEXT if not _is_text(message.data):
                    self._end(viewer, outlet, Close(WSCloseCode.INVALID_TEXT, "invalid UTF-8"))
                case WSMsgType.TEXT:
                    await clock.sleep(await self._take(viewer, message.data))
                case WSMsgType.PING:
                    await clock.sleep(hub.ping(member, message.data))
                case WSMsgType.PONG:
                    await clock.sleep(hub.pong(member, message.data))
                case WSMsgType.BINARY:
                    self._end(viewer, outlet, Close(WSCloseCode.UNSUPPORTED_DATA, "text messages only"))
                case WSMsgType.CLOSE:
                    await ws.close(code=_answer_to_close(message.data), drain=False)
                    break
                case _:
                    break

    def _end(self, viewer: Viewer, outlet: Outlet, close: Close) -> None:
        """Nothing goes out behind a close frame, and nothing more is answered."""
        if not viewer.member.closed:
            self._timelines.leave(viewer)
            outlet.close(close)

    async def shutdown(self) -> None:
        """Close everyone with 1001 at once; whoever has not answered after 5 s is cut off."""
        self._stopping = True
        self._hub.close_all(Close(WSCloseCode.GOING_AWAY, "the server is stopping"))
        await self._timelines.close()
        if self._closers:
            await asyncio.wait(self._closers)


def _is_text(data: bytes) -> bool:
    """UTF-8 (RFC 6455, 8.1). What is too long is not looked at."""
    try:
        return len(data) > MAX_TAKEN or bool(data.decode()) or not data
    except UnicodeDecodeError:
        return False


def _answer_to_close(code: int) -> int:
    """The code of a client's close frame comes back (RFC 6455, 5.5.1), if it may be in one at all.

    aiohttp refuses most that may not; it lets pass 1006, which is for no close frame at all, and what is no code (7.4).
    """
    if code == WSCloseCode.ABNORMAL_CLOSURE or code >= 5000:
        return WSCloseCode.PROTOCOL_ERROR
    return code or WSCloseCode.OK  # 0: it gave none


def _token(query: Mapping[str, str]) -> Token | None:
    epoch, seq = query.get("epoch"), query.get("seq")
    if epoch is None and seq is None:
        return None
    if epoch is None or seq is None:
        raise InvalidMessageError("A resume token is incomplete", "epoch and seq go together")
    if not (seq.isascii() and seq.isdigit() and len(seq) < 19):
        raise InvalidMessageError("A resume token is wrong", f"seq: {seq[:40]!r} is not a number")
    return Token(epoch, query.get("term", ""), int(seq), query.get("numbers", ""))
