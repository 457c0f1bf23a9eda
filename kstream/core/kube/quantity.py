"""Kubernetes quantities ("4", "1500m", "8130288Ki", "1e3") in the two spellings of the contract.

A quantity is a decimal number with one suffix: n, u, m, none, k, M, G, T, P, E (powers of 1000), Ki … Ei (powers of
1024), or an exponent (`e3`, `E-2`). What is no quantity comes back as it was written: a node with a strange capacity
is still a node, and its text is no secret.
"""

from __future__ import annotations

import re
from typing import Final

_QUANTITY: Final = re.compile(
    r"([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,2})|([numkMGTPE]|[KMGTPE]i)?)"
)
_DECIMAL: Final = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY: Final = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_LONGEST: Final = 64  # characters; a server writes 20 at most, and a longer one could cost time


def millicores(quantity: str) -> str:
    """CPU in thousandths of a core, rounded up as Kubernetes does: "4" → "4000m", "0.5" → "500m"."""
    value = _scaled(quantity, 3)
    return quantity if value is None else f"{value}m"


def binary_bytes(quantity: str) -> str:
    """Memory in the largest binary unit that is exact: "8388608Ki" → "8Gi", "1G" → "1000000000".

    A fraction of a byte is rounded up.
    """
    value = _scaled(quantity, 0)
    if value is None:
        return quantity
    for suffix, bits in reversed(_BINARY.items()):
        if value and not value & ((1 << bits) - 1):
            return f"{value >> bits}{suffix}"
    return str(value)


def _scaled(quantity: str, power: int) -> int | None:
    """The quantity times 10**power as a whole number, rounded up; None for what is no quantity."""
    if len(quantity) > _LONGEST:
        return None
    match = _QUANTITY.fullmatch(quantity)
    if match is None:
        return None
    sign, whole, fraction, exponent, suffix = match.groups()
    fraction = fraction or ""
    if not whole and not fraction:
        return None
    number = int(whole + fraction)
    power -= len(fraction)
    if exponent:
        power += int(exponent)
    elif suffix in _BINARY:
        number <<= _BINARY[suffix]
    elif suffix:
        power += _DECIMAL[suffix]
    if sign == "-":
        number = -number
    scale: int = 10 ** abs(power)
    return number * scale if power >= 0 else -(-number // scale)
