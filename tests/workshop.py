"""The threads of an event loop, as a test wants them: what is given to them is done when it says so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

from kstream.clock import VirtualClock


class Workshop(ThreadPoolExecutor):
    """Does what it is given when a test says so, and in its thread."""

    def __init__(self) -> None:
        super().__init__(max_workers=1)
        self.jobs: list[tuple[Future[Any], Callable[[], Any]]] = []
        asyncio.get_running_loop().set_default_executor(self)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.jobs.append((future, partial(fn, *args, **kwargs)))
        return future

    async def work(self, clock: VirtualClock) -> None:
        """Do what was given first."""
        future, job = self.jobs.pop(0)
        future.set_result(job())
        await clock.advance(0)
