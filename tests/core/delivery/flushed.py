"""What a session sends, as words, and what that costs."""

from __future__ import annotations

from kstream.core.delivery.session import Session
from tests.core.delivery.sessions import sent


def told(session: Session, now: float = 0.0) -> list[str]:
    return [message["type"] for message in sent(session, now)]


def level(session: Session, now: float = 0.0) -> float:
    return session.lane.bucket.level(now)
