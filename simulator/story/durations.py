"""Moments as people write them (an RFC 3339 time, or `now`), and spans in scenarios."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from kstream.core.amounts import seconds
from kstream.core.errors import ConfigError

DEFAULT_START = 1737712800.0  # 2025-01-24T10:00:00Z: when simulated time begins unless told otherwise


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
