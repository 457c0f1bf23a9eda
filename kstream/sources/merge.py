"""Many streams into one, bounded."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Merge(Generic[T]):
    """`put` waits after it has handed over, so that a putter that is cancelled has lost nothing.

    It holds at most `limit` items and one for each task that puts.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._items: deque[T] = deque()
        self._filled = asyncio.Event()
        self._room = asyncio.Event()

    async def put(self, item: T) -> None:
        self._items.append(item)
        self._filled.set()
        while len(self._items) > self._limit:
            self._room.clear()
            await self._room.wait()

    async def wait(self) -> None:
        """Until there is something to take."""
        await self._filled.wait()

    def take(self) -> T | None:
        """The oldest item; None when there is none now."""
        if not self._items:
            self._filled.clear()
            return None
        item = self._items.popleft()
        if len(self._items) <= self._limit:
            self._room.set()
        if not self._items:
            self._filled.clear()
        return item
