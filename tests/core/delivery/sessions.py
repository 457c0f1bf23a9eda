"""Sessions on a backlog, and what they send."""

from __future__ import annotations

from typing import Any

from kstream.core.delivery import wire
from kstream.core.delivery.backlog import Backlog
from kstream.core.delivery.filters import EVERYTHING, Filter
from kstream.core.delivery.limits import Limits
from kstream.core.delivery.session import Session
from kstream.core.timeline.events import Event, Verb
from kstream.core.timeline.state import Counts
from tests.frames_reader import FrameReader
from tests.making import START, change, numbered, pod_key

LIMITS = Limits()


def session_on(backlog: Backlog, watched: Filter = EVERYTHING, now: float = 0.0) -> Session:
    return Session(backlog, watched, limits=LIMITS, window_bits=0, now=now)


def synced(backlog: Backlog) -> Session:
    session = session_on(backlog)
    session.resume(backlog.head)
    return session


def sent(session: Session, now: float) -> list[dict[str, Any]]:
    return FrameReader().messages(session.flush(now))


def pods(count: int, after: int = 0) -> list[Event]:
    return numbered([change(Verb.ADDED, pod_key(f"p{after + n}")) for n in range(count)], after)


PART = wire.batch([], seq=None, time=START)
"""Some of a state that comes in parts."""


def metrics(number: int = 1) -> bytes:
    """A message of metrics that is told from others by its number."""
    return wire.metrics(Counts(number, 0, 0, 0, 0, 0), time=START, as_of=None)


def pong(number: int = 0) -> bytes:
    """An answer that is told from others by its number."""
    return wire.pong(str(number), as_of=None)
