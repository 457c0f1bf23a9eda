"""Which proxy leads to a server: the kubeconfig's, else the environment's, read as Go's net/http reads them.

HTTPS_PROXY for https and HTTP_PROXY for http, in upper case before lower case; NO_PROXY has names (with all below
them), addresses, networks and ports. Loopback addresses and localhost are never asked through a proxy of the
environment. See https://pkg.go.dev/golang.org/x/net/http/httpproxy.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Final
from urllib.parse import SplitResult, urlsplit

from yarl import URL

from kstream.connecting import url_of
from kstream.core.errors import ConfigError

SCHEMES: Final = ("http", "https", "socks5")
_PORTS: Final = {"http": 80, "https": 443}
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def own_proxy(proxy_url: str, where: str) -> URL | None:
    """The one that the kubeconfig names. Raises ConfigError, which does not repeat it: it may have a password."""
    if not proxy_url:
        return None
    url = _split(proxy_url)
    if url is None or url.scheme not in SCHEMES or not url.hostname:
        raise ConfigError(
            f"{where}: proxy-url is no address of a proxy; write http://, https:// or socks5:// and its host and port"
        )
    return _url(url)


def environment_proxy(server: URL, environment: Mapping[str, str]) -> URL | None:
    """None: none, or not for this server. Raises ConfigError for what is no proxy, and does not repeat it."""
    name = f"{server.scheme.upper()}_PROXY"
    value = environment.get(name) or environment.get(name.lower()) or ""
    if not value or _bypassed(server, environment.get("NO_PROXY") or environment.get("no_proxy") or ""):
        return None
    url = _split(value if "://" in value else "http://" + value)
    scheme = "" if url is None else url.scheme.replace("socks5h", "socks5")
    found = None if url is None or not url.hostname else _url(url._replace(scheme=scheme))
    if scheme not in SCHEMES or found is None:
        raise ConfigError(
            f"{name} is no proxy that kstream can use; write http://, https:// or socks5:// and its host and port"
        )
    return found


def _split(value: str) -> SplitResult | None:
    try:
        url = urlsplit(value)
        _ = url.port, url.hostname
    except ValueError:
        return None
    return None if any(letter <= " " or letter == "\x7f" for letter in value) else url


def _url(url: SplitResult) -> URL | None:
    try:
        return url_of(url._replace(path="", query="", fragment="").geturl())
    except ValueError:
        return None


def _bypassed(server: URL, no_proxy: str) -> bool:
    host = (server.host or "").lower()
    address = _address(host)
    if host == "localhost" or (address is not None and address.is_loopback):
        return True
    port = server.explicit_port or _PORTS[server.scheme]
    return any(_matches(entry.strip().lower(), host, address, port) for entry in no_proxy.split(","))


def _matches(entry: str, host: str, address: _Address | None, port: int) -> bool:
    if entry == "*":
        return True
    if "/" in entry:
        try:
            network = ipaddress.ip_network(entry, strict=False)
        except ValueError:
            return False
        return address is not None and address in network
    name, only = entry, ""
    if _address(entry) is None and (entry.count(":") == 1 or entry.startswith("[")):
        name, _, only = entry.rpartition(":")
        name = name.removeprefix("[").removesuffix("]")
    if not name or (only and only != str(port)):
        return False
    if (of_entry := _address(name)) is not None:
        return of_entry == address
    name = name.removeprefix("*")
    return host.endswith(name) if name.startswith(".") else host == name or host.endswith("." + name)


def _address(text: str) -> _Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
