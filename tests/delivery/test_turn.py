"""Long work lets others run every few milliseconds, and no more often than that."""

from __future__ import annotations

import asyncio

from kstream.clock import VirtualClock
from kstream.delivery.turn import Half, Turn


class Stopwatch(VirtualClock):
    """A clock that moves when the work does."""

    def work(self, seconds: float) -> None:
        self._now += seconds


async def test_others_run_once_the_work_has_taken_more_than_five_milliseconds() -> None:
    clock = Stopwatch()
    turn = Turn(clock)
    others: list[float] = []

    async def worked(seconds: float) -> tuple[float, int]:
        clock.work(seconds)
        asyncio.get_running_loop().call_soon(others.append, 0.0)
        now, ran = await turn.rest(), len(others)
        await asyncio.sleep(0)
        others.clear()
        return now, ran

    # Binary fractions: these sums are exact.
    assert await worked(0.0) == (0.0, 0)
    assert await worked(1 / 256) == (1 / 256, 0)
    assert await worked(1 / 256) == (2 / 256, 1)
    assert await worked(1 / 256) == (3 / 256, 0), "since they ran last, that is"
    assert await worked(1 / 256) == (4 / 256, 1)


async def test_five_milliseconds_are_not_more_than_five_milliseconds() -> None:
    clock = Stopwatch()
    turn = Turn(clock)
    clock.work(0.005)
    asyncio.get_running_loop().call_soon(clock.work, 1.0)
    assert await turn.rest() == 0.005


async def test_what_time_it_is_is_looked_at_again_after_others_have_run() -> None:
    clock = Stopwatch()
    turn = Turn(clock)
    clock.work(1.0)
    asyncio.get_running_loop().call_soon(clock.work, 2.0)
    assert await turn.rest() == 3.0
    clock.work(0.004)
    asyncio.get_running_loop().call_soon(clock.work, 2.0)
    assert await turn.rest() == 3.004, "the turn of others is not counted as ours"


async def test_half_of_a_core_is_work_and_half_is_rest() -> None:
    clock = VirtualClock()
    half = Half(clock)
    done: list[tuple[str, float]] = []

    async def work(name: str, seconds: float) -> None:
        async with half.turn():
            await clock.sleep(seconds)
        done.append((name, clock.monotonic()))

    works = [
        asyncio.create_task(work(name, seconds)) for name, seconds in (("a", 0.2), ("b", 5.0), ("c", 0.1))
    ]
    await clock.advance(10)
    assert done == [("a", 0.2), ("b", 5.4), ("c", 6.5)], "a rest lasts a second at most"
    await asyncio.gather(*works)


async def test_who_gives_up_waiting_or_fails_leaves_the_turn_to_the_next() -> None:
    clock = VirtualClock()
    half = Half(clock)

    async def work(error: Exception | None) -> str:
        async with half.turn():
            await clock.sleep(1)
            if error is not None:
                raise error
            return "done"

    failing, leaving, last = (asyncio.create_task(work(error)) for error in (ValueError("x"), None, None))
    await clock.advance(0.5)
    leaving.cancel()
    await clock.advance(10)
    assert last.result() == "done"
    assert isinstance(failing.exception(), ValueError)
