"""One API server: a session with its TLS and its credentials."""

from __future__ import annotations

import asyncio
import ssl
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from kstream.connecting import why_not
from kstream.core.errors import ConfigError
from kstream.core.watching.reflection import Failure
from kstream.ports import Clock
from kstream.sources import socks
from kstream.sources.credentials import (
    EXPIRY_MARGIN,
    TOKEN_FILE_EVERY,
    Credentials,
    files_changed,
    load,
    reread_token,
)
from kstream.sources.kubeconfig import KubeSettings
from kstream.sources.redaction import redacted

_SECRETS: Final = 100  # that are remembered: a token lives an hour, a watch ten minutes
_NONE: Final[Mapping[str, str]] = MappingProxyType({})


class UnverifiedError(OSError):
    """It is not known that who answers is our cluster, or known that it is not."""


class EncodedError(OSError):
    """The answer is compressed, though none was asked for: it is not read."""


LISTS: Final = 8  # pages that are read at once, by whoever lists: each is held in memory whole
_NO_TLS: Final = frozenset(
    (
        "WRONG_VERSION_NUMBER",
        "HTTP_REQUEST",
        "RECORD_LAYER_FAILURE",
        "PACKET_LENGTH_TOO_LONG",
        "UNKNOWN_PROTOCOL",
    )
)
_WHICH_PROXY: Final = "see proxy-url in the kubeconfig, or else HTTPS_PROXY or HTTP_PROXY"
FAILURES: Final[tuple[type[Exception], ...]] = (
    aiohttp.ClientError,
    OSError,
    ssl.SSLError,
    ValueError,
    ConfigError,
    *socks.FAILURES,
)
"""What a request may raise; `failure_of` says what it means."""


Verify = Callable[[], Awaitable[None]]


class ApiServer:
    """Requests to the cluster that the settings name. `connect` first, `close` at the end.

    `verify` is asked before the first `get` with another address or certificate than before, and before the first after
    a `doubt`. It raises one of FAILURES when another cluster answers there.
    """

    def __init__(self, settings: KubeSettings, clock: Clock) -> None:
        self.settings = settings
        self._clock = clock
        self._credentials: Credentials | None = None
        self._session: aiohttp.ClientSession | None = None
        self._token_read = 0.0
        self._renewing = asyncio.Lock()
        self._verifying = asyncio.Lock()
        self._doubted = False  # who answers now may be another cluster (LISTWATCH 15)
        self.verify: Verify | None = None
        self.listing = asyncio.Semaphore(LISTS)
        self.serial = 0  # of the credentials in use
        # Of those in use and of the last ones before: what is open was opened with them, and may repeat them.
        self._secrets: OrderedDict[str, None] = OrderedDict()

    @property
    def credentials(self) -> Credentials:
        assert self._credentials is not None, "connect() comes first"
        return self._credentials

    async def connect(self) -> None:
        """Read the credentials anew. Raises ConfigError; what was before stays in use then."""
        credentials = await load(self.settings, self._clock)
        before = self._credentials
        connector = None
        if self._session is None or before is None or before.connection != credentials.connection:
            connector = _connector(credentials)
        self._credentials = credentials
        self._keep(credentials.secrets)
        self._token_read = self._clock.monotonic()
        self.serial += 1
        if connector is None:
            return
        await self.close()
        self._doubted = before is not None
        # Our own deadlines end what hangs.
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=10.0),
            cookie_jar=aiohttp.DummyCookieJar(),
            read_bufsize=2**18,
            auto_decompress=False,  # none is asked for, and what inflates has no bounds
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
        if self._doubted and self.verify is not None:
            async with self._verifying:
                if self._doubted:
                    await self.verify()
                    self._doubted = False
        return await self.ask("GET", path, query)

    def doubt(self) -> None:
        """A connection broke or could not be made: verify before the next `get`."""
        self._doubted = True

    async def ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] = _NONE,
        body: Mapping[str, object] | None = None,
    ) -> aiohttp.ClientResponse:
        """Send a request to whoever is there; raises FAILURES."""
        credentials = await self._fresh()
        if self._session is None:
            raise UnverifiedError("the connection is being made anew")
        # A watch must not be held back by a compressor (LISTWATCH 4); for lists, it costs more CPU than it saves.
        headers = CIMultiDict(
            {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "kstream"}
        )
        if credentials.authorization:
            headers["Authorization"] = credentials.authorization
        headers.extend(credentials.impersonation)
        response = await self._session.request(
            method,
            URL(credentials.host + path),
            params=query,
            json=body,
            headers=headers,
            allow_redirects=False,
            proxy=None if _by_socks(credentials) else credentials.proxy,
        )
        encoding = response.headers.get("Content-Encoding", "identity")
        if encoding.lower() != "identity":
            response.close()
            raise EncodedError(f"the answer to {path} is encoded ({encoding[:20]!r}), which nobody asked for")
        return response

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
            self._keep(self._credentials.secrets)
        return self.credentials

    def redacted(self, text: str) -> str:
        """What somebody else has said, without what nobody may read of the credentials, those of before among them."""
        return redacted(text, self._secrets)

    def _keep(self, secrets: Iterable[str]) -> None:
        for secret in secrets:
            self._secrets[secret] = None
            self._secrets.move_to_end(secret)
        while len(self._secrets) > _SECRETS:
            self._secrets.popitem(last=False)

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()


def _by_socks(credentials: Credentials) -> bool:
    return credentials.proxy is not None and credentials.proxy.scheme == "socks5"


def _connector(credentials: Credentials) -> aiohttp.TCPConnector:
    """Raises ConfigError. No limit: each of 150 namespaces may hold a watch open."""
    if credentials.proxy is not None and _by_socks(credentials):
        return socks.socks_connector(credentials.proxy, credentials.tls or True)
    return aiohttp.TCPConnector(limit=0, ssl=credentials.tls or True)


def cause_of(error: Exception, *, certified: bool = False) -> str:
    """Why a request failed, in words, and what to do about a certificate. `certified`: we have shown one of ours."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        found = error.certificate_error
        return (
            f"The certificate of {error.host}:{error.port} is not trusted: "
            f"{getattr(found, 'verify_message', '') or found}. In the kubeconfig, certificate-authority has to be the "
            "one that signed it, and server, or tls-server-name, a name that it bears"
        )
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return f"The proxy refuses to connect us: it answers {error.status}; {_WHICH_PROXY}"
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        said = error.os_error.strerror or type(error.os_error).__name__
        return f"The proxy {error.host}:{error.port} cannot be reached: {said}; {_WHICH_PROXY}"
    if isinstance(error, socks.FAILURES):
        return f"The SOCKS proxy does not connect us: {error}; {_WHICH_PROXY}"
    if isinstance(error, aiohttp.InvalidURL):
        return "The address is none; see server in the kubeconfig"
    detail = _tls(error) or str(error) or type(error).__name__
    if isinstance(error, aiohttp.ClientConnectorError) and not isinstance(error, ssl.SSLError):
        detail = f"Cannot connect to {error.host}:{error.port}: {why_not(error)}"
    # The refusal is an alert that arrives when we already ask: what is seen of it is a connection that breaks.
    broke = isinstance(error, (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, ssl.SSLError))
    never = isinstance(error, aiohttp.ClientConnectorError) and not isinstance(error, ssl.SSLError)
    if certified and broke and not never:
        return (
            f"{detail}; perhaps the server does not accept the client-certificate of the kubeconfig: "
            "see who signed it, and until when it is valid"
        )
    return detail


def _tls(error: Exception) -> str:
    """What OpenSSL means, in words; "" for what is none of its errors."""
    inner = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    reason = getattr(inner, "reason", None)
    if not isinstance(inner, ssl.SSLError) or not reason:
        return ""
    where = f"{error.host}:{error.port}" if isinstance(error, aiohttp.ClientConnectorError) else "the server"
    if reason in _NO_TLS:
        return f"{where} does not speak TLS: in the kubeconfig, server has to begin with http://, or have another port"
    return f"TLS with {where} failed: {reason.replace('_', ' ').lower()}"


def failure_of(error: Exception) -> tuple[Failure, str]:
    """What a failed request means, and why in words."""
    detail = cause_of(error)
    if isinstance(
        error,
        (
            aiohttp.ClientConnectorError,
            aiohttp.ConnectionTimeoutError,
            aiohttp.InvalidURL,
            aiohttp.ClientHttpProxyError,
            ConfigError,
            UnverifiedError,
            *socks.FAILURES,
        ),
    ):
        return Failure.UNREACHED, detail
    return Failure.CUT, f"the connection broke: {detail}"
