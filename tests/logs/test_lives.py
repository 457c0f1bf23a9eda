"""One object of a log, found by its index, is what a look at every event finds, whatever was dropped."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from kstream.core.timeline import blocks
from kstream.core.timeline.events import Event, ObjectKey, Verb
from kstream.logs.lives import life, named
from kstream.logs.memory import MemoryLog
from kstream.logs.sqlite import SqliteLog
from tests.logs.facts import as_format, history

COUNT = 1700
EVENTS = [Event(seq, change) for seq, change in enumerate(history(COUNT), 1)]
UIDS = sorted({event.change.key.uid for event in EVENTS}, key=lambda uid: int(uid[4:]))[::97]


@pytest.fixture(params=["memory", "file", "format 1", "format 5"])
async def log(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[MemoryLog | SqliteLog]:
    path = tmp_path / "log.db"
    made: MemoryLog | SqliteLog = MemoryLog() if request.param == "memory" else await SqliteLog.open(path)
    await made.append([event.change for event in EVENTS])
    if request.param.startswith("format"):
        await made.close()
        as_format(path, int(request.param[-1]))
        made = await SqliteLog.open_read_only(path)
    yield made
    await made.close()


def of(uid: str, after: int, upto: int) -> Sequence[Event]:
    return [event for event in EVENTS if event.change.key.uid == uid and after < event.seq <= upto]


@pytest.mark.parametrize(("after", "upto"), [(0, COUNT), (900, 1300), (1300, COUNT), (COUNT, COUNT)])
async def test_a_life_is_what_every_event_says(log: MemoryLog | SqliteLog, after: int, upto: int) -> None:
    for uid in UIDS:
        known, events = await life(log, uid, after=after, upto=upto, most=sys.maxsize)
        assert events == of(uid, after, upto)
        before = of(uid, 0, after)
        if not before or before[-1].change.verb is Verb.DELETED:
            assert known is None
        else:
            assert known is not None
            assert (known.key, known.body) == (before[-1].change.key, before[-1].change.body)


async def test_no_more_events_are_told_than_are_asked_for(log: MemoryLog | SqliteLog) -> None:
    uid = max(UIDS, key=lambda each: len(of(each, 0, COUNT)))
    assert (await life(log, uid, after=0, upto=COUNT, most=1))[1] == of(uid, 0, COUNT)[:1]


async def test_what_was_dropped_leaves_what_still_lived(tmp_path: Path) -> None:
    log = await SqliteLog.open(tmp_path / "log.db")
    await log.append([event.change for event in EVENTS])
    await log.trim(1200)
    for uid in UIDS:
        known, events = await life(log, uid, after=1199, upto=COUNT, most=sys.maxsize)
        assert events == of(uid, 1199, COUNT)
        before = of(uid, 0, 1199)
        assert (known is None) is (not before or before[-1].change.verb is Verb.DELETED)
        key = of(uid, 0, COUNT)[0].change.key
        assert (key in await named(log, key.kind, key.namespace, key.name)) is bool(known or events)
    await log.close()


async def test_a_name_is_that_of_every_object_that_had_it(log: MemoryLog | SqliteLog) -> None:
    for wanted in {event.change.key for event in EVENTS[::211]}:
        keys: dict[ObjectKey, None] = dict.fromkeys(
            event.change.key
            for event in EVENTS
            if (event.change.key.kind, event.change.key.namespace, event.change.key.name)
            == (wanted.kind, wanted.namespace, wanted.name)
        )
        assert await named(log, wanted.kind.value, wanted.namespace, wanted.name) == list(keys)


async def test_what_only_has_the_same_hash_is_another_object(
    log: MemoryLog | SqliteLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "places", lambda packed, _: range(len(packed) // 4))
    for uid in UIDS[:3]:
        known, events = await life(log, uid, after=0, upto=300, most=sys.maxsize)
        assert (known, events) == (None, of(uid, 0, 300))
    assert (await life(log, "nobody", after=5, upto=9, most=9)) == (None, [])
