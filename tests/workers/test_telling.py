"""What lasts is told to whoever comes; what is news to all who are there; how things stand to them now and then."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from kstream.clock import VirtualClock
from kstream.core.delivery.tally import Recording
from kstream.core.timeline.health import Cleared, ErrorCode, Fault, Synced
from kstream.workers.saying import LINE, line_of
from kstream.workers.telling import Telling

FAULT = Fault(ErrorCode.WATCH_ERROR, "The log is full", "no room", "log", stale=True)


def telling(clock: VirtualClock, time: Callable[[], float] | None = None) -> Telling:
    return Telling(clock, Recording(), lambda: (7.0, 3), time=time)


def kinds(said: list[Any]) -> list[tuple[str, int]]:
    return [(each["report"][0], each["after"]) for each in said]


def test_who_comes_later_hears_what_lasts_and_then_what_is_news() -> None:
    all_of = telling(VirtualClock())
    first, second = list[Any](), list[Any]()
    all_of.joined("first", first.append)
    told = len(first)
    all_of.report(FAULT, after=4)
    all_of.report(FAULT, after=5)  # no news
    all_of.report(Synced(), after=6)
    all_of.joined("second", second.append)
    assert [after for _, after in kinds(first)[told:]] == [4, 6]
    assert {kind for kind, _ in kinds(second)} >= {kind for kind, _ in kinds(first)[told:]}
    assert {after for _, after in kinds(second)} == {6}
    all_of.left("first")
    all_of.left("nobody")
    all_of.report(Cleared("log"), after=8)
    assert (kinds(first)[-1][1], kinds(second)[-1][1]) == (6, 8)


def test_a_fault_of_any_length_can_be_heard() -> None:
    all_of, said = telling(VirtualClock()), list[Any]()
    all_of.joined("one", said.append)
    all_of.report(FAULT._replace(details="\U0001f41f" * 3_000_000), after=1)
    line = line_of(said[-1])
    assert line is not None
    assert len(line) < LINE


@pytest.mark.parametrize(("time", "pause"), [(None, 1.0), (lambda: 5.0, 0.1)])
async def test_how_things_stand_is_told_now_and_then(time: Callable[[], float] | None, pause: float) -> None:
    clock, said = VirtualClock(), list[Any]()
    all_of = telling(clock, time)
    all_of.joined("one", said.append)
    said.clear()
    running = asyncio.create_task(all_of.run())
    await clock.advance(0)
    assert len(said) == 1
    await clock.advance(pause * 0.9)
    assert len(said) == 1
    await clock.advance(pause * 0.2)
    running.cancel()
    assert len(said) == 2
    assert said[1]["complete"] == (7.0, 3)
    assert said[1].get("time") == (None if time is None else 5.0)
