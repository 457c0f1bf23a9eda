"""The contract of EventLog, for every log that we have."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from pathlib import Path

import pytest

from kstream.core.errors import LogError, LogMismatchError
from kstream.core.timeline.events import Event
from kstream.core.timeline.health import ClusterInfo
from kstream.core.timeline.state import ClusterState
from kstream.logs.memory import MemoryLog
from kstream.logs.sqlite import SqliteLog
from kstream.ports import EventLog, Jump
from tests.logs.facts import history, shown

AnyLog = MemoryLog | SqliteLog


@pytest.fixture(params=["memory", "file", "temporary"])
async def log(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AnyLog]:
    made: AnyLog
    match request.param:
        case "memory":
            made = MemoryLog()
        case "file":
            made = await SqliteLog.open(tmp_path / "log.db")
        case _:
            made = await SqliteLog.open_temporary()
    yield made
    await made.close()


async def taken(log: EventLog, after: int, count: int) -> list[Event]:
    found: list[Event] = []
    async with aclosing(log.follow(after)) as batches:
        async for batch in batches:
            assert not isinstance(batch, Jump)
            found += batch
            if len(found) >= count:
                break
    return found


def folded(count: int) -> ClusterState:
    state = ClusterState()
    for seq, change in enumerate(history(count), 1):
        state.apply(Event(seq, change))
    return state


async def test_an_empty_log_has_no_events_and_an_empty_state(log: AnyLog) -> None:
    assert (log.head, log.oldest, log.cluster, dict(log.versions)) == (0, 1, None, {})
    assert len(await log.state_at(0)) == 0
    assert list(await log.read(0, 0)) == []
    assert log.epoch


async def test_appended_events_are_numbered_from_one_without_a_gap(log: AnyLog) -> None:
    changes = list(history(30))
    assert await log.append(changes[:10]) == 10
    assert await log.append(changes[10:]) == 30
    assert list(await log.read(0, 30)) == [Event(seq, change) for seq, change in enumerate(changes, 1)]
    assert list(await log.read(9, 11)) == [Event(10, changes[9]), Event(11, changes[10])]


async def test_bodies_come_back_as_the_same_bytes(log: AnyLog) -> None:
    changes = list(history(50))
    await log.append(changes)
    assert [event.change.body for event in await log.read(0, 50)] == [change.body for change in changes]


async def test_concurrent_appends_all_get_their_own_place(log: AnyLog) -> None:
    changes = list(history(200))
    heads = await asyncio.gather(*(log.append([change]) for change in changes))
    assert sorted(heads) == list(range(1, 201))
    for head, change in zip(heads, changes, strict=True):
        assert list(await log.read(head - 1, head)) == [Event(head, change)]


async def test_versions_are_kept_and_updated_with_the_events(log: AnyLog) -> None:
    await log.append([], versions={"pods": "5"})
    await log.append(list(history(1)), versions={"pods": "7", "nodes": "3"})
    assert dict(log.versions) == {"pods": "7", "nodes": "3"}
    assert log.head == 1


async def test_an_append_of_nothing_changes_nothing(log: AnyLog) -> None:
    assert await log.append([]) == 0


async def test_a_follower_gets_what_was_there_and_what_comes(log: AnyLog) -> None:
    changes = list(history(60))
    await log.append(changes[:20])
    following = asyncio.create_task(taken(log, 5, 55))
    for start in range(20, 60, 10):
        await log.append(changes[start : start + 10])
    assert await following == [Event(seq, change) for seq, change in enumerate(changes, 1)][5:]


async def test_a_follower_that_lags_far_behind_still_misses_nothing(log: AnyLog) -> None:
    changes = list(history(45_000))
    await log.append(changes[:1])
    seqs: list[int] = []
    async with aclosing(log.follow(0)) as batches:
        async for batch in batches:
            assert not isinstance(batch, Jump)
            seqs += [event.seq for event in batch]
            if len(seqs) == 1:  # while it holds this batch, more is committed than is held for it
                for start in range(1, 45_000, 3000):
                    await log.append(changes[start : start + 3000])
            if seqs[-1] == 45_000:
                break
    assert seqs == list(range(1, 45_001))


async def test_following_ends_when_the_log_is_closed(log: AnyLog) -> None:
    await log.append(list(history(3)))

    async def all_of_it() -> int:
        count = 0
        async with aclosing(log.follow(0)) as batches:
            async for batch in batches:
                assert not isinstance(batch, Jump)
                count += len(batch)
        return count

    following = asyncio.create_task(all_of_it())
    await taken(log, 0, 3)
    await asyncio.sleep(0)
    await log.close()
    assert await following == 3


async def test_a_follower_that_lags_when_the_log_is_closed_ends_too(log: AnyLog) -> None:
    await log.append(list(history(3000)))
    async with aclosing(log.follow(0)) as batches:
        await anext(batches)
        await log.close()
        with pytest.raises(StopAsyncIteration):
            await anext(batches)


async def test_the_state_at_any_point_is_the_fold_up_to_it(log: AnyLog) -> None:
    await log.append(list(history(3300)))
    for seq in (0, 1, 999, 1000, 1001, 2500, 3300):
        assert shown(await log.state_at(seq)) == shown(folded(seq))


async def test_what_is_not_there_is_refused(log: AnyLog) -> None:
    await log.append(list(history(3)))
    for wrong in (log.read(0, 4), log.state_at(4), log.read(-2, 1), log.state_at(-1)):
        with pytest.raises(LogError, match=r"event -?[0-9]+ is (not there yet|no longer kept)"):
            await wrong


async def test_the_cluster_is_kept_and_another_one_is_refused(log: AnyLog) -> None:
    await log.identify(ClusterInfo("prod", "v1.35.0", "uid-a"))
    await log.identify(ClusterInfo("prod", "v1.36.0", "uid-a"))
    assert log.cluster == ClusterInfo("prod", "v1.36.0", "uid-a")
    with pytest.raises(LogMismatchError, match="uid-b"):
        await log.identify(ClusterInfo("other", "v1.36.0", "uid-b"))
    assert log.cluster == ClusterInfo("prod", "v1.36.0", "uid-a")


@pytest.mark.parametrize(("first", "second"), [("", "uid-b"), ("uid-a", "")])
async def test_a_cluster_of_unknown_uid_is_no_other_cluster(log: AnyLog, first: str, second: str) -> None:
    await log.identify(ClusterInfo("prod", "v1.36.0", first))
    await log.identify(ClusterInfo("prod", "v1.37.0", second))
    assert log.cluster == ClusterInfo("prod", "v1.37.0", first or second)


@pytest.mark.parametrize("before", [2, 1500, 2501, 3301, 9999])
async def test_retention_keeps_every_state_that_it_does_not_drop(log: AnyLog, before: int) -> None:
    await log.append(list(history(3300)))
    await log.trim(before)
    oldest = min(before, 3301)
    assert (log.oldest, log.head) == (oldest, 3300)
    for seq in {oldest - 1, oldest, 2600, 3300}:
        if oldest - 1 <= seq <= 3300:
            assert shown(await log.state_at(seq)) == shown(folded(seq))
    assert [event.seq for event in await log.read(oldest - 1, 3300)] == list(range(oldest, 3301))
    with pytest.raises(LogError, match="begins at"):
        await log.read(oldest - 2, 3300)
    assert await log.append(list(history(1, seed=2))) == 3301


async def test_retention_in_steps_equals_retention_at_once(log: AnyLog) -> None:
    await log.append(list(history(3300)))
    for before in (700, 600, 1900, 3000):
        await log.trim(before)
    assert shown(await log.state_at(3300)) == shown(folded(3300))
    assert shown(await log.state_at(2999)) == shown(folded(2999))


async def test_a_follower_behind_retention_jumps_to_the_oldest_state(log: AnyLog) -> None:
    await log.append(list(history(2000)))
    await log.trim(1501)
    async with aclosing(log.follow(10)) as batches:
        first = await anext(batches)
        assert isinstance(first, Jump)
        assert shown(first.state) == shown(folded(1500))
        second = await anext(batches)
        assert not isinstance(second, Jump)
        assert second[0].seq == 1501


async def test_a_closed_log_refuses_to_append(log: AnyLog) -> None:
    await log.close()
    await log.close()
    with pytest.raises(LogError, match="closed"):
        await log.append(list(history(1)))


Refusal = Callable[[SqliteLog], Awaitable[object]]


@pytest.mark.parametrize(
    "write",
    [
        lambda log: log.append(list(history(1))),
        lambda log: log.identify(ClusterInfo("a", "b")),
        lambda log: log.trim(1),
    ],
)
async def test_a_log_that_is_open_for_reading_refuses_to_write(tmp_path: Path, write: Refusal) -> None:
    writer = await SqliteLog.open(tmp_path / "log.db")
    reader = await SqliteLog.open_read_only(tmp_path / "log.db")
    with pytest.raises(LogError, match="reading only"):
        await write(reader)
    await reader.close()
    await writer.close()
