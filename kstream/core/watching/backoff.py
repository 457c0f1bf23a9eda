"""How long to wait before the next try (LISTWATCH 10)."""

from __future__ import annotations

from typing import Final, Protocol

BASE: Final = 0.8  # seconds
CEILING: Final = 30.0
HEALTHY: Final = 120.0  # seconds without a failure after which the past is forgotten
_PATIENCE: Final = 300.0  # a server that asks for more than this is not believed


class Randomness(Protocol):
    """A source of chance: `random.Random`, seeded in tests."""

    def random(self) -> float:
        """Uniform in [0, 1)."""
        ...


class Backoff:
    """0.8 s, doubled up to 30 s, each stretched by a random factor in [1, 2)."""

    def __init__(self, rng: Randomness) -> None:
        self._rng = rng
        self._last: float | None = None
        self.failures = 0  # in a row, as far as health has not forgotten them

    def failed(self, now: float, *, retry_after: float | None = None, first_at_once: bool = False) -> float:
        """Note a failure at `now` (monotonic seconds); the seconds to wait, no fewer than the server asked for.

        `first_at_once`: a single failure costs no wait, only its repetition does.
        """
        if self._last is not None and now - self._last > HEALTHY:
            self.failures = 0
        self._last = now
        self.failures += 1
        delay = min(BASE * (1 << min(self.failures - 1, 10)), CEILING) * (1.0 + self._rng.random())
        if retry_after is not None:
            return max(delay, min(retry_after, _PATIENCE))
        return 0.0 if first_at_once and self.failures == 1 else delay
