"""A session on a timeline and the socket behind it: writes in slices, and how long it has not been read."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple, Protocol

from kstream.core.delivery.session import Close, Session

_SLICE = 256 * 1024  # bytes written at once; more waits until the socket has taken them


class Reached(NamedTuple):
    """Bytes since the connection began: those that the other side has confirmed, and all that were written.

    Both 0 where the system does not tell.
    """

    confirmed: int = 0
    written: int = 0


class Outlet(Protocol):
    """The socket, as the hub needs it."""

    @property
    def descriptor(self) -> int:
        """What `os.write` may write to while nothing is `pending`; -1 for an outlet that wants `write` only."""
        ...

    def write(self, data: bytes | memoryview) -> None:
        """Send now, or buffer; never blocks, never raises for a socket that is gone."""
        ...

    def pending(self) -> int:
        """Bytes that the socket has not taken yet."""
        ...

    def reached(self) -> Reached:
        """How far the network has come with what was written."""
        ...

    def close(self, close: Close) -> None:
        """End the connection; returns at once."""
        ...


class Member:
    """A session on a timeline and the socket behind it."""

    __slots__ = (
        "_answer",
        "_confirmed",
        "_held",
        "_pinged",
        "_stalled_at",
        "_stalled_since",
        "closed",
        "gone",
        "outlet",
        "scheduled",
        "session",
    )

    def __init__(self, session: Session, outlet: Outlet) -> None:
        self.session = session
        self.outlet = outlet
        self.scheduled = float("inf")  # when the hub's timer will look at it
        self.closed = False  # nothing more is to be sent
        self.gone = False  # it has left the hub
        self._held: memoryview | None = None  # the rest of a large write
        self._answer = b""  # to the last ping, until it can be sent
        self._stalled_since: float | None = None
        self._stalled_at = 0
        self._pinged = self._confirmed = (
            0  # bytes up to the end of the last ping, and those of them that got there
        )

    def moved(self) -> Member:
        """The same socket and session on another timeline, with what is on its way to it."""
        member = Member(self.session, self.outlet)
        member._held, member._answer = self._held, self._answer
        member._stalled_since, member._stalled_at = self._stalled_since, self._stalled_at
        member._pinged, member._confirmed = self._pinged, self._confirmed
        return member

    def send(self, data: bytes) -> None:
        if len(data) <= _SLICE:
            self.outlet.write(data)
        else:
            self.hold(data, 0)

    def hold(self, data: bytes, taken: int) -> None:
        """Send the rest of `data` as the socket takes it."""
        self._held = memoryview(data)[taken:]
        self._pump()

    def answer(self, frame: bytes) -> None:
        """Answer a ping when nothing else is on its way; only the last, if there are more by then (RFC 6455, 5.5.3)."""
        self._answer = frame
        self._pump()

    def drained(self, now: float) -> bool:
        """True when the socket has taken all it was given; keeps account of how long it has not."""
        self._pump()
        left = self.outlet.pending()
        if not left and self._held is None:
            self._stalled_since = None
            return True
        left += len(self._held) if self._held is not None else 0
        # Only what is read counts as life: what is added meanwhile does not.
        if self._stalled_since is None or left < self._stalled_at:
            self._stalled_since = now
        self._stalled_at = left
        return False

    def pinged(self) -> None:
        """A ping was written: it has to get there before it can be answered."""
        self._confirmed, self._pinged = self.outlet.reached()

    def approaching(self) -> bool:
        """The last ping is still on its way, and what is before it gets there: a slow link is no dead one."""
        before, (self._confirmed, _) = self._confirmed, self.outlet.reached()
        return before < self._confirmed < self._pinged

    @property
    def sending(self) -> bool:
        """A state, or what it had missed, is still on its way to it."""
        return self._held is not None or self.session.sending

    def stalled_for(self, now: float) -> float:
        return 0.0 if self._stalled_since is None else now - self._stalled_since

    def _pump(self) -> None:
        while self._held is not None and not self.outlet.pending():
            self.outlet.write(self._held[:_SLICE])
            self._held = self._held[_SLICE:] if len(self._held) > _SLICE else None
        if self._answer and self._held is None and not self.outlet.pending():
            self.outlet.write(self._answer)
            self._answer = b""


def broadcast(members: Mapping[Member, int], data: bytes) -> list[Member]:
    """Send the same to many of whom nothing is pending, given with their descriptors.

    Returns those who were given what was left through their outlets: something may be pending there.

    This loop is what a flush costs. So nothing is in it that can be done once for all, and it goes past the transport
    to the descriptor, which saves half of what is not the system call.
    """
    write, size = os.write, len(data)
    behind: list[Member] = []
    for member, descriptor in members.items():
        try:
            taken = write(descriptor, data)
        except OSError:  # full, gone, or none: the transport knows what to do
            taken = 0
        if taken != size:
            behind.append(member)
            member.hold(data, taken)
    return behind
