"""What is found in a file without reading all of it is what a look at every event finds."""

from __future__ import annotations

from pathlib import Path

import pytest

from kstream.clock import VirtualClock
from kstream.core.errors import LogFormatError, LogTrimmedError
from kstream.core.timeline.events import Event, Kind
from kstream.core.timeline.narrow import Narrow
from kstream.logs.replay import ReplayLog
from kstream.logs.sqlite import SqliteLog
from tests.logs.facts import as_format, history
from tests.logs.recordings import recorded

COUNT = 1300
EVENTS = [Event(seq, change) for seq, change in enumerate(history(COUNT), 1)]
SOME = EVENTS[700].change.key


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


async def opened(path: Path, number: int = 0) -> SqliteLog:
    log = await SqliteLog.open(path)
    await log.append([event.change for event in EVENTS])
    if not number:
        return log
    await log.close()
    as_format(path, number)
    return await SqliteLog.open_read_only(path)


@pytest.mark.parametrize("number", [0, 1, 5])
@pytest.mark.parametrize(
    "narrow",
    [
        Narrow(),
        Narrow(kinds=frozenset([Kind.NODE, Kind.NAMESPACE])),
        Narrow(namespaces=frozenset(["größe", "namespace-7"])),
        Narrow(names=frozenset([SOME.name, "'; DROP TABLE events; --"])),
        Narrow(uids=frozenset([SOME.uid])),
        Narrow(texts=frozenset(['"status":"Pending"', "größe"])),
        Narrow(texts=frozenset()),
        Narrow(kinds=frozenset([Kind.POD]), namespaces=frozenset(["shop"]), texts=frozenset(["Failed"])),
    ],
)
async def test_sqlite_finds_what_fits(path: Path, narrow: Narrow, number: int) -> None:
    log = await opened(path, number)
    assert await log.find(narrow, 100, 1200) == [
        event.seq for event in EVENTS[100:1200] if narrow.fits(event.change)
    ]
    await log.close()


@pytest.mark.parametrize("number", [0, 1, 5])
async def test_what_was_found_is_picked(path: Path, number: int) -> None:
    log = await opened(path, number)
    assert await log.pick([3, 500, COUNT]) == [EVENTS[2], EVENTS[499], EVENTS[-1]]
    assert await log.pick([]) == []
    with pytest.raises(LogFormatError, match="event 9999"):
        await log.pick([9999])
    await log.close()


async def test_of_what_was_dropped_what_still_lives_is_found_and_picked(path: Path) -> None:
    log = await opened(path)
    await log.trim(1000)
    alive = await log.find(Narrow(), 0, 999)
    assert 0 < len(alive) < 999
    assert await log.pick(alive) == [EVENTS[seq - 1] for seq in alive]
    gone = next(seq for seq in range(1, 999) if seq not in alive)
    with pytest.raises(LogTrimmedError, match=f"event {gone} is no longer kept"):
        await log.pick([gone])
    with pytest.raises(LogTrimmedError):
        await log.blocks(900, COUNT)
    await log.close()


async def test_a_replay_finds_in_its_recording_and_not_beyond_what_it_has_shown() -> None:
    recording = await recorded()
    replay = await ReplayLog.open(recording, VirtualClock(), at="seq:40")
    assert await replay.find(Narrow(), 10, 12) == [11, 12]
    assert [event.seq for event in await replay.pick([7])] == [7]
    assert len(await replay.blocks(0, 40)) == 1
    with pytest.raises(Exception, match="event 41 is not there yet"):
        await replay.blocks(0, 41)
    await replay.close()
