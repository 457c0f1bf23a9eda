"""What workers measure, summed: of those that answer, of those that do not, and of those that are gone."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from kstream.clock import VirtualClock
from kstream.web.measures import Measures
from kstream.workers.measuring import Measuring, Process


class Workers:
    """Stand-ins for processes, which remember what they were asked."""

    def __init__(self, count: int) -> None:
        self.clock = VirtualClock()
        self.asked: list[tuple[int, int]] = []  # which worker, and the number of the question
        self.measuring = Measuring(self._tell, self.clock)
        self.all = [cast("Process", object()) for _ in range(count)]
        self._summing: list[asyncio.Task[Measures]] = []

    def _tell(self, worker: Process, said: object) -> None:
        assert isinstance(said, dict)
        self.asked.append((self.all.index(worker), said["measure"]))

    async def sum(self) -> asyncio.Task[Measures]:
        task = asyncio.create_task(self.measuring.measures(self.all))
        await self.clock.advance(0)
        return task

    async def answer(self, worker: int, number: int, **value: Any) -> None:
        self.measuring.hear(self.all[worker], {"measured": number, "value": value})
        await self.clock.advance(0)


async def test_all_are_asked_at_once_and_the_sum_waits_for_the_last_of_them() -> None:
    workers = Workers(2)
    summing = await workers.sum()
    assert workers.asked == [(0, 0), (1, 1)]
    await workers.answer(1, 1, kstream_clients=3, kstream_messages=30)
    assert not summing.done()
    await workers.answer(0, 0, kstream_clients=4, kstream_messages=40)
    assert await summing == {"kstream_clients": 7, "kstream_messages": 70}


async def test_one_that_is_late_counts_with_what_it_said_last() -> None:
    workers = Workers(2)
    summing = await workers.sum()
    await workers.answer(0, 0, kstream_clients=4)
    await workers.answer(1, 1, kstream_clients=3)
    await summing
    again = await workers.sum()
    await workers.answer(0, 2, kstream_clients=5)
    await workers.clock.advance(1.9)
    assert not again.done()
    await workers.clock.advance(0.1)
    assert await again == {"kstream_clients": 8}
    await workers.clock.advance(0)
    assert workers.measuring._waiting == {}, "nobody waits for it any more"
    await workers.answer(1, 3, kstream_clients=9)
    last = await workers.sum()
    await workers.clock.advance(2)
    assert await last == {"kstream_clients": 14}, "what came late is known the next time"


async def test_two_who_ask_at_once_get_each_their_own_answers() -> None:
    workers = Workers(1)
    first, second = await workers.sum(), await workers.sum()
    assert workers.asked == [(0, 0), (0, 1)]
    await workers.answer(0, 1, kstream_clients=2)
    assert (first.done(), second.done()) == (False, True)
    await workers.answer(0, 0, kstream_clients=1)
    assert await first == {"kstream_clients": 1}
    assert await second == {"kstream_clients": 2}


async def test_what_a_worker_counted_stays_when_it_is_gone_and_what_it_had_does_not() -> None:
    workers = Workers(2)
    summing = await workers.sum()
    await workers.answer(0, 0, kstream_clients=4, kstream_messages=40, kstream_log_head=7)
    await workers.answer(1, 1, kstream_clients=3, kstream_messages=30, kstream_log_head=9)
    assert await summing == {"kstream_clients": 7, "kstream_messages": 70, "kstream_log_head": 9}
    workers.measuring.forget(workers.all[1])
    workers.measuring.forget(workers.all[1])  # nothing is counted twice
    workers.measuring.forget(cast("Process", object()))  # one that never said anything
    gone = workers.all.pop()
    summing = await workers.sum()
    await workers.answer(0, 2, kstream_clients=5, kstream_messages=41, kstream_log_head=8)
    assert await summing == {"kstream_clients": 5, "kstream_messages": 71, "kstream_log_head": 8}
    assert gone not in workers.all


async def test_without_workers_there_is_nothing_to_wait_for() -> None:
    workers = Workers(0)
    assert await (await workers.sum()) == {}


async def test_whoever_no_longer_wants_to_know_leaves_no_question_behind() -> None:
    workers = Workers(1)
    summing = await workers.sum()
    summing.cancel()
    await workers.clock.advance(0)
    assert summing.cancelled()
    await workers.answer(0, 0, kstream_clients=1)
    again = await workers.sum()
    await workers.answer(0, 1, kstream_clients=2)
    assert await again == {"kstream_clients": 2}
