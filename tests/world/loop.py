"""An event loop whose time is virtual: hours pass in no time, in the same order every time, and nothing is real."""

from __future__ import annotations

import asyncio
import math
import selectors
from collections.abc import Mapping
from typing import Any

from tests.making import START

_ROUNDED = 0.001  # seconds: what a timestamp does not tell
LEAST = 1e-6  # seconds: a wait that is too short for the clock to show would be waited for ever


class DeadlockError(Exception):
    """Nothing is ready, and nothing ever will be."""


class _Nothing(selectors.BaseSelector):
    """There are no sockets. Whoever would wait for one lets the time pass instead."""

    def __init__(self) -> None:
        self.passed = 0.0

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return selectors.SelectorKey(fileobj, 0, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return selectors.SelectorKey(fileobj, 0, 0, None)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise DeadlockError("every task waits for another")
        self.passed += max(timeout, 0.0)
        return []

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return {}

    def get_key(self, fileobj: Any) -> selectors.SelectorKey:
        raise KeyError(fileobj)


class VirtualLoop(asyncio.SelectorEventLoop):
    """Runs what is ready in the order in which it became so; waits for nobody."""

    def __init__(self) -> None:
        self._nothing = _Nothing()
        super().__init__(self._nothing)
        self._clock_resolution = 1e-9

    def time(self) -> float:
        return self._nothing.passed


class LoopClock:
    """kstream's clock on such a loop. The wall clock can be set."""

    def __init__(self) -> None:
        self.wall = START
        self._set: list[tuple[float, float]] = [(0.0, START)]

    def time(self) -> float:
        return self.wall + self.monotonic()

    def set(self, seconds: float) -> None:
        """Forward, or back when negative."""
        self.wall += seconds
        self._set.append((self.monotonic(), self.wall))

    def settings(self, time: float) -> list[float]:
        """What the wall clock may have been ahead of the other when it showed `time`: all that was possible."""
        ends = [since for since, _ in self._set[1:]] + [self.monotonic()]
        return [
            wall
            for (since, wall), end in zip(self._set, ends, strict=True)
            if since - _ROUNDED <= time - wall <= end + _ROUNDED
        ]

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(seconds, LEAST) if seconds > 0 else 0.0)

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        try:
            async with asyncio.timeout(None if math.isinf(seconds) else max(seconds, LEAST)):
                await event.wait()
        except TimeoutError:
            return event.is_set()
        return True
