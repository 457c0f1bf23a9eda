"""The log in memory, beside what every log does (test_contract.py): what it is made with, and what it counts."""

from __future__ import annotations

from contextlib import aclosing

import pytest

from kstream.core.errors import LogError, LogMismatchError, LogTrimmedError
from kstream.core.timeline.events import Event, Kind, Verb
from kstream.core.timeline.health import ClusterInfo
from kstream.core.timeline.retention import Holding
from kstream.logs.memory import MemoryLog
from tests.making import START, change, node_key, numbered, pod_key

CHANGES = [
    change(Verb.ADDED, pod_key("a"), time=START + 1),
    change(Verb.ADDED, node_key("a"), time=START + 2),
    change(Verb.MODIFIED, pod_key("a"), note="x", time=START + 3),
    change(Verb.ADDED, pod_key("b"), time=START + 4),
    change(Verb.DELETED, pod_key("a"), time=START + 5),
    change(Verb.MODIFIED, pod_key("b"), note="long", time=START + 6),
]


async def filled() -> MemoryLog:
    log = MemoryLog()
    await log.append(CHANGES, versions={"pods": "7"})
    return log


def sizes(*seqs: int) -> int:
    return sum(len(CHANGES[seq - 1].body) for seq in seqs)


async def names(log: MemoryLog, seq: int) -> list[str]:
    return [f"{entry.key.kind} {entry.key.name}" for entry in await log.state_at(seq)]


def test_an_empty_one_has_an_epoch_a_term_and_nothing_else() -> None:
    log = MemoryLog()
    assert (log.epoch, log.meta, log.versions, log.cluster) == ("memory", {}, {}, None)
    assert (log.head, log.oldest) == (0, 1)
    assert [term.first for term in log.terms] == [1]
    assert log.terms[0].id != MemoryLog().terms[0].id


def test_it_keeps_the_epoch_and_the_meta_that_it_is_given() -> None:
    meta = {"scenario": '"calm"'}
    log = MemoryLog(epoch="e1", meta=meta)
    meta.clear()
    assert (log.epoch, log.meta) == ("e1", {"scenario": '"calm"'})


async def test_its_versions_cannot_be_changed_from_outside() -> None:
    log = await filled()
    dict(log.versions).clear()
    log.versions.clear()  # type: ignore[attr-defined]
    assert log.versions == {"pods": "7"}


async def test_a_span_that_ends_before_it_begins_is_empty() -> None:
    log = await filled()
    assert list(await log.read(3, 3)) == []
    assert list(await log.read(3, -2)) == []
    assert list(await log.read(2, 4)) == numbered(CHANGES)[2:4]


async def test_what_it_holds_is_the_bodies_of_its_events_and_of_what_was_before() -> None:
    log = await filled()
    assert await log.holding() == Holding(1, 6, 2, 0, sizes(1, 2, 3, 4, 5, 6))
    await log.trim(4)
    assert await log.holding() == Holding(4, 6, 2, 2, sizes(2, 3, 4, 5, 6))
    await log.trim(7)
    assert await log.holding() == Holding(7, 6, 2, 2, sizes(2, 6))


@pytest.mark.parametrize("before", [-1, 0, 1])
async def test_a_trim_before_its_beginning_drops_nothing(before: int) -> None:
    log = await filled()
    await log.trim(before)
    assert (log.oldest, list(await log.read(0, 6))) == (1, numbered(CHANGES))


async def test_a_trim_that_was_done_already_changes_nothing() -> None:
    log = await filled()
    await log.trim(4)
    for before in (2, 4):
        await log.trim(before)
        assert (log.oldest, log.head) == (4, 6)
        assert list(await log.read(3, 6)) == numbered(CHANGES)[3:]


async def test_the_states_that_are_kept_are_what_they_were() -> None:
    log = await filled()
    await log.trim(4)
    assert [await names(log, seq) for seq in (3, 4, 5, 6)] == [
        ["node a", "pod a"],
        ["node a", "pod a", "pod b"],
        ["node a", "pod b"],
        ["node a", "pod b"],
    ]
    assert [(await log.state_at(seq)).time - START for seq in (3, 4, 6)] == [3, 4, 6]
    state = await log.state_at(3)
    assert [entry.body for entry in state.entries(Kind.POD)] == [CHANGES[2].body]


async def test_what_is_appended_after_all_is_dropped_gets_the_next_number() -> None:
    log = await filled()
    await log.trim(99)
    assert (log.oldest, log.head, await names(log, 6)) == (7, 6, ["node a", "pod b"])
    assert (await log.state_at(6)).time == START + 6
    added = change(Verb.ADDED, pod_key("c"), time=START + 7)
    assert await log.append([added]) == 7
    assert list(await log.read(6, 7)) == [Event(7, added)]
    await log.trim(8)
    assert await names(log, 7) == ["node a", "pod b", "pod c"]


async def test_another_cluster_is_refused_by_the_name_of_the_log() -> None:
    log = MemoryLog()
    await log.identify(ClusterInfo("a", "v1", "uid-a"))
    with pytest.raises(LogMismatchError, match="the event log in memory holds the history of the cluster a"):
        await log.identify(ClusterInfo("b", "v1", "uid-b"))


async def test_it_says_which_cluster_it_is_of() -> None:
    log = MemoryLog()
    await log.identify(ClusterInfo("a", "v1", "uid-a"))
    assert log.cluster == ClusterInfo("a", "v1", "uid-a")


async def test_before_the_first_event_it_is_no_time() -> None:
    assert (await MemoryLog().state_at(0)).time == 0.0


async def test_what_is_not_there_is_refused() -> None:
    log = await filled()
    await log.trim(4)
    for refused in (log.read(2, 6), log.state_at(2)):
        with pytest.raises(LogTrimmedError, match="event 3 is no longer kept: the event log begins at 4"):
            await refused
    for refused in (log.read(3, 7), log.state_at(7)):
        with pytest.raises(LogError, match="event 7 is not there yet: the event log ends at 6"):
            await refused


async def test_who_follows_gets_what_was_there_and_then_what_comes_from_memory() -> None:
    log = await filled()
    async with aclosing(log.follow(4)) as batches:
        assert await anext(batches) == numbered(CHANGES)[4:]
        await log.append(CHANGES[:1])
        await log.trim(8)
        assert await anext(batches) == [Event(7, CHANGES[0])]


async def test_a_closed_one_takes_nothing_more() -> None:
    log = await filled()
    await log.close()
    for refused in (log.append([]), log.identify(ClusterInfo("a", "v1"))):
        with pytest.raises(LogError, match="the event log in memory is closed"):
            await refused
    assert log.cluster is None
