"""The writer thread: what it commits together, in which order, and who is told what became of it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from kstream.core.errors import LogError, LogFullError
from kstream.core.timeline.events import Event, Verb
from kstream.logs.reading import Status
from kstream.logs.store import Change, Store
from kstream.logs.writer import Writer
from tests.making import change, pod_key

FACT = change(Verb.ADDED, pod_key("p"))
TOO_LARGE = 777  # an append of so many events does not fit
GROUP = 10_000  # events in one transaction, unless one append has more
WAITING = 64  # appends that may wait for the thread


class Paper(Store):
    """A store that holds nothing but what was asked of it; `gate` holds it up."""

    def __init__(self) -> None:
        self.path = Path("paper.db")
        self.status = Status("e1", [], 0, 1, None, {}, {})
        self.gate = threading.Event()
        self.gate.set()
        self.busy = threading.Event()
        self.done: list[object] = []
        self.thread = threading.current_thread()

    def commit(self, changes: Sequence[Change]) -> list[Event]:
        self._pass()
        sizes = [len(each.events) for each in changes]
        self.thread = threading.current_thread()
        if TOO_LARGE in sizes:
            raise LogFullError(f"{sum(sizes)} are too many")
        self.done.append(sizes)
        first = self.status.head + 1
        self.status = self.status._replace(head=self.status.head + sum(sizes))
        return [Event(seq, FACT) for seq in range(first, self.status.head + 1)]

    def note(self, what: str) -> None:
        self.done.append(what)

    def close(self) -> None:
        self._pass()
        self.done.append("closed")

    def _pass(self) -> None:
        self.busy.set()
        self.gate.wait()


class Told:
    """What the writer published."""

    def __init__(self) -> None:
        self.published: list[tuple[int, int]] = []

    def __call__(self, status: Status, events: Sequence[Event]) -> None:
        assert threading.current_thread() is threading.main_thread()
        self.published.append((status.head, len(events)))


def of(count: int) -> Change:
    return Change([FACT] * count, {})


async def held_up(store: Paper, writer: Writer) -> asyncio.Task[int]:
    """An append of one event that the thread is busy with until the gate opens."""
    store.gate.clear()
    store.busy.clear()
    first = asyncio.create_task(writer.append(of(1)))
    await asyncio.sleep(0)
    await asyncio.to_thread(store.busy.wait)
    return first


async def started(writer: Writer, *sizes: int) -> list[asyncio.Task[int]]:
    tasks = [asyncio.create_task(writer.append(of(size))) for size in sizes]
    await asyncio.sleep(0)
    return tasks


async def test_an_append_is_told_its_head_and_everybody_what_was_committed() -> None:
    store, told = Paper(), Told()
    writer = Writer(store, told)
    assert [await writer.append(of(count)) for count in (3, 0, 2)] == [3, 3, 5]
    await writer.close()
    assert store.done == [[3], [0], [2], "closed"]
    assert told.published == [(3, 3), (3, 0), (5, 2)]


async def test_the_thread_can_be_told_from_others_and_holds_up_no_exit() -> None:
    store = Paper()
    writer = Writer(store, Told())
    await writer.append(of(1))
    assert (store.thread.name, store.thread.daemon) == ("kstream-log-writer", True)
    await writer.close()
    assert not store.thread.is_alive()


async def test_what_waits_is_committed_together_and_each_append_has_its_own_head() -> None:
    store, told = Paper(), Told()
    writer = Writer(store, told)
    first = await held_up(store, writer)
    rest = await started(writer, 2, 0, 3)
    store.gate.set()
    assert await asyncio.gather(first, *rest) == [1, 3, 3, 6]
    assert store.done == [[1], [2, 0, 3]]
    assert told.published == [(1, 1), (6, 5)]
    await writer.close()


@pytest.mark.parametrize(
    ("sizes", "groups"),
    [
        ((GROUP - 1, 1, 1), [[GROUP - 1, 1], [1]]),
        ((GROUP, 1), [[GROUP], [1]]),
        ((GROUP + 5, 1), [[GROUP + 5], [1]]),
        ((GROUP - 1, 5, 1, 1), [[GROUP - 1, 5], [1, 1]]),
        ((GROUP - 2, 1, 1, 1), [[GROUP - 2, 1, 1], [1]]),
    ],
)
async def test_a_transaction_ends_with_the_append_that_makes_it_large(
    sizes: Sequence[int], groups: list[list[int]]
) -> None:
    store = Paper()
    writer = Writer(store, Told())
    first = await held_up(store, writer)
    rest = await started(writer, *sizes)
    store.gate.set()
    await asyncio.gather(first, *rest)
    assert store.done == [[1], *groups]
    await writer.close()


async def test_a_task_runs_between_the_appends_around_it() -> None:
    store, told = Paper(), Told()
    writer = Writer(store, told)
    first = await held_up(store, writer)
    before = await started(writer, 2)
    running = asyncio.create_task(writer.run(lambda _: store.note("task")))
    await asyncio.sleep(0)
    after = await started(writer, 3)
    store.gate.set()
    assert await asyncio.gather(first, *before, *after) == [1, 3, 6]
    assert running.done()
    assert store.done == [[1], [2], "task", [3]]
    assert told.published == [(1, 1), (3, 2), (3, 0), (6, 3)]
    await writer.close()


async def test_a_task_that_fails_tells_who_asked_for_it_and_the_thread_goes_on() -> None:
    def fail(_: Store) -> None:
        raise LogError("no")

    store, told = Paper(), Told()
    writer = Writer(store, told)
    with pytest.raises(LogError, match="no"):
        await writer.run(fail)
    assert told.published == []
    assert await writer.append(of(2)) == 2
    await writer.close()


async def test_an_append_that_cannot_be_committed_tells_who_made_it_and_takes_no_other_with_it() -> None:
    store, told = Paper(), Told()
    writer = Writer(store, told)
    first = await held_up(store, writer)
    rest = await started(writer, 2, TOO_LARGE, 3)
    store.gate.set()
    _, before, refused, after = await asyncio.gather(first, *rest, return_exceptions=True)
    assert (before, after) == (3, 6)
    assert isinstance(refused, LogFullError)
    assert str(refused) == "777 are too many"
    assert store.done == [[1], [2], [3]]
    assert told.published == [(1, 1), (3, 2), (6, 3)]
    await writer.close()


async def test_a_caller_that_is_cancelled_undoes_nothing_and_holds_up_nobody() -> None:
    store, told = Paper(), Told()
    writer = Writer(store, told)
    first = await held_up(store, writer)
    rest = await started(writer, 2, TOO_LARGE, 3)
    cancelled = [first, *rest[:2]]
    for task in cancelled:
        task.cancel()
    await asyncio.gather(*cancelled, return_exceptions=True)
    store.gate.set()
    assert await rest[2] == 6
    assert told.published == [(1, 1), (3, 2), (6, 3)]
    await writer.close()


async def test_a_caller_that_is_cancelled_takes_nobody_with_it_who_is_committed_with_it() -> None:
    store = Paper()
    writer = Writer(store, Told())
    first = await held_up(store, writer)
    gone, kept = await started(writer, 2, 3)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    store.gate.set()
    assert list(await asyncio.gather(first, kept)) == [1, 6]
    assert store.done == [[1], [2, 3]]
    await writer.close()


async def test_so_many_appends_wait_for_the_thread_and_the_next_ones_for_their_turn() -> None:
    store = Paper()
    writer = Writer(store, Told())
    tasks = [await held_up(store, writer), *await started(writer, *[1] * (WAITING + 5))]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    store.gate.set()
    await writer.close()
    assert store.status.head == WAITING


async def test_a_task_waits_for_its_turn_as_an_append_does() -> None:
    store = Paper()
    writer = Writer(store, Told())
    tasks: list[asyncio.Task[int] | asyncio.Task[None]] = [await held_up(store, writer)]
    tasks += [asyncio.create_task(writer.run(lambda _: store.note("task"))) for _ in range(WAITING + 5)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    store.gate.set()
    await writer.close()
    assert store.done.count("task") == WAITING - 1


async def test_closing_commits_what_waits_and_ends_when_the_file_is_closed() -> None:
    store = Paper()
    writer = Writer(store, Told())
    first = await held_up(store, writer)
    rest = await started(writer, 2)
    closing = asyncio.create_task(writer.close())
    for _ in range(5):
        await asyncio.sleep(0)
    assert not closing.done()
    store.gate.set()
    await closing
    assert store.done == [[1], [2], "closed"]
    assert await asyncio.gather(first, *rest) == [1, 3]


def test_a_program_that_ends_without_closing_leaves_a_thread_that_still_commits() -> None:
    store = Paper()
    writers: list[Writer] = []

    async def program() -> None:
        writers.append(Writer(store, Told()))
        first = await held_up(store, writers[0])
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)

    asyncio.run(program())
    store.gate.set()
    asyncio.run(writers[0].close())
    assert store.done == [[1], "closed"]
