"""Who may talk to the server: the Host and Origin headers, and CORS (PROTOCOL 24).

The check of Host stops DNS rebinding: a page whose own name resolves to this machine still sends its own name. An
address as Host is no name that could be rebound, so a server that is bound to all addresses accepts addresses.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from kstream.core.delivery.origins import ANY, Allowed, host_form, origin_form
from kstream.web.accesslog import Refusal

_DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^/?#@\\%\s:\[\]]+)(:[0-9]*)?")
_OPAQUE = "null"  # the Origin of a page that is a file, or in a sandbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """The rules, as `--host`, `--allow-origin` and `--allow-host` make them."""

    bound: str
    origins: Allowed
    hosts: Allowed
    fixed: bool = False  # there are no such options

    def added_by(self, option: str) -> str:
        """What else could be allowed, for whoever is refused."""
        return "" if self.fixed else f"; start it with {option} to add one"

    def host_allowed(self, header: str) -> bool:
        name = host_form((urlsplit(f"//{header}").hostname or "") if _is_host(header) else "")
        if name == "localhost" or name.endswith(".localhost") or name == host_form(self.bound):
            return bool(name)
        if name in self.hosts:
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return address.is_loopback or _is_wildcard(self.bound)

    def origin_allowed(self, origin: str, host: str) -> bool:
        """Same origin as the Host it asked for, or one that was allowed."""
        if (
            ANY in self.origins.forms
            or (origin if origin == _OPAQUE else origin_form(origin)) in self.origins
        ):
            return True
        return self.same_origin(origin, host)

    @staticmethod
    def same_origin(origin: str, host: str) -> bool:
        """Whether a page of that origin was served under the Host that it asks for."""
        if not _is_host(origin.partition("://")[2].removesuffix("/")) or not _is_host(host):
            return False
        page = urlsplit(origin)
        asked = urlsplit(f"{page.scheme}://{host}")
        default = _DEFAULT_PORTS.get(page.scheme)
        return page.hostname is not None and (page.hostname, page.port or default) == (
            asked.hostname,
            asked.port or default,
        )


def _is_host(text: str) -> bool:
    """A name or an address, perhaps with a port, and nothing else: urlsplit would find one in more than that."""
    if not _HOST.fullmatch(text):
        return False
    try:
        parts = urlsplit(f"//{text}")
        return parts.hostname is not None and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def _is_wildcard(bound: str) -> bool:
    return bound in ("0.0.0.0", "::")


def error_response(
    status: int, code: str, message: str, details: str = "", headers: dict[str, str] | None = None
) -> web.Response:
    """A refusal in the shape of PROTOCOL 14: {"error": {"code", "message", "details"}}."""
    return Refusal(status, code, message, details, headers)


ADMISSION: web.AppKey[Admission] = web.AppKey("admission", Admission)


@web.middleware
async def admit(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse a foreign Host (421) and a foreign Origin (403) before anything else happens."""
    rules = request.app[ADMISSION]
    host = request.headers.get(hdrs.HOST, "")
    if not rules.host_allowed(host):
        return error_response(
            421,
            "HOST_NOT_ALLOWED",
            "This server does not answer to that name",
            f"Host: {host[:200]!r}{rules.added_by('--allow-host NAME')}",
        )
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is None:
        return await handler(request)
    if not rules.origin_allowed(origin, host):
        return error_response(
            403,
            "ORIGIN_NOT_ALLOWED",
            "Pages of that origin may not connect",
            f"Origin: {origin[:200]!r}{rules.added_by('--allow-origin ORIGIN')}",
        )
    if request.method == hdrs.METH_OPTIONS:
        return web.Response(
            status=204,
            headers={
                hdrs.ACCESS_CONTROL_ALLOW_METHODS: "GET, HEAD, OPTIONS",
                hdrs.ACCESS_CONTROL_ALLOW_HEADERS: "*",
                hdrs.ACCESS_CONTROL_MAX_AGE: "600",
            },
        )
    return await handler(request)


async def tell_origin(request: web.Request, response: web.StreamResponse) -> None:
    """For `on_response_prepare`: a page of an allowed origin may read the answer (CORS)."""
    rules = request.app[ADMISSION]
    origin, host = request.headers.get(hdrs.ORIGIN), request.headers.get(hdrs.HOST, "")
    if origin is not None and rules.host_allowed(host) and rules.origin_allowed(origin, host):
        response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
        response.headers.add(hdrs.VARY, hdrs.ORIGIN)
