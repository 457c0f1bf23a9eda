"""A recording to be played, and how its parts are named."""

from __future__ import annotations

from collections.abc import Sequence

from kstream.core.timeline.events import Event
from kstream.core.timeline.health import ClusterInfo
from kstream.core.timeline.timepoint import timestamp
from kstream.logs.memory import MemoryLog
from kstream.ports import Jump
from tests.logs.facts import START, history
from tests.logs.staging import STEP


def at(seq: int) -> str:
    return timestamp(START + seq * STEP)


async def recorded(count: int = 100) -> MemoryLog:
    recording = MemoryLog(epoch="e1")
    await recording.append(list(history(count)), versions={"pods": "7"})
    await recording.identify(ClusterInfo("prod", "v1.36.0", "uid-a"))
    return recording


def seqs(found: Sequence[Event] | Jump) -> tuple[int, int]:
    assert not isinstance(found, Jump)
    return found[0].seq, found[-1].seq
