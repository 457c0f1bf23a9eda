"""What the process that records tells those that serve beside it: kstream/workers/crew.py without the processes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from kstream.core.delivery.tally import Recording
from kstream.core.timeline.health import Health, Report, report_as_json
from kstream.workers.saying import LINE, line_of
from tests.world.loop import LoopClock

_SECOND = 1.0  # between two words about what was recorded


class Crew:
    """Each line of it is one that a worker hears."""

    def __init__(self, clock: LoopClock, complete: Callable[[], tuple[float, int] | None]) -> None:
        self._clock = clock
        self._complete = complete
        self._health = Health()
        self._after = 0
        self._lines: list[asyncio.StreamReader] = []

    def joined(self) -> asyncio.StreamReader:
        """What a new one hears."""
        lines = asyncio.StreamReader(limit=LINE)
        self._lines.append(lines)
        for report in self._health.retold():
            self._tell(lines, {"report": report_as_json(report), "after": self._after})
        return lines

    def report(self, report: Report, *, after: int) -> None:
        self._after = after
        if self._health.apply(report):
            for lines in self._lines:
                self._tell(lines, {"report": report_as_json(report), "after": after})

    async def run(self) -> None:
        """The words that come now and then."""
        while True:
            for lines in self._lines:
                self._tell(lines, {"recording": Recording().as_json(), "complete": self._complete()})
            await self._clock.sleep(_SECOND)

    @staticmethod
    def _tell(lines: asyncio.StreamReader, said: object) -> None:
        line = line_of(said)
        assert line is not None, "what is played is short enough to be heard"
        lines.feed_data(line)
