"""What comes in the headers of a request for the socket: the names of hosts and pages, and offers of compression."""

from __future__ import annotations

import ipaddress
import re
import zlib
from contextlib import suppress
from typing import Final

from aiohttp._websocket.helpers import ws_ext_parse

from kstream.core.delivery.deflate import deflater
from kstream.core.delivery.origins import ANY, Allowed, allowed_hosts, allowed_origins, host_form, origin_form
from kstream.core.errors import ConfigError
from kstream.web.admission import Admission
from kstream.web.deflateoffers import negotiable
from tests.fuzz.target import Target

_TEXT: Final = b"kstream " * 100
_OFFER: Final = re.compile(
    r"permessage-deflate(;(server_no_context_takeover|client_no_context_takeover"
    r"|server_max_window_bits=([89]|1[0-5])|client_max_window_bits(=([89]|1[0-5]))?))*"
)
_FORM: Final = re.compile(r"[a-z0-9_.:*-]{1,253}", re.ASCII)
_PAGE: Final = re.compile(r"[a-z][a-z0-9+.-]*://[a-z0-9_.:*\[\]-]{1,262}", re.ASCII)


def deflate_offer(data: bytes) -> None:
    """What may be negotiated is only what RFC 7692 lets a client offer, and what is negotiated of it works.

    aiohttp says to which window; a compressor has one of that size, and whoever inflates it reads the same.
    """
    header = data[:8_190].decode("latin-1").replace("\n", " ").replace("\r", " ")
    if not negotiable(header):
        return
    offers = [";".join(part.strip() for part in offer.split(";")) for offer in header.split(",")]
    named = [offer for offer in offers if "permessage-deflate" in offer]
    assert all(_OFFER.fullmatch(offer) for offer in named), named
    for offer in named:
        names = [parameter.partition("=")[0] for parameter in offer.split(";")]
        assert len(names) == len(set(names))
    bits, _ = ws_ext_parse(header, isserver=True)
    assert bits == 0 or (named and 9 <= bits <= 15)
    if bits:
        allowed = [
            int(found[1]) if (found := re.search(r"server_max_window_bits=(\d+)", offer)) else 15
            for offer in named
        ]
        assert bits in allowed
        packer = deflater(bits)
        packed = packer.compress(_TEXT) + packer.flush(zlib.Z_SYNC_FLUSH)
        assert zlib.decompressobj(-bits).decompress(packed) == _TEXT


def origins(data: bytes) -> None:
    """Three lines: Host, Origin, and what an option was given.

    A form is ASCII, and the form of itself; what is allowed can be met; who sends what is neither of this machine nor
    allowed is not let in. No header raises.
    """
    lines = data.decode("utf-8", "surrogateescape").split("\n", 2)
    host, origin, option = (*(line.strip(" \t\r") for line in lines), "", "")[:3]
    for text in (host, origin, option):
        form, page = host_form(text), origin_form(text)
        assert not form or (_FORM.fullmatch(form) and host_form(form) == form), form
        assert not page or (_PAGE.fullmatch(page) and origin_form(page) == page), page
    nothing = Allowed(frozenset())
    strict = Admission(bound="127.0.0.1", origins=nothing, hosts=nothing)
    assert not strict.host_allowed(host) or _is_local(host), host
    if strict.origin_allowed(origin, host):
        assert _same(origin, host), (origin, host)
    with suppress(ConfigError):
        hosts = allowed_hosts([option])
        assert ANY in hosts.forms or host_form(option) in hosts
        opened = Admission(bound="127.0.0.1", origins=nothing, hosts=hosts)
        assert opened.host_allowed(_bracketed(host_form(option).replace("*", "a") or "a"))
    pages = allowed_origins([option])
    opened = Admission(bound="127.0.0.1", origins=pages, hosts=nothing)
    assert opened.origin_allowed(option.replace("*", "a"), "shop.test")


def _bracketed(form: str) -> str:
    return f"[{form}]" if ":" in form else form


def _is_local(host: str) -> bool:
    """By a plain reading of the header: a name or an address, perhaps a port."""
    found = re.fullmatch(r"(\[[^\[\]]*\]|[^:\[\]]*)(:[0-9]*)?", host.strip().lower())
    if found is None:
        return False
    name = found[1].strip("[]")
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


def _same(origin: str, host: str) -> bool:
    scheme, _, netloc = origin.lower().partition("://")
    port = {"http": ":80", "https": ":443"}.get(scheme, "")
    return netloc.removesuffix("/").removesuffix(":").removesuffix(port) == host.lower().removesuffix(
        ":"
    ).removesuffix(port)


TARGETS: Final[tuple[Target, ...]] = (
    Target(
        name="deflate-offer",
        run=deflate_offer,
        syntax="text",
        raises=None,
        words=(
            "permessage-deflate", "x-webkit-deflate-frame", ";", ",", "=", " ", "\t", '"', "server_no_context_takeover",
            "client_no_context_takeover", "server_max_window_bits", "client_max_window_bits", "=8", "=9", "=15", "=16",
            '="10"', "=010",
        ),
        executions=1_500,
    ),
    Target(
        name="origins",
        run=origins,
        syntax="text",
        raises=ConfigError,
        words=(
            "\n", "localhost", ".localhost", "127.0.0.1", "[::1]", "::1%", "[::ffff:127.0.0.1]", "http://", "https://",
            "ws://", "file://", "null", "*", "*.", "shop.test", ":80", ":443", ":0", ":65536", "@", "/", "\\", "%",
            "xn--", "İ", "ß", "。", "\u2100", "[", "]", "?", "#",
        ),
        executions=1_500,
    ),
)  # fmt: skip
