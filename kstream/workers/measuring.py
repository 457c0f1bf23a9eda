"""What all workers measure, summed where they were started: whichever of them is asked says the same."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from kstream.ports import Clock
from kstream.web.measures import Measures, counted, join

_WITHIN: Final = 2.0  # seconds that a worker has for its share; one that is held up counts with its last one

Process = asyncio.subprocess.Process


class Measuring:
    """Asks each worker for its share, and keeps what those counted that are gone: a counter never goes back."""

    def __init__(self, tell: Callable[[Process, object], object], clock: Clock) -> None:
        self._tell = tell
        self._clock = clock
        self._numbers = itertools.count()
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self._last: dict[Process, Measures] = {}
        self._gone: Measures = {}

    async def measures(self, workers: Iterable[Process]) -> Measures:
        """Those of all of them, each asked now."""
        asked = [self._ask(worker) for worker in workers]
        timer = asyncio.ensure_future(self._clock.sleep(_WITHIN))
        answered = asyncio.gather(*asked, return_exceptions=True)
        try:
            await asyncio.wait((answered, timer), return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
            answered.cancel()  # and with it who is late
        return join([self._gone, *self._last.values()])

    def hear(self, worker: Process, said: Mapping[str, Any]) -> None:
        """What a worker says of itself."""
        self._last[worker] = dict(said["value"])
        waiting = self._waiting.get(said["measured"])
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    def forget(self, worker: Process) -> None:
        """It has ended; what it counted stays, as far as it was told."""
        if (last := self._last.pop(worker, None)) is not None:
            self._gone = join([self._gone, counted(last)])

    def _ask(self, worker: Process) -> asyncio.Future[None]:
        number = next(self._numbers)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        future.add_done_callback(lambda _: self._waiting.pop(number))
        self._tell(worker, {"measure": number})
        return future
