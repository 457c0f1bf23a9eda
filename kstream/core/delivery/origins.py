"""Names of this server and origins of pages, as they are allowed (PROTOCOL 24): one form for what an option says and
for what a browser sends, so that what is allowed can also be met."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from kstream.core.errors import UsageError

ANY: Final = "*"
_MOST: Final = 1000  # names or origins that can be allowed
_DEFAULT_PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_LABEL: Final = r"[a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9_])?"
_NAME: Final = re.compile(rf"(\*\.)?{_LABEL}(\.{_LABEL})*", re.ASCII)
_LONGEST: Final = 253  # characters of a name (RFC 1035)
_ORIGIN: Final = re.compile(r"([a-z][a-z0-9+.-]{0,31})://([^/?#@\\\s]+?)(?::([0-9]{1,5}))?/?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Allowed:
    """Names or origins in their one form; `*` is any, `*.shop.test` every name below shop.test."""

    forms: frozenset[str]

    def __contains__(self, form: object) -> bool:
        """`form` is as `host_form` or `origin_form` give it."""
        if not isinstance(form, str) or not form:
            return False
        if ANY in self.forms or form in self.forms:
            return True
        scheme, separator, name = form.rpartition("://")
        return any(
            f"{scheme}{separator}*{name[dot:]}" in self.forms for dot, each in enumerate(name) if each == "."
        )


def host_form(text: str) -> str:
    """A name or an address in the form in which it is compared; "" for what is neither."""
    text = text.lower()
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        # A zone (fe80::1%eth0) is of one machine, and may be any text: no browser sends it.
        return "" if "%" in bare else str(ipaddress.ip_address(bare))
    except ValueError:
        return text if len(text) <= _LONGEST and _NAME.fullmatch(text) else ""


def origin_form(text: str) -> str:
    """scheme://host, with the port where it is not the scheme's; "" for what is no origin."""
    found = _ORIGIN.fullmatch(text.lower())
    host = "" if found is None else host_form(found[2])
    if found is None or not host:
        return ""
    port = int(found[3]) if found[3] else _DEFAULT_PORTS.get(found[1])
    if port is not None and not 0 < port < 65536:
        return ""
    host = f"[{host}]" if ":" in host else host
    return f"{found[1]}://{host}" + ("" if port == _DEFAULT_PORTS.get(found[1]) else f":{port}")


def allowed_hosts(texts: Iterable[str]) -> Allowed:
    """What `--allow-host` was given. Raises UsageError for what no Host header can be, with what to write."""
    return Allowed(frozenset(_few([_host(text) for text in texts], "--allow-host")))


def allowed_origins(texts: Iterable[str]) -> Allowed:
    """What `--allow-origin` was given. Raises UsageError for what no Origin header can be, with what to write."""
    return Allowed(frozenset(_few([_origin(text) for text in texts], "--allow-origin")))


def _few(forms: list[str], option: str) -> list[str]:
    if len(forms) > _MOST:
        raise UsageError(
            f"{option}: {len(forms)} are too many; give at most {_MOST}, or *.NAME for all below it"
        )
    return forms


def _host(text: str) -> str:
    form = host_form(text)
    if form or text == ANY:
        return form or ANY
    if origin := origin_form(text):
        # Whoever copies an address from the browser: its name is in there.
        without = host_form(origin.partition("://")[2].partition(":")[0])
        remedy = (
            f"write the name alone: {without}" if without else "write the name alone, such as dash.shop.test"
        )
    elif host_form(text.rpartition(":")[0]):
        remedy = f"write it without the port: {host_form(text.rpartition(':')[0])}"
    elif text.startswith(".") and host_form(text[1:]):
        remedy = f"write *{text.lower()} for every name below it"
    elif not text.isascii():
        remedy = "write it as browsers send it, in ASCII (xn--…)"
    else:
        remedy = "write a name such as dash.shop.test, *.shop.test for every name below it, or * for any name"
    raise UsageError(f"--allow-host {text[:200]!r} can be no Host header: {remedy}")


def _origin(text: str) -> str:
    form = origin_form(text)
    scheme, separator, rest = form.partition("://")
    if text in (ANY, "null"):
        return text
    if form and scheme not in ("ws", "wss", "file"):
        return form
    if form and scheme != "file":
        remedy = f"pages have http or https: write {scheme.replace('ws', 'http')}{separator}{rest}"
    elif text.lower().startswith("file:"):
        remedy = "write null, which is what browsers send for a page that is a file"
    elif "@" in text:
        remedy = "write it without user and password"
    elif not text.isascii():
        remedy = "write it as browsers send it, in ASCII (xn--…)"
    else:
        remedy = (
            "write scheme, host and port, such as http://localhost:5173, https://*.shop.test for every name below it,"
            " or * for any page"
        )
    raise UsageError(f"--allow-origin {text[:200]!r} is not an origin: {remedy}")
