"""A session on a timeline and the socket behind it: writes in slices, and how long it has not been read."""

from __future__ import annotations

from typing import Protocol

from kstream.core.session import Close, Session

_SLICE = 256 * 1024  # bytes written at once; more waits until the socket has taken them


class Outlet(Protocol):
    """The socket, as the hub needs it."""

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

    __slots__ = ("_held", "_stalled_at", "_stalled_since", "closed", "outlet", "scheduled", "session")

    def __init__(self, session: Session, outlet: Outlet) -> None:
        self.session = session
        self.outlet = outlet
        self.scheduled = float("inf")  # when the hub's timer will look at it
        self.closed = False
        self._held: memoryview | None = None  # the rest of a large write
        self._stalled_since: float | None = None
        self._stalled_at = 0

    def send(self, data: bytes) -> None:
        if len(data) <= _SLICE:
            self.outlet.write(data)
        else:
            self._held = memoryview(data)
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
