"""Events that are read and decoded once for readers that are near each other."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kstream.core.errors import LogTrimmedError
from kstream.core.timeline.events import Event, Verb
from kstream.logs import spans
from kstream.logs.memory import MemoryLog
from kstream.logs.spans import Spans
from tests.making import START, change, pod_key
from tests.virtual import in_virtual_time


class Counting(MemoryLog):
    """A log that says what was read of it, each time after a moment."""

    def __init__(self) -> None:
        super().__init__(epoch="e")
        self.reads: list[tuple[int, int]] = []

    async def read(self, after: int, upto: int) -> Sequence[Event]:
        self.reads.append((after, upto))
        await asyncio.sleep(0)
        return await super().read(after, upto)


async def counting(count: int) -> Counting:
    log = Counting()
    await log.append([change(Verb.ADDED, pod_key(f"p{number}")) for number in range(count)])
    return log


def seqs(events: Sequence[Event]) -> list[int]:
    return [event.seq for event in events]


async def test_what_many_want_at_once_is_read_once() -> None:
    log = await counting(1200)
    shared = Spans(log)
    found = await asyncio.gather(*(shared.read(after, 1200) for after in (0, 10, 499, 0)))
    assert [seqs(each) for each in found] == [list(range(after + 1, 501)) for after in (0, 10, 499, 0)]
    assert seqs(await shared.read(20, 25)) == [21, 22, 23, 24, 25]
    assert log.reads == [(0, 500)]


async def test_when_it_begins_is_read_once_until_something_is_dropped() -> None:
    log = Counting()
    spans_of = Spans(log)
    assert await spans_of.begins() == 0.0, "nothing is recorded yet"
    await log.append([change(Verb.ADDED, pod_key(f"p{n}"), time=START + n) for n in range(9)])
    assert [await spans_of.begins() for _ in range(3)] == [START] * 3
    assert log.reads == [(0, 1)]
    await log.trim(4)
    assert [await spans_of.begins() for _ in range(3)] == [START + 3] * 3
    assert log.reads == [(0, 1), (3, 4)]


async def test_the_end_of_a_log_that_grows_is_read_as_it_is() -> None:
    log = await counting(700)
    shared = Spans(log)
    assert seqs(await shared.read(600, 700)) == list(range(601, 701))
    await log.append([change(Verb.ADDED, pod_key(f"q{number}")) for number in range(300)])
    assert seqs(await shared.read(600, 1000)) == list(range(601, 1001))
    assert seqs(await shared.read(650, 1000)) == list(range(651, 1001))
    assert log.reads == [(600, 700), (500, 1000)]


async def test_what_retention_has_dropped_is_not_kept() -> None:
    log = await counting(1000)
    shared = Spans(log)
    await shared.read(0, 500)
    await log.trim(400)
    with pytest.raises(LogTrimmedError):
        await shared.read(10, 500)
    assert seqs(await shared.read(450, 500)) == list(range(451, 501))


async def test_one_who_goes_while_others_wait_stops_nobody() -> None:
    log = await counting(500)
    shared = Spans(log)
    going, staying = (asyncio.ensure_future(shared.read(0, 500)) for _ in range(2))
    await asyncio.sleep(0)
    going.cancel()
    assert len(await staying) == 500
    assert log.reads == [(0, 500)]
    assert shared._reading == {}


async def test_so_many_bytes_are_kept_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    log = await counting(2000)
    span = sum(len(event.change.body) for event in await log.read(0, 500))
    monkeypatch.setattr(spans, "_BYTES", span * 5 // 2)
    shared = Spans(log)
    for after in (0, 500, 0, 1000, 0, 500):
        await shared.read(after, 2000)
    assert log.reads[1:] == [(0, 500), (500, 1000), (1000, 1500), (500, 1000)], "what was used last is kept"


@given(st.lists(st.tuples(st.integers(0, 1300), st.integers(1, 900)), max_size=20))
def test_it_is_what_the_log_says_or_the_beginning_of_that(asked: list[tuple[int, int]]) -> None:
    async def story() -> None:
        log = await counting(1300)
        shared = Spans(log)
        for after, count in asked:
            upto = min(after + count, 1300)
            found = seqs(await shared.read(after, upto))
            assert found == list(range(after + 1, after + 1 + len(found)))
            assert bool(found) == (after < upto)

    in_virtual_time(story())
