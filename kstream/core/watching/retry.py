"""When a stream may be asked again, after what went wrong (LISTWATCH 6, 7, 10, 12, 14). Times are monotonic seconds."""

from __future__ import annotations

from typing import Final

from kstream.core.watching.backoff import Backoff, Randomness

WARMING: Final = (
    120.0  # seconds for which a 403 may come of an API server that has just started (LISTWATCH 12)
)
PROBE: Final = 300.0  # seconds between tries of what is forbidden for longer


class Retry:
    """Nothing was asked yet: it may be asked at once."""

    def __init__(self, rng: Randomness) -> None:
        self._rng = rng
        self._backoff = Backoff(rng)
        self._not_before = 0.0
        self._unauthorized = False
        self._denied_since: float | None = None
        self.away = False  # what went wrong last is that nobody answered

    @property
    def failures(self) -> int:
        """In a row, as Backoff counts them."""
        return self._backoff.failures

    @property
    def denied(self) -> bool:
        """The API server said 403, the last time it was asked."""
        return self._denied_since is not None

    def wait(self, now: float) -> float:
        """Seconds until it may be asked; 0.0 for at once."""
        return max(0.0, self._not_before - now)

    def hold(self, until: float) -> None:
        """Not before then, whatever else is said."""
        self._not_before = max(self._not_before, until)

    def answered(self) -> None:
        """It was asked, and is allowed."""
        self._unauthorized = self.away = False
        self.forget_denial()

    def forget_denial(self) -> None:
        """Something else is in the way now."""
        self._denied_since = None

    def failed(
        self, now: float, *, retry_after: float | None = None, first_at_once: bool = False, away: bool = False
    ) -> float:
        """Note a failure; the seconds to wait, as Backoff.failed says. `away`: nobody answered."""
        wait = self._backoff.failed(now, retry_after=retry_after, first_at_once=first_at_once)
        self._not_before = now + wait
        self.away = away
        return wait

    def back(self, now: float) -> None:
        """Somebody answers again: what waits because nobody did asks within a second."""
        if self.away:
            self._not_before = min(self._not_before, now + self._rng.random())

    def unauthorized(self, now: float) -> bool:
        """Note a 401. False for the first in a row, which other credentials may mend at once."""
        again, self._unauthorized = self._unauthorized, True
        wait = self.failed(now)
        self._not_before = now + (wait if again else 0.0)
        return again

    def forbidden(self, now: float) -> None:
        """Note a 403: an API server says no to everything until its caches are filled."""
        if self._denied_since is None:
            self._denied_since = now
        if now - self._denied_since < WARMING:
            self.failed(now)
        else:
            self.away = False
            self._not_before = now + PROBE * (1.0 + 0.1 * self._rng.random())
