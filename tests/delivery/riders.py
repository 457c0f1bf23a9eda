"""Members on a backlog without a hub: for the rooms that a hub is made of."""

from __future__ import annotations

from kstream.core.delivery.backlog import Backlog
from kstream.core.delivery.filters import EVERYTHING, Filter
from kstream.core.delivery.limits import Limits
from kstream.core.delivery.session import Session
from kstream.delivery.member import Member, Outlet
from tests.delivery.sockets import FakeSocket


def newcomer(
    backlog: Backlog, watched: Filter = EVERYTHING, *, bits: int = 0, outlet: Outlet | None = None
) -> Member:
    """One that wants a state."""
    session = Session(backlog, watched, limits=Limits(), window_bits=bits, now=0.0)
    return Member(session, outlet or FakeSocket())


def rider(backlog: Backlog, watched: Filter = EVERYTHING, *, bits: int = 0, spent: int = 0) -> Member:
    """One that has got everything there is, and had to take `spent` tokens for it."""
    member = newcomer(backlog, watched, bits=bits)
    member.session.resume(backlog.head)
    member.session.lane.bucket.take(spent, 0.0)
    return member
