"""Handing events to followers: what is held for them, what is read for them, and when they end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

import pytest

from kstream.core.errors import LogTrimmedError
from kstream.core.timeline.events import Event, Verb
from kstream.logs.feed import Feed, Follower, followed
from kstream.logs.memory import MemoryLog
from kstream.ports import Jump
from tests.making import change, pod_key

HELD = 20_000  # events that a follower may have waiting
CHANGE = change(Verb.ADDED, pod_key("p"))


def events(first: int, last: int) -> list[Event]:
    return [Event(seq, CHANGE) for seq in range(first, last + 1)]


def seqs(found: Sequence[Event] | Jump) -> tuple[int, int]:
    assert not isinstance(found, Jump)
    return found[0].seq, found[-1].seq


async def waits(follower: Follower) -> bool:
    """Whether there is no news; takes it if there is."""
    waiting = asyncio.ensure_future(follower.news())
    for _ in range(3):
        await asyncio.sleep(0)
    if waiting.done():
        return False
    waiting.cancel()
    return True


def test_batches_are_taken_one_by_one_as_they_were_offered() -> None:
    follower = Follower()
    for batch in (events(1, 3), events(4, 4), events(5, 9)):
        follower.offer(batch)
    assert [seqs(follower.take(after)) for after in (0, 3, 4)] == [(1, 3), (4, 4), (5, 9)]
    assert follower.take(9) == ()


@pytest.mark.parametrize(
    ("after", "taken"),
    [(0, (1, 3)), (1, (2, 3)), (2, (3, 3)), (3, (4, 6)), (4, (5, 6)), (5, (6, 6)), (6, None), (7, None)],
)
def test_what_the_follower_has_already_is_left_out(after: int, taken: tuple[int, int] | None) -> None:
    follower = Follower()
    follower.offer(events(1, 3))
    follower.offer(events(4, 6))
    found = follower.take(after)
    assert (seqs(found) if found else None) == taken


def test_a_batch_behind_a_gap_is_kept_until_the_gap_was_read() -> None:
    follower = Follower()
    follower.offer(events(5, 9))
    assert (follower.take(3), follower.take(0)) == ((), ())
    assert seqs(follower.take(4)) == (5, 9)


def test_so_many_events_are_held_and_with_one_more_none() -> None:
    follower = Follower()
    follower.offer(events(1, 10))
    follower.offer(events(11, HELD))
    assert seqs(follower.take(0)) == (1, 10)
    follower.offer(events(HELD + 1, HELD + 10))
    assert seqs(follower.take(10)) == (11, HELD)
    assert seqs(follower.take(HELD)) == (HELD + 1, HELD + 10)
    follower.offer(events(1, 10))
    follower.offer(events(11, HELD + 1))
    assert follower.take(0) == ()
    assert follower.take(10) == ()


def test_once_all_was_forgotten_there_is_room_for_as_much_again() -> None:
    follower = Follower()
    follower.offer(events(1, HELD))
    follower.offer(events(HELD + 1, HELD + 1))
    follower.offer(events(HELD + 2, 2 * HELD + 1))
    assert seqs(follower.take(HELD + 1)) == (HELD + 2, 2 * HELD + 1)


def test_what_was_taken_makes_room_though_only_a_part_of_it_was_news() -> None:
    follower = Follower()
    follower.offer(events(1, HELD))
    assert seqs(follower.take(HELD - 1)) == (HELD, HELD)
    follower.offer(events(HELD + 1, 2 * HELD))
    assert seqs(follower.take(HELD)) == (HELD + 1, 2 * HELD)


async def test_an_offer_and_a_wake_are_news_once() -> None:
    follower = Follower()
    news: list[Callable[[], None]] = [
        lambda: follower.offer(events(1, 1)),
        lambda: follower.offer(events(1, HELD)),  # of which nothing is held
        follower.wake,
    ]
    assert await waits(follower)
    for told in news:
        told()
        assert not await waits(follower)
        assert await waits(follower)


async def test_what_is_published_reaches_all_who_follow_and_nobody_else() -> None:
    feed = Feed()
    with feed.follower() as first:
        with feed.follower() as second:
            feed.publish(events(1, 3))
        feed.publish(events(4, 5))
        feed.publish([])
        assert [seqs(first.take(after)) for after in (0, 3)] == [(1, 3), (4, 5)]
        assert (seqs(second.take(0)), second.take(3)) == ((1, 3), ())
        assert not await waits(first)
        feed.publish([])
        assert await waits(first), "nothing is no news"


async def test_a_feed_that_closes_says_so_to_all_who_follow() -> None:
    feed = Feed()
    assert feed.closed is False
    with feed.follower() as first, feed.follower() as second:
        feed.close()
        assert (await waits(first), await waits(second)) == (False, False)
    assert feed.closed is True


class Log(MemoryLog):
    """One that tells what was read of it, and may be trimmed right before."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: list[tuple[int, int]] = []
        self.trims: list[int] = []

    async def read(self, after: int, upto: int) -> Sequence[Event]:
        self.reads.append((after, upto))
        if self.trims:
            await self.trim(self.trims.pop(0))
        return await super().read(after, upto)


class Following:
    """A follower of a Log with a feed of its own; `waited` counts how often it found nothing."""

    def __init__(self, log: Log, after: int) -> None:
        self.feed = Feed()
        self.waited = 0
        self.more: list[list[Event]] = []
        self.batches: AsyncGenerator[Sequence[Event] | Jump, None] = followed(
            log, self.feed, after, self._news
        )

    async def _news(self, _: Follower) -> None:
        self.waited += 1
        if self.more:
            self.feed.publish(self.more.pop(0))
        else:
            self.feed.close()


async def filled(count: int) -> Log:
    log = Log()
    await log.append([change(Verb.ADDED, pod_key(f"p{n}")) for n in range(1, count + 1)])
    return log


async def test_one_that_lags_is_read_a_thousand_events_at_a_time_and_no_further_than_the_head() -> None:
    log = await filled(2500)
    following = Following(log, 10)
    found = [seqs(batch) async for batch in following.batches]
    assert found == [(11, 1010), (1011, 2010), (2011, 2500)]
    assert log.reads == [(10, 1010), (1010, 2010), (2010, 2500)]
    assert following.waited == 1


async def test_one_that_keeps_up_gets_what_is_held_without_a_read() -> None:
    log = await filled(3)
    following = Following(log, 3)
    following.more = [events(4, 5), events(6, 6)]
    await log.append([change(Verb.ADDED, pod_key(f"p{n}")) for n in (4, 5, 6)])
    async with aclosing(following.batches) as batches:
        # Before its first step it holds nothing: what was committed by then is read.
        assert seqs(await anext(batches)) == (4, 6)
    assert log.reads == [(3, 6)]
    following = Following(log, 6)
    following.more = [events(7, 8), events(9, 9)]
    assert [seqs(batch) async for batch in following.batches] == [(7, 8), (9, 9)]
    assert (log.reads, following.waited) == ([(3, 6)], 3)


async def test_what_is_held_is_not_read_though_the_log_has_it_too() -> None:
    log = await filled(3)
    following = Following(log, 0)
    async with aclosing(following.batches) as batches:
        assert seqs(await anext(batches)) == (1, 3)
        await log.append([CHANGE] * 4)
        following.feed.publish(events(4, 5))
        assert seqs(await anext(batches)) == (4, 5)
        assert seqs(await anext(batches)) == (6, 7)
    assert log.reads == [(0, 3), (5, 7)]


async def test_one_that_is_behind_what_is_kept_jumps_to_the_state_that_it_begins_with() -> None:
    log = await filled(9)
    await log.trim(5)
    following = Following(log, 3)
    jump, *rest = [batch async for batch in following.batches]
    assert isinstance(jump, Jump)
    assert (jump.state.seq, len(jump.state)) == (4, 4)
    assert [seqs(batch) for batch in rest] == [(5, 9)]


async def test_one_that_needs_exactly_what_is_kept_does_not_jump() -> None:
    log = await filled(9)
    await log.trim(5)
    assert [seqs(batch) async for batch in Following(log, 4).batches] == [(5, 9)]


async def test_what_is_dropped_right_before_it_is_read_makes_it_jump() -> None:
    log = await filled(9)
    log.trims = [5]
    following = Following(log, 0)
    jump, *rest = [batch async for batch in following.batches]
    assert isinstance(jump, Jump)
    assert jump.state.seq == 4
    assert [seqs(batch) for batch in rest] == [(5, 9)]
    with pytest.raises(LogTrimmedError):
        await log.read(0, 9)


async def test_when_the_feed_closes_what_is_held_still_comes_and_nothing_is_read() -> None:
    log = await filled(9)
    following = Following(log, 0)
    async with aclosing(following.batches) as batches:
        assert seqs(await anext(batches)) == (1, 9)
        await log.append([CHANGE] * 4)
        following.feed.publish(events(10, 11))
        following.feed.close()
        assert [seqs(batch) async for batch in batches] == [(10, 11)]
    assert (log.reads, following.waited) == ([(0, 9)], 0)


async def test_one_that_ends_is_offered_nothing_more() -> None:
    log = await filled(1)
    following = Following(log, 0)
    async with aclosing(following.batches) as batches:
        await anext(batches)
        assert len(following.feed._followers) == 1
    assert not following.feed._followers
