"""When to try again after a lost connection (contract, "Reconnection Strategy"). Pure: it says, others wait."""

from __future__ import annotations

from typing import NamedTuple

FIRST_WAIT = 1.0  # seconds between the loss of a connection and the first attempt
MAX_WAIT = 30.0
ATTEMPTS_BEFORE_ERROR = 5

HEARTBEAT_INTERVAL = 30.0  # seconds between two pings
HEARTBEAT_TIMEOUT = 10.0  # seconds within which a pong has to come


class Retry(NamedTuple):
    """Try again in `wait` seconds; `failed` attempts in a row came to nothing since the connection was lost."""

    wait: float
    failed: int

    @property
    def show_error(self) -> bool:
        """The user should be told by now. Trying goes on."""
        return self.failed >= ATTEMPTS_BEFORE_ERROR


class Reconnect:
    """Waits of 1 s, then 2, 4, 8, … at most 30; the error is for the user after 5 failed attempts."""

    def __init__(self) -> None:
        self._waits = 0
        self._failed = 0

    def connected(self) -> None:
        """The server was heard: the next loss starts over."""
        self._waits = 0
        self._failed = 0

    def lost(self) -> Retry:
        """A connection that worked has ended."""
        self.connected()
        return self._next(0.0)

    def attempt_failed(self, *, retry_after: float = 0.0) -> Retry:
        """An attempt to connect came to nothing; `retry_after` is what the server asked for, in seconds."""
        self._failed += 1
        return self._next(retry_after)

    def _next(self, at_least: float) -> Retry:
        # The exponent is bounded: after a night of failures 2.0 ** n would not fit into a float.
        wait = min(FIRST_WAIT * 2.0 ** min(self._waits, 10), MAX_WAIT)
        self._waits += 1
        return Retry(max(wait, at_least), self._failed)
