"""What `server` of a kubeconfig means, as client-go takes it.

With a scheme it is a URL, whose path is a prefix and whose user and password are those of every request; without one
it is `host:port`, over http.
"""

from __future__ import annotations

import base64
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from kstream.core.errors import ConfigError


class Address(NamedTuple):
    host: str  # "https://10.0.0.1:6443/prefix", no slash at the end, nothing of who we are
    secure: bool
    basic: str  # the value of Authorization that is in it, "" for none
    password: str


def read_server(server: str, where: str) -> Address:
    """Raises ConfigError, which does not repeat `server`: it may have a password."""
    url = _split(server)
    if url is None or not url.scheme or not url.netloc:
        url = _split("http://" + server)
        if url is not None and url.path not in ("", "/"):
            url = None
    if url is None or not url.hostname:
        raise ConfigError(f"{where}: server is no address; write https:// and its host and port")
    if url.scheme not in ("http", "https"):
        raise ConfigError(f"{where}: server is neither https:// nor http://; correct it")
    user, at, place = url.netloc.rpartition("@")
    name, _, password = user.partition(":")
    name, password = unquote(name), unquote(password)
    basic = "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode() if at else ""
    host = SplitResult(url.scheme, place.lower(), url.path, "", "").geturl().rstrip("/")
    return Address(host, url.scheme == "https", basic, password)


def _split(server: str) -> SplitResult | None:
    try:
        url = urlsplit(server)
        _ = url.port, url.hostname
    except ValueError:
        return None
    wrong = any(letter < " " or letter == "\x7f" for letter in server) or " " in url.netloc
    return None if wrong else url
