"""Rate limits: the token bucket of PROTOCOL 21 and 22, and the numbers of the contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MAX_TAKEN: Final = 64 << 10  # bytes of a client's message, inflated: none of them needs more (PROTOCOL 22)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one client may be sent and may send, and what is kept in memory for all of them.

    The defaults of the former are the contract's ("Rate Limiting").
    """

    per_minute: int = 1000  # messages in any window of 60 s, each way
    burst: int = 50  # messages at once, each way
    reserve: int = 5  # of the burst, kept for pongs and errors
    heartbeat: float = 30.0  # seconds between WebSocket pings
    heartbeat_timeout: float = 10.0  # seconds that the answer may take
    abuse_after: float = 10.0  # seconds of going on past the limit until a client is closed
    stall_timeout: float = 60.0  # seconds without reading anything until a client is closed
    window_events: int = 20_000  # the newest events, from which clients that are behind go on
    window_bytes: int = 64 * 2**20  # of their bodies

    @property
    def rate(self) -> float:
        """Tokens a second: what a full bucket and 60 s of refill add up to is `per_minute`."""
        return (self.per_minute - self.burst) / 60.0


class TokenBucket:
    """`capacity` tokens, refilled at `rate` a second. Starts full.

    Between any two instants t seconds apart it gives at most capacity + rate * t tokens.
    """

    __slots__ = ("_level", "_stamp", "capacity", "rate")

    def __init__(self, capacity: float, rate: float, now: float) -> None:
        self.capacity = float(capacity)
        self.rate = rate
        self._level = self.capacity
        self._stamp = now

    def copy(self) -> TokenBucket:
        twin = TokenBucket(self.capacity, self.rate, self._stamp)
        twin._level = self._level
        return twin

    def level(self, now: float) -> float:
        """The tokens there are."""
        if now > self._stamp:
            self._level = min(self.capacity, self._level + (now - self._stamp) * self.rate)
            self._stamp = now
        return self._level

    def take(self, count: int, now: float, *, keep: int = 0) -> bool:
        """Take `count` tokens if that leaves `keep`; otherwise take none and return False."""
        if self.level(now) < count + keep:
            return False
        self._level -= count
        return True

    def owe(self, count: float, now: float) -> None:
        """Take `count` tokens, even where there are not so many: nothing is to be had until that is made up for."""
        self._level = self.level(now) - count

    def ready_at(self, count: int, now: float, *, keep: int = 0) -> float:
        """The instant from which `take` will succeed."""
        missing = count + keep - self.level(now)
        # A hair late rather than a hair early: rounding must not make the caller spin.
        return now if missing <= 0 else now + missing / self.rate + 1e-6


class Allowance:
    """What a client may send: so many messages, and as many bytes as they may have (PROTOCOL 22)."""

    __slots__ = ("_bytes", "_messages")

    def __init__(self, limits: Limits, now: float) -> None:
        self._messages = TokenBucket(limits.burst, limits.rate, now)
        self._bytes = TokenBucket(limits.burst * MAX_TAKEN, limits.rate * MAX_TAKEN, now)

    def take(self, size: int, now: float) -> bool:
        """Whether a message of `size` bytes may be looked at. One that is too long for all there is goes through, and
        those after it wait."""
        if self._bytes.level(now) <= 0:
            return False
        self._bytes.owe(size, now)
        return self._messages.take(1, now)

    def ready_in(self, now: float) -> float:
        """Seconds until the next message will be looked at."""
        return max(self._messages.ready_at(1, now), self._bytes.ready_at(1, now)) - now
