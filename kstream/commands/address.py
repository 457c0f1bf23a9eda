"""Where a server is, as people give it: its page or its WebSocket, which are one server."""

from __future__ import annotations

from yarl import URL

from kstream.connecting import url_of
from kstream.core.errors import UsageError

_PLAIN = {"http": "http", "ws": "http", "https": "https", "wss": "https"}
_SOCKET = {"http": "ws", "https": "wss"}


def page_url(text: str) -> URL:
    """The server's HTTP address, without a slash at the end: its paths are `/api/…` below it.

    `text`: http, https, ws or wss, with or without `/ws`, perhaps below a path of a proxy; a query is left out.
    Raises UsageError for anything else.
    """
    url = _parse(text)
    return url.with_scheme(_PLAIN[url.scheme]).with_path(_above(url), encoded=True)


def socket_url(text: str) -> str:
    """The server's WebSocket, `/ws`, with the query of `text`. Raises UsageError as `page_url` does."""
    url, page = _parse(text), page_url(text)
    path = f"{_above(url).rstrip('/')}/ws"
    return str(page.with_scheme(_SOCKET[page.scheme]).with_path(path, encoded=True).with_query(url.query))


def _above(url: URL) -> str:
    """The path that the server is below: without `/ws`, which belongs to its WebSocket."""
    path = url.raw_path.rstrip("/")
    return path.removesuffix("/ws") if path.endswith("/ws") else path


def _parse(text: str) -> URL:
    try:
        url = url_of(text if "://" in text else f"http://{text}")
        known = url.scheme in _PLAIN and bool(url.host) and url.explicit_port != 0
    except ValueError:
        known = False
    if not known:
        raise UsageError(
            f"{text!r:.200} is not the address of a server: write http://127.0.0.1:3001 or ws://127.0.0.1:3001/ws"
        )
    return url
