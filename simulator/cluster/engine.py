"""The engine of the simulation: virtual time, an ordered agenda, and seeded chance.

Time is a whole number of milliseconds since the simulation's start, so that it is the same number on every
machine. Two entries of one millisecond run in the order in which they were planned.
"""

from __future__ import annotations

import hashlib
import heapq
import random
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from simulator.cluster import bounds

T = TypeVar("T")
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

    __slots__ = ("_agenda", "_dice", "_planned", "effort", "now", "seed")

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.now = 0  # milliseconds since the start
        self.effort = 0  # spent so far: a step is 1, some 10 µs, and more when it looks at much
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

    def spread(self, items: Sequence[T], do: Callable[[T], object], *, at_once: int = bounds.AT_ONCE) -> None:
        """`do` each of them: `at_once` of them now, as many a millisecond later, and so on.

        What comes later may find that its item is no longer what it was.
        """
        for item in items[:at_once]:
            do(item)
        if len(items) > at_once:
            self.after(0.001, self._go_on, items, do, at_once, at_once)

    def _go_on(self, items: Sequence[T], do: Callable[[T], object], at_once: int, done: int) -> None:
        upto = done + at_once
        for item in items[done:upto]:
            do(item)
        if upto < len(items):
            self.after(0.001, self._go_on, items, do, at_once, upto)

    @property
    def planned(self) -> int:
        """How many entries wait for their time."""
        return len(self._agenda)

    @property
    def next_due(self) -> int | None:
        """When the next entry is due, in milliseconds since the start; None when the agenda is empty."""
        return self._agenda[0][0] if self._agenda else None

    def run_next(self, until: int) -> bool:
        """Run the next entry if it is due by `until` (inclusive); else move time to `until` and return False."""
        if not self._agenda or self._agenda[0][0] > until:
            self.now = max(self.now, until)
            return False
        self.effort += 1
        self.now, _, step, args = heapq.heappop(self._agenda)
        step(*args)
        return True
