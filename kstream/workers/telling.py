"""What the process that records tells those that serve beside it, whatever they are: to a new one all that lasts."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Final

from kstream.core.delivery.tally import Recording
from kstream.core.timeline.health import Fault, Health, Report, report_as_json
from kstream.core.visible import shortened
from kstream.ports import Clock

_TICK: Final = 0.1  # seconds between two words about the time of a timeline that has its own
_SECOND: Final = 1.0  # and between two words about what was recorded, where there is no such time
# Characters of a fault: with twelve bytes for each, it is still a line that a worker can hear.
_WORDS: Final = 100_000

Tell = Callable[[object], object]
"""Says a JSON object to one of them."""


class Telling:
    """Words of crew.py: `{"report", "after"}` when there is one, `{"recording", "complete", "time"}` now and then."""

    def __init__(
        self,
        clock: Clock,
        recording: Recording,
        complete: Callable[[], tuple[float, int] | None],
        *,
        time: Callable[[], float] | None = None,
    ) -> None:
        """`complete`: up to when, with which seq, the log is; `time`: of a timeline that has its own."""
        self._clock = clock
        self._recording = recording
        self._complete = complete
        self._time = time
        self._health = Health()
        self._after = 0
        self._told: dict[Hashable, Tell] = {}

    def joined(self, who: Hashable, tell: Tell) -> None:
        """It hears what lasts now, and what comes from now on."""
        self._told[who] = tell
        for report in self._health.retold():
            self._tell(tell, report)

    def left(self, who: Hashable) -> None:
        """It hears no more; nothing where it never joined."""
        self._told.pop(who, None)

    def report(self, report: Report, *, after: int) -> None:
        """What the source says about itself, for all of them and for those to come."""
        self._after = after
        if self._health.apply(report):
            for tell in self._told.values():
                self._tell(tell, report)

    async def run(self) -> None:
        """What was recorded, for their metrics, and the time if it is not that of the clock."""
        while True:
            said: dict[str, Any] = {"recording": self._recording.as_json(), "complete": self._complete()}
            if self._time is not None:
                said["time"] = self._time()
            for tell in self._told.values():
                tell(said)
            await self._clock.sleep(_SECOND if self._time is None else _TICK)

    def _tell(self, tell: Tell, report: Report) -> None:
        if isinstance(report, Fault):  # retold to each new one: it must not be what ends them
            report = report._replace(details=shortened(report.details, _WORDS))
        tell({"report": report_as_json(report), "after": self._after})
