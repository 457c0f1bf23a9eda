"""Moments and spans of options, as people write them: an RFC 3339 time or `now`, and 90s or 2h."""

from __future__ import annotations

from datetime import UTC, datetime

from kstream.core.amounts import seconds
from kstream.core.errors import ConfigError, UsageError
from simulator.cluster import bounds

DEFAULT_START = 1737712800.0  # 2025-01-24T10:00:00Z: when simulated time begins unless told otherwise


def moment(text: str, *, now: float, option: str = "--start") -> float:
    """Seconds since the epoch of an RFC 3339 time from 1971 to 2999, or of `now`. Raises UsageError with `option`."""
    if text == "now":
        return float(int(now))
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{option}: {text!r:.60} is not a time: write it as 2025-01-24T10:00:00Z, or `now` for this moment"
        ) from None
    at = (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
    if not bounds.EARLIEST <= at < bounds.LATEST:
        raise UsageError(
            f"{option}: {text!r} is no time for a simulation to begin: choose one from 1971 to 2999"
        )
    return at


def span(text: str, *, option: str, most: float) -> float:
    """Seconds. Raises UsageError that names `option`, for what is no span, and for more than `most` seconds."""
    try:
        found = seconds(text)
    except ConfigError as error:
        raise UsageError(f"{option}: {error}") from None
    if found > most:
        raise UsageError(f"{option} {text:.60} is too long: {most / bounds.DAY:.0f}d is the most")
    return found
