"""An event loop whose time is virtual: hours pass in no time, in the same order every time, and nothing is real."""

from __future__ import annotations

import asyncio
import math
import selectors
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any, TypeVar, TypeVarTuple

from tests.making import START

_T = TypeVar("_T")
_Given = TypeVarTuple("_Given")

_ROUNDED = 0.001  # seconds: what a timestamp does not tell
_READ = 0.001  # seconds that whatever is done in a thread takes
LEAST = 1e-6  # seconds: a wait that is too short for the clock to show would be waited for ever


class DeadlockError(Exception):
    """Nothing is ready, and nothing ever will be."""


@contextmanager
def in_a_thread() -> Iterator[None]:
    """What is done here may block, and knows no loop: the product does it in a thread."""
    loop = asyncio.get_running_loop()
    asyncio._set_running_loop(None)
    try:
        yield
    finally:
        asyncio._set_running_loop(loop)


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


class WorldLoop(VirtualLoop):
    """There are no threads in it."""

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*_Given], _T], *args: *_Given
    ) -> asyncio.Future[_T]:
        """Done at once, and told a moment later: what others do meanwhile comes between."""
        told: asyncio.Future[_T] = self.create_future()
        try:
            with in_a_thread():
                made = func(*args)
        except Exception as error:  # noqa: BLE001 - it belongs to whoever asked
            self.call_later(_READ, _settle, told, told.set_exception, error)
        else:
            self.call_later(_READ, _settle, told, told.set_result, made)
        return told


def _settle(told: asyncio.Future[Any], settle: Callable[[Any], None], value: object) -> None:
    if not told.done():  # whoever asked may be gone
        settle(value)


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
