"""Retention beside a recorder: what is dropped, when, and what is never dropped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from kstream.clock import VirtualClock
from kstream.core.errors import LogBusyError, LogError, LogFullError
from kstream.core.timeline.events import Delivery, Event, Known, WatchEvent
from kstream.core.timeline.health import Cleared, Fault, Report
from kstream.core.timeline.retention import Keep, trimmed_size
from kstream.core.timeline.state import ClusterState
from kstream.logs.memory import MemoryLog
from kstream.logs.places import time_of
from kstream.logs.sqlite import SqliteLog
from kstream.ports import TrimmableLog
from kstream.retention import Retention
from kstream.service import record
from tests.logs.facts import START, churn, shown


def folded(changes: Sequence[WatchEvent]) -> ClusterState:
    state = ClusterState()
    for seq, change in enumerate(changes, 1):
        state.apply(Event(seq, change))
    return state


class Counting(MemoryLog):
    """Counts the trims that dropped something; the first ones meet with `refusals`."""

    def __init__(self, *refusals: LogError) -> None:
        super().__init__()
        self.trims: list[int] = []
        self._refusals = list(refusals)

    async def trim(self, before: int) -> None:
        if self._refusals:
            raise self._refusals.pop(0)
        if before > self.oldest:
            self.trims.append(before)
        await super().trim(before)


class Kept:
    """A log under retention, in virtual time."""

    def __init__(self, log: TrimmableLog, clock: VirtualClock, keep: Keep) -> None:
        self.log = log
        self.clock = clock
        self.said: list[str] = []
        self.retention = Retention(log, keep, clock=clock, time=clock.time, warn=self.said.append)


@asynccontextmanager
async def kept(log: TrimmableLog, keep: Keep) -> AsyncIterator[Kept]:
    made = Kept(log, VirtualClock(START), keep)
    task = asyncio.create_task(made.retention.run())
    yield made
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_what_is_too_old_is_dropped_and_the_states_stay_what_they_were() -> None:
    changes = list(churn(4000))
    log = Counting()
    async with kept(log, Keep(seconds=600.0)) as made:
        for number in range(20):
            await log.append(changes[number * 200 : number * 200 + 200])
            await made.clock.advance(100)
            assert made.clock.time() - await time_of(log, log.oldest) <= 630 + 1
    assert 1000 <= log.head + 1 - log.oldest <= 1262
    assert 5 <= len(log.trims) <= 1400 / 30 + 1
    assert shown(await log.state_at(log.oldest - 1)) == shown(folded(changes[: log.oldest - 1]))
    assert shown(await log.state_at(4000)) == shown(folded(changes))


async def test_a_cluster_where_nothing_happens_keeps_its_state_however_old_it_is() -> None:
    log = Counting()
    await log.append(changes := list(churn(50)))
    async with kept(log, Keep(seconds=60.0)) as made:
        await made.clock.advance(200)
    assert (log.oldest, log.head) == (51, 50)
    assert shown(await log.state_at(50)) == shown(folded(changes))


async def test_what_is_too_much_is_dropped_to_nine_tenths_and_not_at_every_event() -> None:
    changes = list(churn(12_000))
    log = Counting()
    size = 250_000
    async with kept(log, Keep(size=size)) as made:
        for start in range(0, 12_000, 100):
            await log.append(changes[start : start + 100])
            await made.clock.advance(1)
            assert (await log.holding()).size <= size
    assert (await log.holding()).size > trimmed_size(size) * 0.9
    assert 5 < len(log.trims) < 60
    assert made.said == []
    assert shown(await log.state_at(12_000)) == shown(folded(changes))


async def test_both_limits_hold_at_once() -> None:
    changes = list(churn(12_000))
    log = Counting()
    async with kept(log, Keep(seconds=1000.0, size=300_000)) as made:
        for start in range(0, 6000, 100):  # as fast as it was recorded: the age decides
            await log.append(changes[start : start + 100])
            await made.clock.advance(50)
            assert made.clock.time() - await time_of(log, log.oldest) <= 1051
        assert 190_000 < (await log.holding()).size <= 250_000
        for start in range(6000, 12_000, 100):  # more happens: the size decides
            await log.append(changes[start : start + 100])
            await made.clock.advance(10)
            assert (await log.holding()).size <= 300_000
        assert (await log.holding()).size > 250_000
    assert shown(await log.state_at(12_000)) == shown(folded(changes))


async def test_a_state_that_is_larger_than_the_size_is_kept_and_told_once() -> None:
    changes = list(churn(9000))
    log = Counting()
    async with kept(log, Keep(size=50_000)) as made:
        for start in range(0, 9000, 100):
            await log.append(changes[start : start + 100])
            await made.clock.advance(1)
    assert len(made.said) == 1
    assert "cannot be kept at 50000 bytes" in made.said[0]
    assert "raise --keep-size" in made.said[0]
    assert len(log.trims) < 10, "it does not try at every event"
    assert 1000 <= log.head + 1 - log.oldest <= 2100
    assert shown(await log.state_at(9000)) == shown(folded(changes))


async def test_nothing_is_dropped_when_nothing_says_so() -> None:
    log = Counting()
    await log.append(list(churn(3000)))
    async with kept(log, Keep()) as made:
        await made.clock.advance(10**9)
    assert (log.oldest, log.trims) == (1, [])


@pytest.mark.parametrize("keep", [Keep(seconds=60.0), Keep(size=50_000)])
async def test_no_room_or_no_turn_for_a_trim_is_waited_for(keep: Keep) -> None:
    log = Counting(LogFullError("no space"), LogBusyError("another program"))
    await log.append(list(churn(3000)))
    async with kept(log, keep) as made:
        await made.clock.advance(1700)
        assert log.oldest > 1


async def test_a_log_that_is_broken_ends_it() -> None:
    log = Counting(LogError("broken"))
    await log.append(list(churn(3000)))
    retention = Retention(
        log, Keep(size=50_000), clock=(clock := VirtualClock()), time=clock.time, warn=lambda _: None
    )
    with pytest.raises(LogError, match="broken"):
        await retention.run()


# A log that is full


class Busy:
    """A source that has a lot to say."""

    def __init__(self, changes: Sequence[WatchEvent]) -> None:
        self._changes = changes

    async def deliveries(self, known: Known) -> AsyncGenerator[Delivery, None]:
        for start in range(0, len(self._changes), 50):
            yield Delivery(self._changes[start : start + 50])


class Heard:
    def __init__(self) -> None:
        self.reports: list[Report] = []
        self.something = asyncio.Event()

    def __call__(self, report: Report, *, after: int) -> None:
        self.reports.append(report)
        self.something.set()


async def test_a_full_log_drops_its_oldest_events_and_nobody_notices(tmp_path: Path) -> None:
    log = await SqliteLog.open(tmp_path / "log.db", max_bytes=1_500_000)
    changes = list(churn(20_000))
    made, heard = Kept(log, VirtualClock(START), Keep(size=10**9)), Heard()
    recording = asyncio.create_task(
        record(Busy(changes), log, made.clock, report=heard, retention=made.retention)
    )
    # A report would mean that it waits for room, on a clock that nobody moves.
    trouble = asyncio.create_task(heard.something.wait())
    await asyncio.wait((recording, trouble), return_when=asyncio.FIRST_COMPLETED)
    trouble.cancel()
    assert heard.reports == []
    await recording
    assert log.oldest > 1000
    expected = [event async for event in _recorded(changes)]
    assert log.head == len(expected)
    assert shown(await log.state_at(log.head)) == shown(folded(expected))
    await log.close()
    assert (tmp_path / "log.db").stat().st_size <= 1_500_000


async def _recorded(changes: Sequence[WatchEvent]) -> AsyncIterator[WatchEvent]:
    log = MemoryLog()
    await record(Busy(changes), log, VirtualClock(), report=Heard())
    for event in await log.read(0, log.head):
        yield event.change


async def test_a_full_log_whose_events_may_only_go_with_age_is_told_as_before(tmp_path: Path) -> None:
    log = await SqliteLog.open(tmp_path / "log.db", max_bytes=400_000)
    made, heard = Kept(log, VirtualClock(START), Keep(seconds=10**6)), Heard()
    task = asyncio.create_task(
        record(Busy(list(churn(20_000))), log, made.clock, report=heard, retention=made.retention)
    )
    await heard.something.wait()
    assert [type(report) for report in heard.reports] == [Fault]
    assert log.oldest == 1
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await log.close()


async def test_a_full_log_without_anything_to_drop_waits_and_goes_on() -> None:
    class FillsUp(Counting):
        full = 3

        async def append(self, changes: Sequence[WatchEvent], *, versions: object = None) -> int:
            if self.full:
                self.full -= 1
                raise LogFullError("no space")
            return await super().append(changes)

    log, heard = FillsUp(), Heard()
    made = Kept(log, VirtualClock(START), Keep(size=10**9))
    changes = list(churn(30))
    task = asyncio.create_task(record(Busy(changes), log, made.clock, report=heard, retention=made.retention))
    await made.clock.advance(60)
    await task
    assert [type(report) for report in heard.reports] == [Fault, Cleared]
    assert log.head == 30
