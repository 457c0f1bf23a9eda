"""What an answer other than 200 means for a list or a watch (LISTWATCH 5, 6, 10-12)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from kstream.core.kube.resources import Status, decode_status


class Meaning(StrEnum):
    UNAUTHORIZED = "unauthorized"  # 401
    FORBIDDEN = "forbidden"  # 403
    EXPIRED = "expired"  # 410: the version, or the continue token, is too old
    BUSY = "busy"  # 429: the same again, later
    AWAY = "away"  # 502, 503, 504: something in front of the server speaks for it, or it is not ready
    WRONG = "wrong"  # any other 4xx: the same again would be refused again
    FAILED = "failed"  # 500 and what else there is


class Refusal(NamedTuple):
    meaning: Meaning
    cause: str  # for people
    retry_after: float | None  # seconds
    answered: bool  # the cluster itself was reached and knows us (PROTOCOL 8)


def read_refusal(status: int, headers: Mapping[str, str], body: bytes) -> Refusal:
    """`headers` with names in lower case; `body` may be a Status, plain text or a proxy's HTML."""
    said = decode_status(body)
    retry_after = _seconds(headers.get("retry-after", ""))
    if retry_after is None and said is not None:
        retry_after = said.retry_after
    reason = said.message if said is not None and said.message else _text(body)
    answered = status < 500 and status != 401
    return Refusal(_meaning(status), f"{status}: {reason}", retry_after, answered)


def means_expired(status: Status) -> bool:
    """An ERROR of a watch that says 410, in any of the ways it is said (LISTWATCH 5)."""
    return status.code == 410 or status.reason in ("Expired", "Gone")


def means_busy(status: Status) -> bool:
    """An ERROR of a watch that says 429 (LISTWATCH 6)."""
    return status.code == 429 or status.reason == "TooManyRequests"


def _meaning(status: int) -> Meaning:
    match status:
        case 401:
            return Meaning.UNAUTHORIZED
        case 403:
            return Meaning.FORBIDDEN
        case 410:
            return Meaning.EXPIRED
        case 429:
            return Meaning.BUSY
        case 502 | 503 | 504:
            return Meaning.AWAY
    return Meaning.WRONG if 400 <= status < 500 else Meaning.FAILED


def _seconds(header: str) -> float | None:
    """Retry-After in seconds; its other form, a date, is not used by API servers."""
    return float(header) if header.isascii() and header.isdigit() and len(header) < 9 else None


def _text(body: bytes) -> str:
    """The first line of a plain text; a page of HTML says nothing."""
    line = body.strip().partition(b"\n")[0][:200].decode(errors="replace").strip()
    return line if line and not line.startswith(("<", "{")) else "no reason was given"
