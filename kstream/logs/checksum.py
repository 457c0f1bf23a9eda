"""CRC-32: that of ISA-L where it can be had, of zlib elsewhere. It is the same number, and several times faster."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Final

crc32: Final[Callable[[bytes, int], int]] = import_module(
    "isal.isal_zlib" if find_spec("isal") else "zlib"
).crc32
"""Of the bytes, going on from the checksum of those before them (0 for none)."""
