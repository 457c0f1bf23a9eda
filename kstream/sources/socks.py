"""SOCKS5 proxies, where aiohttp-socks is installed (`pip install 'kstream[socks]'`)."""

from __future__ import annotations

import importlib
import ssl
from typing import Any, Final

import aiohttp
from yarl import URL

from kstream.core.errors import ConfigError


def _library() -> Any:
    try:
        return importlib.import_module("aiohttp_socks")
    except ImportError:  # an extra
        return None


_PORT: Final = 1080
_aiohttp_socks: Final = _library()
FAILURES: Final[tuple[type[Exception], ...]] = (
    ()
    if _aiohttp_socks is None
    else (
        _aiohttp_socks.ProxyError,
        _aiohttp_socks.ProxyConnectionError,
        _aiohttp_socks.ProxyTimeoutError,
    )
)
"""What a connection through such a proxy may raise besides OSError."""


def socks_connector(proxy: URL, tls: ssl.SSLContext | bool) -> aiohttp.TCPConnector:
    """The proxy resolves names, as with Go. Raises ConfigError where the library is not installed."""
    if _aiohttp_socks is None:
        raise ConfigError(
            "The proxy is a socks5:// one, which needs a library that is not installed; pip install 'kstream[socks]'"
        )
    connector: aiohttp.TCPConnector = _aiohttp_socks.ProxyConnector(
        host=proxy.host or "",
        port=proxy.explicit_port or _PORT,
        proxy_type=_aiohttp_socks.ProxyType.SOCKS5,
        username=proxy.user,
        password=proxy.password,
        rdns=True,
        limit=0,
        ssl=tls,
    )
    return connector
