"""Whatever is appended and dropped in whatever order: what is kept says what it said before."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kstream.core.errors import LogTrimmedError
from kstream.core.timeline.events import Event
from kstream.core.timeline.retention import Keep
from kstream.core.timeline.state import ClusterState
from kstream.logs.memory import MemoryLog
from kstream.logs.sqlite import SqliteLog
from kstream.ports import TrimmableLog
from kstream.retention import trim_to
from tests.logs.facts import START, history, shown

pytestmark = pytest.mark.untraced

MOST: Final = 4000
CHANGES: Final = list(history(MOST, seed=7))
EVENTS: Final = [Event(seq, change) for seq, change in enumerate(CHANGES, 1)]
STEP: Final = 0.5  # seconds from one event to the next

# What to do, and how much of it: an append of so many events, or a trim to so great a part of what there is.
Step = tuple[str, float]
steps = st.lists(
    st.tuples(st.sampled_from(["append", "append", "age", "size", "seq"]), st.floats(0, 1)),
    min_size=1,
    max_size=8,
)


def folded(seq: int) -> ClusterState:
    state = ClusterState()
    for event in EVENTS[:seq]:
        state.apply(event)
    return state


async def take(log: TrimmableLog, step: Step) -> None:
    what, part = step
    head, kept = log.head, log.head + 1 - log.oldest
    match what:
        case "append":
            await log.append(CHANGES[head : head + int(part * 1500)])
        case "age":
            now = START + head * STEP
            await trim_to(log, Keep(seconds=part * kept * STEP), now=now)
        case "size":
            size = (await log.holding()).size
            fits = await trim_to(log, Keep(size=int(size * part)), now=0.0)
            assert fits or log.oldest == log.head + 1, "all of the history goes before it gives up"
            assert not fits or (await log.holding()).size <= int(size * part)
        case _:
            await log.trim(log.oldest + int(part * kept))


async def check(log: TrimmableLog) -> None:
    oldest, head = log.oldest, log.head
    assert list(await log.read(oldest - 1, head)) == EVENTS[oldest - 1 : head]
    for seq in {oldest - 1, (oldest + head) // 2, head}:
        assert shown(await log.state_at(seq)) == shown(folded(seq))
    replayed = await log.state_at(oldest - 1)
    for event in await log.read(oldest - 1, head):
        replayed.apply(event)
    assert shown(replayed) == shown(folded(head))
    if oldest > 1:
        with pytest.raises(LogTrimmedError):
            await log.state_at(oldest - 2)


async def tell(log: TrimmableLog, story: Sequence[Step]) -> list[tuple[int, int]]:
    ends = []
    for step in story:
        await take(log, step)
        await check(log)
        ends.append((log.oldest, log.head))
    return ends


@given(steps)
@settings(max_examples=40, deadline=None)
def test_the_replay_of_what_is_kept_is_the_state(story: list[Step]) -> None:
    async def both() -> None:
        memory, file = MemoryLog(), await SqliteLog.open_temporary()
        try:
            in_memory, in_file = await tell(memory, story), await tell(file, story)
            if not any(what == "size" for what, _ in story):
                assert in_memory == in_file
        finally:
            await file.close()

    asyncio.run(both())
