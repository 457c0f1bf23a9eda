"""The engine of the simulation: virtual time, an ordered agenda, and seeded chance.

Time is a whole number of milliseconds since the simulation's start, so that it is the same number on every
machine. Two entries of one millisecond run in the order in which they were planned.
"""

from __future__ import annotations

import hashlib
import heapq
import random
from collections.abc import Callable
from typing import Any

Step = Callable[..., object]


class Dice:
    """Seeded chance of one concern.

    Only `random()` and `getrandbits()` of random.Random are used: their sequences are the same in every Python
    version, which is not promised of `choice`, `sample` or `expovariate`.
    """

    __slots__ = ("_bits", "_random")

    def __init__(self, seed: int, concern: str) -> None:
        digest = hashlib.sha256(f"{seed}/{concern}".encode()).digest()
        source = random.Random(int.from_bytes(digest[:8], "big"))
        self._random = source.random
        self._bits = source.getrandbits

    def between(self, low: float, high: float) -> float:
        """A number in [low, high)."""
        return low + (high - low) * self._random()

    def below(self, count: int) -> int:
        """A whole number in [0, count)."""
        return int(self._random() * count)

    def chance(self, probability: float) -> bool:
        return self._random() < probability

    def bits(self, count: int) -> int:
        return self._bits(count)


class Engine:
    """The agenda of what happens next. It holds no cluster state."""

    __slots__ = ("_agenda", "_dice", "_planned", "now", "seed")

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.now = 0  # milliseconds since the start
        self._agenda: list[tuple[int, int, Step, tuple[Any, ...]]] = []
        self._planned = 0
        self._dice: dict[str, Dice] = {}

    def dice(self, concern: str) -> Dice:
        """The chance of one concern: what another concern does never changes its sequence."""
        found = self._dice.get(concern)
        if found is None:
            found = self._dice[concern] = Dice(self.seed, concern)
        return found

    def after(self, seconds: float, step: Step, *args: Any) -> None:
        """Plan `step(*args)`, `seconds` from now, rounded to a millisecond."""
        self._planned += 1
        due = self.now + int(seconds * 1000 + 0.5)
        heapq.heappush(self._agenda, (due, self._planned, step, args))

    @property
    def next_due(self) -> int | None:
        """When the next entry is due, in milliseconds since the start; None when the agenda is empty."""
        return self._agenda[0][0] if self._agenda else None

    def run_next(self, until: int) -> bool:
        """Run the next entry if it is due by `until` (inclusive); else move time to `until` and return False."""
        if not self._agenda or self._agenda[0][0] > until:
            self.now = max(self.now, until)
            return False
        self.now, _, step, args = heapq.heappop(self._agenda)
        step(*args)
        return True
