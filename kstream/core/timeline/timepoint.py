"""Points of a timeline as people and programs write them: `at=` and the playback messages (PROTOCOL 27)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple

from kstream.core.amounts import written_span
from kstream.core.errors import InvalidMessageError

_SEQ: Final = re.compile(r"seq:(\d{1,18})", re.ASCII)
_MANY: Final = re.compile(r"seq:\d{19,}", re.ASCII)
_RFC3339: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)


# What was formatted last: each of a hundred timelines that are near each other tells the time of the same events.
_KEPT: Final = 4096


class AtTime(NamedTuple):
    """A moment, in seconds since the Unix epoch."""

    time: float


class AtSeq(NamedTuple):
    """Right after an event, 0 before all of them."""

    seq: int


@lru_cache(maxsize=_KEPT)
def timestamp(time: float) -> str:
    """Seconds since the Unix epoch as RFC 3339 with milliseconds, rounded down, and `Z` (PROTOCOL 1)."""
    return datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def parse(text: str, *, now: float, field: str = "at") -> AtTime | AtSeq:
    """A point: RFC 3339 (`2026-01-24T10:00:00Z`), relative to `now` (`-5m`, `+90s`, `-1h30m`), or `seq:N`.

    Raises InvalidMessageError whose details begin with `field`.
    """
    given, text = text, text.strip()
    if found := _SEQ.fullmatch(text):
        return AtSeq(int(found[1]))
    if text[:1] in ("+", "-") and (away := written_span(text[1:])) is not None:
        return AtTime(_there(now + away if text[0] == "+" else now - away, field, text))
    if _RFC3339.fullmatch(text):
        try:
            return AtTime(datetime.fromisoformat(text.upper()).astimezone(UTC).timestamp())
        except (ValueError, OverflowError) as error:
            raise _invalid(field, text, f"no such moment ({error})") from error
    if _MANY.fullmatch(text):
        raise _invalid(field, text, "no event has a number of more than 18 digits")
    if "+" not in text and _has_plus(given.rstrip().replace(" ", "+")):
        raise _invalid(field, given, "in a URL, write + as %2B")
    raise _invalid(field, text, "give 2026-01-24T10:00:00Z, -5m, +90s or seq:N")


def _has_plus(text: str) -> bool:
    """A URL's + is a space to whoever reads it."""
    return (text[:1] == "+" and written_span(text[1:]) is not None) or _RFC3339.fullmatch(text) is not None


def _there(time: float, field: str, text: str) -> float:
    """A moment that a calendar has: what is further away cannot be written down."""
    try:
        datetime.fromtimestamp(time, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise _invalid(field, text, f"no such moment ({error})") from error
    return time


def _invalid(field: str, text: str, why: str) -> InvalidMessageError:
    return InvalidMessageError("That is no point of a timeline", f"{field}: {text[:100]!r}: {why}")
