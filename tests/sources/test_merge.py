from __future__ import annotations

import asyncio

import pytest

from kstream.sources.merge import Merge


async def test_items_come_out_in_the_order_in_which_they_were_put() -> None:
    merge: Merge[int] = Merge(10)
    for i in range(5):
        await merge.put(i)
    await merge.wait()
    assert [merge.take() for _ in range(6)] == [0, 1, 2, 3, 4, None]


async def test_a_putter_waits_while_there_are_too_many() -> None:
    merge: Merge[int] = Merge(2)
    await merge.put(0)
    await merge.put(1)
    third = asyncio.create_task(merge.put(2))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not third.done()
    assert merge.take() == 0
    await third


async def test_a_putter_that_is_cancelled_while_it_waits_has_lost_nothing() -> None:
    merge: Merge[int] = Merge(1)
    await merge.put(0)
    second = asyncio.create_task(merge.put(1))
    await asyncio.sleep(0)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    assert [merge.take(), merge.take(), merge.take()] == [0, 1, None]


async def test_many_putters_all_get_their_turn() -> None:
    merge: Merge[int] = Merge(3)
    putters = [asyncio.create_task(merge.put(i)) for i in range(50)]
    taken: list[int] = []
    while len(taken) < 50:
        await merge.wait()
        while (item := merge.take()) is not None:
            taken.append(item)
        await asyncio.sleep(0)
    await asyncio.gather(*putters)
    assert taken == list(range(50))
