"""What keeps a flood of one sort of line to a few a second, and counts the others."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final, Generic, NamedTuple, TypeVar

K = TypeVar("K", bound=Hashable)

_BURST: Final = 10.0  # lines at once
_RATE: Final = 2.0  # lines a second after that
_KINDS: Final = 512  # buckets that are kept


class _Bucket:
    __slots__ = ("at", "left_out", "since", "tokens")

    def __init__(self, tokens: float, now: float) -> None:
        self.tokens = tokens
        self.at = now
        self.left_out = 0
        self.since = now  # when the first one was left out


class LeftOut(NamedTuple, Generic[K]):
    kind: K
    lines: int
    seconds: float  # since the first of them


class Flood(Generic[K]):
    """A bucket of tokens for each kind. Times are seconds of any one clock."""

    def __init__(self, *, among: int = 1) -> None:
        """`among`: so many processes share what is allowed; one line at once is left to each."""
        self._burst = max(1.0, _BURST / among)
        self._rate = _RATE / among
        self._buckets: dict[K, _Bucket] = {}

    def admits(self, kind: K, now: float) -> bool:
        """Whether there is a token for one more of this kind; it is taken, or the line is counted."""
        bucket = self._buckets.pop(kind, None) or _Bucket(self._burst, now)
        self._buckets[kind] = bucket  # the one that was needed last is forgotten last
        if len(self._buckets) > _KINDS:
            self._forget_one()
        bucket.tokens = min(bucket.tokens + (now - bucket.at) * self._rate, self._burst)
        bucket.at = now
        if bucket.tokens >= 1:
            bucket.tokens -= 1
            return True
        if not bucket.left_out:
            bucket.since = now
        bucket.left_out += 1
        return False

    def take(self, now: float) -> list[LeftOut[K]]:
        """What was left out since the last time, by kind."""
        found = [
            LeftOut(kind, bucket.left_out, now - bucket.since)
            for kind, bucket in self._buckets.items()
            if bucket.left_out
        ]
        for bucket in self._buckets.values():
            bucket.left_out = 0
        return found

    def _forget_one(self) -> None:
        idle = (kind for kind, bucket in self._buckets.items() if not bucket.left_out)
        del self._buckets[next(idle, next(iter(self._buckets)))]
