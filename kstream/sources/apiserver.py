"""One API server: a session with its TLS and its credentials."""

from __future__ import annotations

import ssl
from collections.abc import Mapping

import aiohttp
from yarl import URL

from kstream.core.reflection import Failure
from kstream.sources.kubeconfig import Credentials, KubeSettings, load


class ApiServer:
    """Requests to the cluster that the settings name. `connect` first, `close` at the end."""

    def __init__(self, settings: KubeSettings) -> None:
        self.settings = settings
        self._credentials: Credentials | None = None
        self._session: aiohttp.ClientSession | None = None

    @property
    def credentials(self) -> Credentials:
        assert self._credentials is not None, "connect() comes first"
        return self._credentials

    async def connect(self) -> None:
        """Read the kubeconfig (again). Raises ConfigError; what was before stays in use then."""
        credentials = await load(self.settings)
        before = self._credentials
        self._credentials = credentials
        if self._session is not None and before is not None and _same_server(before, credentials):
            return
        await self.close()
        # No limit: each of 150 namespaces may hold a watch open. Our own deadlines end what hangs.
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=credentials.tls or True),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=10.0),
            trust_env=True,
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def get(self, path: str, query: Mapping[str, str]) -> aiohttp.ClientResponse:
        """Send a GET; raises what aiohttp raises: `failure_of` tells which kind it is."""
        return await self._request("GET", path, query, None)

    async def post(self, path: str, body: Mapping[str, object]) -> aiohttp.ClientResponse:
        return await self._request("POST", path, {}, body)

    async def _request(
        self, method: str, path: str, query: Mapping[str, str], body: Mapping[str, object] | None
    ) -> aiohttp.ClientResponse:
        credentials = self.credentials
        assert self._session is not None
        # A watch must not be held back by a compressor (LISTWATCH 4); for lists, it costs more than it saves.
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "kstream",
        }
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

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()


def failure_of(error: Exception) -> tuple[Failure, str]:
    """What a failed request means, and why in words."""
    if isinstance(error, (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)):
        return Failure.UNREACHED, str(error) or "no connection within 10 s"
    return Failure.CUT, str(error) or type(error).__name__


def _same_server(one: Credentials, other: Credentials) -> bool:
    if one.tls is not None or other.tls is not None:
        return False  # contexts cannot be compared, and a client certificate may have been renewed
    return (one.host, one.server_name, one.proxy) == (other.host, other.server_name, other.proxy)


FAILURES = (aiohttp.ClientError, OSError, ssl.SSLError, ValueError)
