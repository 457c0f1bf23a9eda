"""Spans and moments as people write them: `90s`, `1m30s`, `2h`, `500ms`; an RFC 3339 time, or `now`."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from kstream.core.errors import ConfigError

DEFAULT_START = 1737712800.0  # 2025-01-24T10:00:00Z: when simulated time begins unless told otherwise
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhd])")


def seconds(text: str | float) -> float:
    """The span in seconds. Raises ConfigError for anything else than numbers with units, or a bare number."""
    parts = _PART.findall(text) if isinstance(text, str) else []
    if parts and "".join(number + unit for number, unit in parts) == text:
        return sum(float(number) * _UNITS[unit] for number, unit in parts)
    try:
        span = float(text)
    except (TypeError, ValueError):
        span = -1.0
    if not 0 <= span < float("inf"):
        raise ConfigError(f"{text!r} is not a span of time: write 90s, 1m30s, 2h or 500ms")
    return span


def moment(text: str, *, now: float) -> float:
    """Seconds since the epoch of an RFC 3339 time, or of `now`. Raises ConfigError."""
    if text == "now":
        return float(int(now))
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(
            f"{text!r} is not a time: write it as 2025-01-24T10:00:00Z, or `now` for this moment"
        ) from None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()


def _parse(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return seconds(value)
        except ConfigError as error:
            raise ValueError(str(error)) from None
    return value


# In scenarios: a string with units, or a number of seconds.
Seconds = Annotated[
    float,
    BeforeValidator(_parse, json_schema_input_type=str | float),
    Field(ge=0, description="A span of time: 90s, 1m30s, 2h, 500ms, or a number of seconds"),
]
