"""What a client offers in Sec-WebSocket-Extensions: whether it may be negotiated at all (RFC 7692, 5.1 and 7.1).

aiohttp negotiates, and is lenient: it takes `x-permessage-deflate` for permessage-deflate, and offers with parameters
that are repeated or have values that are none. Such an offer must be declined.
"""

from __future__ import annotations

from typing import Final

_EXTENSION: Final = "permessage-deflate"
_BITS: Final = frozenset(str(bits) for bits in range(8, 16))
_NO_VALUE: Final = frozenset({""})
_VALUES: Final = {
    "server_no_context_takeover": _NO_VALUE,
    "client_no_context_takeover": _NO_VALUE,
    "server_max_window_bits": _BITS,
    "client_max_window_bits": _BITS | _NO_VALUE,
}


def negotiable(header: str) -> bool:
    """False when the header has an offer of permessage-deflate that must be declined, or something named like it.

    A good offer beside a bad one is declined too: that is always allowed, and costs that client its compression.
    """
    for offer in header.split(","):
        name, *parameters = (part.strip() for part in offer.split(";"))
        if _EXTENSION not in offer:  # as a name or a parameter of another: aiohttp finds it anywhere
            continue
        if name != _EXTENSION or not all(_allowed(parameter) for parameter in parameters):
            return False
        names = [parameter.partition("=")[0] for parameter in parameters]
        if len(set(names)) != len(names):
            return False
    return True


def _allowed(parameter: str) -> bool:
    name, equals, value = parameter.partition("=")
    return bool(value or not equals) and value in _VALUES.get(name, ())
