"""A session on a timeline and the socket behind it: writes in slices, and how long it has not been read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from kstream.core.session import Close, Session

_SLICE = 256 * 1024  # bytes written at once; more waits until the socket has taken them


class Outlet(Protocol):
    """The socket, as the hub needs it."""

    @property
    def take(self) -> Callable[[bytes], int]:
        """Hand bytes to the operating system at once: how many it took. Only while nothing is `pending`.

        Raises OSError for a socket that takes none now, or is gone.
        """
        ...

    def write(self, data: bytes | memoryview) -> None:
        """Send now, or buffer; never blocks, never raises for a socket that is gone."""
        ...

    def pending(self) -> int:
        """Bytes that the socket has not taken yet."""
        ...

    def close(self, close: Close) -> None:
        """End the connection; returns at once."""
        ...


class Member:
    """A session on a timeline and the socket behind it."""

    __slots__ = (
        "_held",
        "_stalled_at",
        "_stalled_since",
        "closed",
        "gone",
        "outlet",
        "scheduled",
        "session",
        "take",
    )

    def __init__(self, session: Session, outlet: Outlet) -> None:
        self.session = session
        self.outlet = outlet
        self.take = outlet.take
        self.scheduled = float("inf")  # when the hub's timer will look at it
        self.closed = False  # nothing more is to be sent
        self.gone = False  # it has left the hub
        self._held: memoryview | None = None  # the rest of a large write
        self._stalled_since: float | None = None
        self._stalled_at = 0

    def send(self, data: bytes) -> None:
        if len(data) <= _SLICE:
            self.outlet.write(data)
        else:
            self.hold(data, 0)

    def hold(self, data: bytes, taken: int) -> None:
        """Send the rest of `data` as the socket takes it."""
        self._held = memoryview(data)[taken:]
        self._pump()

    def drained(self, now: float) -> bool:
        """True when the socket has taken all it was given; keeps account of how long it has not."""
        self._pump()
        left = self.outlet.pending()
        if not left and self._held is None:
            self._stalled_since = None
            return True
        left += len(self._held) if self._held is not None else 0
        if self._stalled_since is None or left != self._stalled_at:
            self._stalled_since, self._stalled_at = now, left
        return False

    def stalled_for(self, now: float) -> float:
        return 0.0 if self._stalled_since is None else now - self._stalled_since

    def _pump(self) -> None:
        while self._held is not None and not self.outlet.pending():
            self.outlet.write(self._held[:_SLICE])
            self._held = self._held[_SLICE:] if len(self._held) > _SLICE else None


def broadcast(members: Iterable[Member], data: bytes) -> list[Member]:
    """Send the same to many of whom nothing is pending; returns those whose sockets did not take all of it.

    This loop is what a flush costs: nothing may be in it that can be done once for all.
    """
    size = len(data)
    behind: list[Member] = []
    for member in members:
        try:
            taken = member.take(data)
        except OSError:
            taken = 0
        if taken != size:
            behind.append(member)
            member.hold(data, taken)
    return behind
