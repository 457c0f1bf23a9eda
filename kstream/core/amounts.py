"""Spans of time and sizes as people write them: `90s`, `1m30s`, `7d`, `500ms`; `500MB`, `2GiB`."""

from __future__ import annotations

import math
import re
from typing import Final

from kstream.core.errors import ConfigError

_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhd])", re.ASCII)
_SPAN: Final = re.compile(rf"(?:{_PART.pattern})+", re.ASCII)

# Bytes as disks count them (powers of 1000) and as memory does (powers of 1024); the suffixes of Kubernetes, too.
_POWERS: Final = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?) ?([kmgt]?)(i?)b?", re.ASCII | re.IGNORECASE)


def written_span(text: str) -> float | None:
    """Seconds of numbers with units (`1h30m`); None for anything else."""
    if not _SPAN.fullmatch(text):
        return None
    return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))


def seconds(text: str | float) -> float:
    """The span in seconds. Raises ConfigError for anything else than numbers with units, or a bare number."""
    span = written_span(text) if isinstance(text, str) else None
    if span is None:
        try:
            span = float(text)
        except (TypeError, ValueError):
            span = -1.0
    if not 0 <= span < math.inf:
        raise ConfigError(f"{text!r:.60} is not a span of time: write 90s, 1m30s, 2h or 500ms")
    return span


def byte_count(text: str) -> int:
    """The size in bytes. Raises ConfigError for anything else than a number with a unit, or a bare number."""
    found = _SIZE.fullmatch(text.strip())
    size = math.inf
    if found is not None and (found[2] or not found[3]):
        size = float(found[1]) * (1024.0 if found[3] else 1000.0) ** _POWERS[found[2].lower()]
    if size == math.inf:
        raise ConfigError(f"{text!r:.60} is not a size: write 500MB, 2GiB or a number of bytes")
    return round(size)
