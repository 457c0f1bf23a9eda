"""A Python client: connects, reconnects as the contract says, folds what it gets.

async with Client("ws://localhost:3001/ws", namespaces=["shop"]) as client:
    async for message in client.messages():
        print(message["type"], client.state.counts())
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Literal, Self

import aiohttp
import msgspec
from yarl import URL

from kstream.clock import SystemClock
from kstream.connecting import url_of, why_not
from kstream.core.client.messages import read_message
from kstream.core.client.reconnect import HEARTBEAT_INTERVAL, HEARTBEAT_TIMEOUT, Reconnect, Retry
from kstream.core.client.refusal import NotNowError, reason, refusal
from kstream.core.client.state import ClientState, Json
from kstream.core.client.wanted import names_of
from kstream.core.errors import (
    ConfigError,
    InvalidMessageError,
    KstreamError,
    UnreachableError,
)
from kstream.core.timeline.timepoint import timestamp
from kstream.ports import Clock

ASKS_WHY = "a3N0cmVhbSBhc2tzIHdoeQ=="  # the Sec-WebSocket-Key of who only wants the words of a refusal
_MAX_MESSAGE = 10 * 1024 * 1024  # bytes; the contract's 10 MB, read generously
_OPENING = 10.0  # seconds for the connection, and again for the answer to the handshake
_CLOSING = 2.0  # seconds that the other side has to answer a close
_FILTER = ("namespaces", "kinds", "labels", "detail")  # parameters of the URL
_TIMELINE = ("at", "speed", "paused", "follow")  # the same: where it begins
_DISLIKED = (400, 500)  # what a server answers to a resume that is refused, or that it stumbles over
_HELD = 1.0  # seconds after which it was the caller, not the server, that kept messages waiting


class Link(StrEnum):
    """What the client is doing."""

    CONNECTING = "connecting"
    CONNECTED = "connected"  # the server's `connection` message has come
    WAITING = "waiting"  # between two attempts
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Status:
    """The link to the server; whether what is held is still true says `ClientState.stale`."""

    link: Link
    reason: str = ""  # why the last connection or attempt ended
    wait: float = 0.0  # seconds until the next attempt, while WAITING
    failed: int = 0  # attempts in a row that came to nothing
    error: KstreamError | None = None  # for the user: set from the fifth failed attempt on; trying goes on


class Client:
    """One connection to a kstream server, kept up until the block is left.

    `url`: ws, wss, http or https; without a path it means `/ws`. Query parameters of it are kept, but for those that
    the client writes itself; `at`, `speed`, `paused` and `follow` (PROTOCOL 27) say where it begins, and a connection
    that is lost goes on where it was. `namespaces`, `kinds` (of pods, nodes, namespaces) and
    `labels` (a selector, for pods): the filter; none is what the URL says, or everything. `detail`: "map" for pods as
    a map shows them (PROTOCOL 33), held by `#number`.

    `resume`: ask for what was missed rather than for everything (PROTOCOL 15). `reconnect=False`: `messages()`
    ends with the connection. `wait_for_server=False`: a first connection that fails is an UnreachableError
    instead of a reason to wait. `on_status` is called with every change of `status`.
    """

    def __init__(
        self,
        url: str,
        *,
        namespaces: Iterable[str] = (),
        kinds: Iterable[str] = (),
        labels: str = "",
        detail: str = "",
        resume: bool = True,
        reconnect: bool = True,
        wait_for_server: bool = True,
        on_status: Callable[[Status], None] | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Raises ConfigError for a `url` that is none, TypeError for a filter that is no list of texts."""
        self._url = _websocket_url(url)
        said = {name: ",".join(filter(None, self._url.query.getall(name, ()))) for name in _FILTER}
        self._said = {name: self._url.query[name] for name in _TIMELINE if name in self._url.query}
        self._url = self._url.without_query_params(*_FILTER, *_TIMELINE, "epoch", "term", "seq", "numbers")
        self.state = ClientState(
            names_of("namespaces", namespaces) or filter(None, said["namespaces"].split(",")),
            kinds=names_of("kinds", kinds) or filter(None, said["kinds"].split(",")),
            labels=labels or said["labels"],
            detail=detail or said["detail"],
        )
        self._may_resume = resume
        self._may_reconnect = reconnect
        self._wait_for_server = wait_for_server
        self._on_status = on_status
        self._clock: Clock = clock or SystemClock()
        self._retries = Reconnect()
        self._status = Status(Link.CLOSED)
        self._session: aiohttp.ClientSession | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._beating: asyncio.Task[None] | None = None
        self._ever_heard = False  # a server was there once
        self._heard = False  # the `connection` of this socket has come
        self._pong_due = False
        self._reading = False
        self._handed_at = self._returned_at = self._clock.monotonic()
        self._reason = ""

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_OPENING, sock_read=_OPENING)
        self._session = aiohttp.ClientSession(timeout=timeout)
        self._retries.connected()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # First of all: whoever still reads learns from it that there is nothing to connect any more.
        session, self._session = self._session, None
        try:
            await self._drop()
        finally:
            if session is not None:
                await session.close()
            self._tell(Status(Link.CLOSED))

    @property
    def status(self) -> Status:
        return self._status

    def messages(self) -> AsyncIterator[Json]:
        """Every message of the server, after it was folded into `state`; over all reconnections, while in the block.

        Raises ConfigError or ForbiddenError when the server refuses the first connection, UnreachableError as
        `wait_for_server` says, and InvalidMessageError for what is no message. It may be called again after that.
        """
        if self._session is None:
            raise RuntimeError("Client is a context manager: use it as `async with Client(...) as client`")
        return self._messages(self._session)

    async def subscribe(
        self, namespaces: Iterable[str] = (), *, kinds: Iterable[str] = (), labels: str = "", detail: str = ""
    ) -> None:
        """Change the filter, the whole of it, now and for every later connection; none is all.

        Its `initial_state` follows as soon as the server can be asked, whatever the client is doing; until then what is
        held is stale. The same filter again asks for nothing. Raises TypeError for what is no list of texts.
        """
        self.state.want(namespaces, kinds=kinds, labels=labels, detail=detail)
        await self._say_wanted()

    async def look(self, numbers: Iterable[int]) -> None:
        """Have these pods of a map told as a whole, in `state.map.looked`, instead of those before. To be said again on
        another connection. Raises UnreachableError when there is none."""
        await self._send({"type": "look", "pods": list(numbers)})

    async def playback(
        self,
        action: Literal["pause", "play", "seek", "step", "live"],
        *,
        speed: float | Literal["max"] | None = None,
        at: str | None = None,
    ) -> None:
        """Go to a timeline of one's own, drive it, or come back with `live` (PROTOCOL 27).

        Raises UnreachableError when there is no connection."""
        command: Json = {"type": "playback", "action": action}
        if speed is not None:
            command["speed"] = speed
        if at is not None:
            command["at"] = at
        await self._send(command)

    # One connection after the other

    async def _messages(self, session: aiohttp.ClientSession) -> AsyncIterator[Json]:
        while (message := await self._next(session)) is not None:
            yield message

    async def _next(self, session: aiohttp.ClientSession) -> Json | None:
        try:
            while self._session is session:
                socket = self._socket or await self._connect(session)
                if socket is None:
                    break
                await self._say_wanted()
                frame = await self._receive(socket)
                if socket is not self._socket:
                    continue
                if frame.type is aiohttp.WSMsgType.TEXT:
                    return self._fold(frame.data)
                if frame.type is aiohttp.WSMsgType.BINARY:
                    raise InvalidMessageError(
                        f"{self._url} sent binary data: kstream never does. Is it a kstream server?"
                    )
                self._reason = self._reason or _why_closed(self._url, socket, frame)
                await self._drop()
                if self._session is not session:
                    break
                if not self._may_reconnect:
                    self._tell(Status(Link.CLOSED, self._reason))
                    break
                retry = self._retries.lost() if self._heard else self._retries.attempt_failed()
                await self._pause(retry, UnreachableError(self._reason))
        except BaseException:
            if self._socket is None and self._session is session:  # nobody tries any more
                self._tell(Status(Link.CLOSED, self._reason))
            raise
        return None

    async def _connect(self, session: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse | None:
        """A socket; None when the block was left meanwhile."""
        while self._session is session:
            self._tell(Status(Link.CONNECTING, self._reason, failed=self._status.failed))
            try:
                socket = await self._open(session)
            except KstreamError as failure:
                if self._session is not session:
                    break
                self._reason = str(failure)
                temporary = isinstance(failure, UnreachableError) and self._wait_for_server
                if not (self._ever_heard or temporary):
                    raise
                retry_after = failure.retry_after if isinstance(failure, NotNowError) else 0.0
                await self._pause(self._retries.attempt_failed(retry_after=retry_after), failure)
            else:
                if self._session is not session:
                    await socket.close()
                    break
                self._heard = self._pong_due = False
                self._reason = ""
                self._socket = socket
                self._beating = asyncio.create_task(self._heartbeat(socket))
                return socket
        return None

    async def _open(self, session: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
        url = self._url
        url = url.update_query(self.state.filter.query())
        elsewhere = self.state.timeline(self._said)
        url = url.update_query(elsewhere)
        token = self.state.resume if self._may_resume and not elsewhere else None
        if token is not None:
            numbers = self.state.map.numbers if self.state.map is not None else None
            said = {"epoch": token.epoch, "term": token.term, "seq": str(token.seq), "numbers": numbers}
            url = url.update_query({name: value for name, value in said.items() if value is not None})
        self.state.connecting()
        try:
            return await session.ws_connect(
                url,
                compress=15,
                max_msg_size=_MAX_MESSAGE,
                timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSING),
            )
        except aiohttp.WSServerHandshakeError as refused:
            why = await self._refusal(session, url)
            if token is not None and refused.status in _DISLIKED:
                self.state.not_resumed()  # do not ask for it twice
            wait = refused.headers.get("Retry-After", "") if refused.headers else ""
            raise refusal(str(self._url), refused.status, why, wait) from refused
        except (aiohttp.ClientError, TimeoutError, OSError) as failure:
            raise UnreachableError(
                f"Cannot reach {self._url}: {why_not(failure)}. Is a kstream server running there?"
            ) from failure

    @staticmethod
    async def _refusal(session: aiohttp.ClientSession, url: URL) -> str:
        """What the server says about its refusal: a failed WebSocket handshake does not hand over the body."""
        handshake = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": ASKS_WHY,
        }
        plain = url.with_scheme("https" if url.scheme == "wss" else "http")
        try:
            async with session.get(plain, headers=handshake) as answer:
                return reason(await answer.content.read(65536))
        except (aiohttp.ClientError, TimeoutError, OSError):
            return ""

    async def _pause(self, retry: Retry, failure: KstreamError) -> None:
        error = failure if retry.show_error else None
        self._tell(Status(Link.WAITING, self._reason, retry.wait, retry.failed, error))
        await self._clock.sleep(retry.wait)

    async def _drop(self) -> None:
        self.state.disconnected()
        beating, self._beating = self._beating, None
        socket, self._socket = self._socket, None
        if beating is not None:
            beating.cancel()
            await asyncio.wait((beating,))
        if socket is not None:
            await socket.close()

    def _tell(self, status: Status) -> None:
        if status != self._status:
            self._status = status
            if self._on_status is not None:
                self._on_status(status)

    # One connection

    async def _receive(self, socket: aiohttp.ClientWebSocketResponse) -> aiohttp.WSMessage:
        now = self._clock.monotonic()
        if now - self._handed_at > _HELD:
            self._returned_at = now
        self._reading = True
        try:
            return await socket.receive()
        finally:
            self._reading = False
            self._handed_at = self._clock.monotonic()

    def _fold(self, text: str) -> Json:
        message = read_message(text, str(self._url))
        self.state.apply(message)
        if message["type"] == "pong":
            self._pong_due = False
        elif message["type"] == "connection":
            self._heard = self._ever_heard = True
            self._retries.connected()
            self._tell(Status(Link.CONNECTED))
        return message

    async def _heartbeat(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """A ping every 30 s; no pong within 10 s ends the connection (contract, "Connection Parameters").

        A pong that waits behind messages which the caller has not asked for yet is not missing.
        """
        next_ping = self._clock.monotonic() + HEARTBEAT_INTERVAL
        while True:
            await self._clock.sleep(next_ping - self._clock.monotonic())
            asked = self._clock.monotonic()
            next_ping = asked + HEARTBEAT_INTERVAL
            self._pong_due = True
            try:
                await self._send({"type": "ping", "timestamp": timestamp(self._clock.time())})
            except UnreachableError:
                return  # whoever reads learns it as well
            while self._pong_due:
                quiet = self._clock.monotonic() - max(asked, self._returned_at) if self._reading else 0.0
                if quiet >= HEARTBEAT_TIMEOUT:
                    self._reason = f"No pong from {self._url} within {HEARTBEAT_TIMEOUT:g} s"
                    await socket.close()
                    return
                await self._clock.sleep(HEARTBEAT_TIMEOUT - quiet)

    async def _say_wanted(self) -> None:
        fields = self.state.unsaid()
        if fields is not None:
            with suppress(UnreachableError):  # the URL of the next connection says it
                await self._send({"type": "subscribe", **fields})

    async def _send(self, message: Json) -> None:
        try:
            if self._socket is None:
                raise ConnectionResetError("not connected")
            await self._socket.send_str(msgspec.json.encode(message).decode())
        except (aiohttp.ClientError, ConnectionResetError) as gone:
            raise UnreachableError(
                f"Cannot send {message['type']!r} to {self._url}: {gone}. Try again once it is connected"
            ) from gone


def _websocket_url(text: str) -> URL:
    try:
        url = url_of(text if "://" in text else f"ws://{text}")
        scheme = {"ws": "ws", "http": "ws", "wss": "wss", "https": "wss"}.get(url.scheme)
    except ValueError as wrong:
        raise ConfigError(f"{text!r} is no URL: {wrong}. Write it as ws://localhost:3001/ws") from wrong
    if scheme is None or not url.host:
        raise ConfigError(f"{text!r} is no WebSocket URL. Write it as ws://localhost:3001/ws")
    url = url.with_scheme(scheme)
    return url if url.path not in ("", "/") else url.with_path("/ws", keep_query=True)


def _why_closed(url: URL, socket: aiohttp.ClientWebSocketResponse, frame: aiohttp.WSMessage) -> str:
    if frame.type is aiohttp.WSMsgType.ERROR:
        return f"The connection to {url} broke: {frame.data}"
    said = f": {frame.extra}" if frame.type is aiohttp.WSMsgType.CLOSE and frame.extra else ""
    return f"The connection to {url} was closed (code {socket.close_code}{said})"
