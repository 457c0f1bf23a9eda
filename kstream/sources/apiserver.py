"""One API server: a session with its TLS and its credentials."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from typing import Final

import aiohttp
from yarl import URL

from kstream.core.errors import ConfigError
from kstream.core.reflection import Failure
from kstream.ports import Clock
from kstream.sources.credentials import (
    EXPIRY_MARGIN,
    TOKEN_FILE_EVERY,
    Credentials,
    files_changed,
    load,
    reread_token,
)
from kstream.sources.kubeconfig import KubeSettings

FAILURES: Final = (aiohttp.ClientError, OSError, ssl.SSLError, ValueError, ConfigError)
"""What a request may raise; `failure_of` says what it means."""


class ApiServer:
    """Requests to the cluster that the settings name. `connect` first, `close` at the end."""

    def __init__(self, settings: KubeSettings, clock: Clock) -> None:
        self.settings = settings
        self._clock = clock
        self._credentials: Credentials | None = None
        self._session: aiohttp.ClientSession | None = None
        self._token_read = 0.0
        self._renewing = asyncio.Lock()
        self.serial = 0  # of the credentials in use

    @property
    def credentials(self) -> Credentials:
        assert self._credentials is not None, "connect() comes first"
        return self._credentials

    async def connect(self) -> None:
        """Read the credentials anew. Raises ConfigError; what was before stays in use then."""
        credentials = await load(self.settings, self._clock)
        before = self._credentials
        self._credentials = credentials
        self._token_read = self._clock.monotonic()
        self.serial += 1
        if self._session is not None and before is not None and before.connection == credentials.connection:
            return
        await self.close()
        # No limit: each of 150 namespaces may hold a watch open. Our own deadlines end what hangs.
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=credentials.tls or True),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=10.0),
            trust_env=True,
            cookie_jar=aiohttp.DummyCookieJar(),
            read_bufsize=2**20,
        )

    async def renew(self, serial: int, *, only_if_changed: bool = False) -> None:
        """Credentials other than those of `serial`, read once for all who ask together. Raises ConfigError.

        `only_if_changed`: only if a kubeconfig file is another than it was.
        """
        async with self._renewing:
            if self.serial == serial and not (only_if_changed and not await files_changed(self.credentials)):
                await self.connect()

    async def get(self, path: str, query: Mapping[str, str]) -> aiohttp.ClientResponse:
        """Send a GET; raises FAILURES: ConfigError is one, for a credential that had to be renewed and could not."""
        return await self._request("GET", path, query, None)

    async def post(self, path: str, body: Mapping[str, object]) -> aiohttp.ClientResponse:
        """As `get`, with a JSON body."""
        return await self._request("POST", path, {}, body)

    async def _request(
        self, method: str, path: str, query: Mapping[str, str], body: Mapping[str, object] | None
    ) -> aiohttp.ClientResponse:
        credentials = await self._fresh()
        assert self._session is not None
        # A watch must not be held back by a compressor (LISTWATCH 4); for lists, it costs more CPU than it saves.
        headers = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "kstream"}
        if credentials.authorization:
            headers["Authorization"] = credentials.authorization
        return await self._session.request(
            method,
            URL(credentials.host + path),
            params=query,
            json=body,
            headers=headers,
            allow_redirects=False,
            proxy=credentials.proxy,
            server_hostname=credentials.server_name,
        )

    async def _fresh(self) -> Credentials:
        """The credentials, renewed before they expire (LISTWATCH 11)."""
        credentials = self.credentials
        if credentials.expires is not None and credentials.expires - EXPIRY_MARGIN <= self._clock.time():
            await self.renew(self.serial)
        elif (
            credentials.token_file is not None
            and self._clock.monotonic() - self._token_read >= TOKEN_FILE_EVERY
        ):
            self._token_read = self._clock.monotonic()
            self._credentials = await reread_token(credentials)
        return self.credentials

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()


def failure_of(error: Exception) -> tuple[Failure, str]:
    """What a failed request means, and why in words."""
    detail = str(error) or type(error).__name__
    if isinstance(
        error, (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL, ConfigError)
    ):
        return Failure.UNREACHED, detail
    return Failure.CUT, f"the connection broke: {detail}"
