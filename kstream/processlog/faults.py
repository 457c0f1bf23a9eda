"""What the source says is wrong, as lines of the log: each fault when it begins and when it is over."""

from __future__ import annotations

import logging

from kstream.core.timeline.health import Cleared, Fault, Health, Identified, Lost, Report, Synced
from kstream.ports import Clock, Reporter
from kstream.processlog.lines import Scalar, say

_log = logging.getLogger(__name__)


class FaultLog:
    """A Reporter that logs what is news, and passes everything on."""

    def __init__(self, report: Reporter, clock: Clock) -> None:
        self._report = report
        self._clock = clock
        self._health = Health()
        self._began: dict[str, float] = {}
        self._lost_since = 0.0

    def __call__(self, report: Report, *, after: int) -> None:
        fault = self._health.faults.get(report.subject) if isinstance(report, Cleared) else None
        if self._health.apply(report):
            self._note(report, fault, after)
        self._report(report, after=after)

    def _note(self, report: Report, fault: Fault | None, after: int) -> None:
        now = self._clock.monotonic()
        match report:
            case Fault():
                if report.subject:
                    self._began.setdefault(report.subject, now)
                log_fault(report)
            case Cleared(subject):
                assert fault is not None, f"{subject} was cleared and had never begun"
                log_cleared(fault, now - self._began.pop(subject))
            case Identified(cluster):
                say(_log, logging.INFO, "cluster", name=cluster.name, version=cluster.version)
            case Lost():
                self._lost_since = now
                say(_log, logging.WARNING, "out of touch", message="The cluster is not heard of")
            case Synced():
                lasted = {"seconds": round(now - self._lost_since, 1)} if self._lost_since else {}
                self._lost_since = 0.0
                say(_log, logging.INFO, "in sync", cluster=self._health.cluster.name, seq=after, **lasted)


def log_fault(fault: Fault) -> None:
    """It began, or it changed; one without a subject is over already."""
    lasting: dict[str, Scalar] = {"fault": fault.subject} if fault.subject else {}
    if fault.stale:
        lasting["stale"] = True
    say(
        _log,
        logging.WARNING,
        "fault",
        code=str(fault.code),
        **lasting,
        message=fault.message,
        details=fault.details,
    )


def log_cleared(fault: Fault, seconds: float) -> None:
    """It is over, after so many seconds."""
    say(
        _log,
        logging.INFO,
        "fault over",
        code=str(fault.code),
        fault=fault.subject,
        seconds=round(seconds, 1),
    )
