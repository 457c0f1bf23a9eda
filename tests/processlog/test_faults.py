"""What is wrong with the source is in the log once when it begins and once when it is over."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from kstream.clock import VirtualClock
from kstream.core.timeline.health import (
    Cleared,
    ClusterInfo,
    ErrorCode,
    Fault,
    Identified,
    Lost,
    Report,
    Synced,
)
from kstream.processlog.faults import FaultLog
from kstream.processlog.lines import fields_of

DENIED = Fault(ErrorCode.PERMISSION_DENIED, "no", "Missing 'watch'", "permission:watch:pods:", stale=True)


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (record.levelname, record.getMessage(), dict(fields_of(record)))
        for record in caplog.records
        if record.name.startswith("kstream.processlog")
    ]


async def test_each_fault_has_a_line_when_it_begins_and_one_when_it_is_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "kstream")
    clock = VirtualClock(5.0)
    passed: list[tuple[Report, int]] = []
    faults = FaultLog(lambda report, *, after: passed.append((report, after)), clock)
    said: list[Report] = [
        Identified(ClusterInfo("prod", "v1.36.0")),
        Synced(),
        DENIED,
        DENIED,
        DENIED._replace(message="still no"),
        Lost(),
    ]
    for report in said:
        faults(report, after=7)
    await clock.advance(90.04)
    over: list[Report] = [Cleared(DENIED.subject), Cleared(DENIED.subject), Synced()]
    for report in over:
        faults(report, after=8)
    assert passed == [(report, 7) for report in said] + [(report, 8) for report in over], "all is passed on"
    assert told(caplog) == [
        ("INFO", "cluster", {"name": "prod", "version": "v1.36.0"}),
        ("INFO", "in sync", {"cluster": "prod", "seq": 7}),
        ("WARNING", "fault", fault_fields("no")),
        ("WARNING", "fault", fault_fields("still no")),
        ("WARNING", "out of touch", {"message": "The cluster is not heard of"}),
        ("INFO", "fault over", {"code": "PERMISSION_DENIED", "fault": DENIED.subject, "seconds": 90.0}),
        ("INFO", "in sync", {"cluster": "prod", "seq": 8, "seconds": 90.0}),
    ]


def fault_fields(message: str) -> dict[str, Any]:
    return {
        "code": "PERMISSION_DENIED",
        "fault": "permission:watch:pods:",
        "stale": True,
        "message": message,
        "details": "Missing 'watch'",
    }


@pytest.mark.parametrize("code", [code for code in ErrorCode if code is not ErrorCode.RATE_LIMITED])
def test_a_moment_is_a_line_and_is_never_over(code: ErrorCode, caplog: pytest.LogCaptureFixture) -> None:
    FaultLog(lambda report, *, after: None, VirtualClock())(Fault(code, "a list repaired it"), after=0)
    assert told(caplog) == [
        ("WARNING", "fault", {"code": str(code), "message": "a list repaired it", "details": ""})
    ]
