"""Where the glance comes from: one connection to a server, and what that says of the past of one object."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final, Protocol
from urllib.parse import quote

import aiohttp
import msgspec

from kstream.asking import ask, refusal, understood
from kstream.client import Client, Status
from kstream.core.client.state import ClientState, Json
from kstream.core.errors import KstreamError
from kstream.top.steering import Command

_PAGES: Final = 10  # answers that one history is put together of
_LIMIT: Final = 1000  # versions of each
_LARGEST: Final = 32 * 1024 * 1024  # bytes of an answer
_PATIENCE: Final = 60.0  # seconds for each


class Feed(Protocol):
    """A server, as the glance needs it."""

    @property
    def state(self) -> ClientState: ...

    @property
    def status(self) -> Status: ...

    def messages(self) -> AsyncIterator[Json]:
        """As Client.messages."""
        ...

    async def command(self, command: Command) -> None:
        """Drive the timeline. Raises UnreachableError."""
        ...

    async def history(self, uid: str, upto: int | None) -> list[Json]:
        """The versions of an object up to event `upto`, the oldest first, as the server tells them (PROTOCOL 32):
        10,000 at most.

        Raises KstreamError.
        """
        ...


class _Told(msgspec.Struct):
    versions: list[dict[str, Any]] = []
    cursor: str | None = None


class ServerFeed:
    """A running server, whatever it serves. `page`: its HTTP address, without a slash at the end."""

    def __init__(self, client: Client, http: aiohttp.ClientSession, page: str) -> None:
        self._client = client
        self._http = http
        self._page = page
        self._first: Json | None = None

    async def begin(self) -> None:
        """Connect. Raises what Client.messages does."""
        self._first = await anext(self._client.messages(), None)

    @property
    def state(self) -> ClientState:
        return self._client.state

    @property
    def status(self) -> Status:
        return self._client.status

    async def messages(self) -> AsyncIterator[Json]:
        first, self._first = self._first, None
        if first is not None:
            yield first
        async for message in self._client.messages():
            yield message

    async def command(self, command: Command) -> None:
        await self._client.playback(command.action, speed=command.speed, at=command.at)

    async def history(self, uid: str, upto: int | None) -> list[Json]:
        query = {"limit": str(_LIMIT)} | ({"until": f"seq:{upto}"} if upto is not None else {})
        versions: list[Json] = []
        for _ in range(_PAGES):
            told = await self._ask(f"/api/objects/{quote(uid, safe='')}/history", query)
            versions += told.versions
            if told.cursor is None:
                break
            query["cursor"] = told.cursor
        return versions

    async def _ask(self, path: str, query: dict[str, str]) -> _Told:
        status, body = await ask(self._http, self._page, path, query, largest=_LARGEST, seconds=_PATIENCE)
        with understood(self._page, path):
            if status == 200:
                return msgspec.json.decode(body, type=_Told)
            why = refusal(body)
        raise KstreamError(f"{why.message}: {why.details}")
