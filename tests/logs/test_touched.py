"""The state at every moment by keyframe and index: whatever befell which objects, it is the fold of the events."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kstream.core.errors import LogFormatError
from kstream.core.timeline.blocks import hashed
from kstream.core.timeline.events import Event, Kind, ObjectKey, Verb, WatchEvent
from kstream.core.timeline.state import ClusterState
from kstream.logs import blocks, keyframes, reading, rows, schema, touched
from tests.logs.facts import START, body_of, shown

# Two pairs that have the same hash, and two that are alone.
UIDS = ("plumless", "buckeroo", "codding", "gnu", "uid-1", "uid-2")
KEYS = [
    *(ObjectKey(Kind.POD, "shop", uid, uid) for uid in UIDS[:3]),
    ObjectKey(Kind.NODE, "", UIDS[3], UIDS[3]),
    ObjectKey(Kind.NAMESPACE, "", UIDS[4], UIDS[4]),
    ObjectKey(Kind.POD, "größe", UIDS[5], UIDS[5]),
]

# What befalls which object: one that is not there comes, one that is goes at times.
steps = st.lists(st.tuples(st.sampled_from(KEYS), st.booleans()), min_size=2, max_size=40)


def told(befell: Sequence[tuple[ObjectKey, bool]]) -> list[Event]:
    alive: set[ObjectKey] = set()
    events: list[Event] = []
    for seq, (key, goes) in enumerate(befell, 1):
        verb = Verb.ADDED if key not in alive else Verb.DELETED if goes else Verb.MODIFIED
        (alive.discard if verb is Verb.DELETED else alive.add)(key)
        status = "Failed" if seq % 5 == 0 else "Running"
        body = body_of(key.kind, key.namespace, key.name, key.uid, status)
        events.append(Event(seq, WatchEvent(verb, key, str(seq), START + seq, body)))
    return events


def folded(events: Sequence[Event], seq: int) -> ClusterState:
    state = ClusterState()
    for event in events[:seq]:
        state.apply(event)
    return state


def filled(
    connection: sqlite3.Connection,
    events: Sequence[Event],
    *,
    frames: Sequence[int],
    length: int,
    oldest: int = 1,
) -> None:
    """A log of these events, with keyframes after those of `frames`, and blocks of `length` events, trimmed to
    `oldest`."""
    schema.migrate(connection)
    made = rows.rows(events)
    connection.executemany(rows.INSERT, made)
    ends = blocks.Indexer(length=length).apply(made)
    blocks.insert(connection, [block for block in ends if block.seq >= oldest])
    live = keyframes.LiveSet()
    for after, upto in pairwise([0, *sorted({*frames, oldest - 1} - {0})]):
        live.apply(events[after:upto])
        if upto >= oldest - 1:
            keyframes.insert(connection, [live.keyframe()])
        if upto == oldest - 1:
            kept = [(ref,) for ref in live.keyframe().refs]
            connection.executemany("INSERT INTO baseline SELECT * FROM events WHERE seq = ?", kept)
    connection.execute("DELETE FROM events WHERE seq < ?", (oldest,))


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as made:
        yield made


def by_index(connection: sqlite3.Connection, seq: int) -> touched.Touched | None:
    frame = keyframes.nearest(connection, seq)
    assert frame is not None
    return touched.touched(connection, frame, seq)


def test_the_objects_of_the_tests_have_one_hash_two_by_two() -> None:
    assert len({hashed(uid) for uid in UIDS}) == 4


@settings(max_examples=50)
@given(steps, st.data())
def test_a_state_is_the_fold_at_every_seq(befell: list[tuple[ObjectKey, bool]], data: st.DataObject) -> None:
    events = told(befell)
    count = len(events)
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        filled(
            connection,
            events,
            frames=data.draw(st.lists(st.integers(1, count), min_size=1, max_size=3)),
            length=data.draw(st.integers(1, 20)),
            oldest=data.draw(st.integers(1, count)),
        )
        (oldest,) = connection.execute("SELECT min(seq) FROM events").fetchone()
        (first,) = connection.execute("SELECT min(seq) FROM keyframes").fetchone()
        for seq in range(oldest - 1, count + 1):
            assert shown(reading.state_at(connection, seq)) == shown(folded(events, seq))
            # And it is the index that tells: nothing has been folded in its place.
            assert seq < first or by_index(connection, seq) is not None


EVENTS = told([(key, False) for key in KEYS] + [(KEYS[n % 6], n % 7 == 0) for n in range(60)])


@pytest.mark.parametrize("table", ["blocks", "events"])
def test_where_the_index_does_not_tell_the_rows_do(connection: sqlite3.Connection, table: str) -> None:
    """A block that is damaged or away, and one that was made of a row that could not be read."""
    filled(connection, EVENTS, frames=[20], length=10)
    if table == "blocks":
        connection.execute("UPDATE blocks SET uids = zeroblob(length(uids)) WHERE seq = 30")
    else:
        made = rows.rows(EVENTS)
        made[24] = (*made[24][:3], "pot", *made[24][4:])
        connection.execute("DELETE FROM blocks")
        blocks.insert(connection, blocks.Indexer(length=10).apply(made))
    assert by_index(connection, 40) is None
    assert shown(reading.state_at(connection, 40)) == shown(folded(EVENTS, 40))
    connection.execute("DELETE FROM blocks WHERE seq <= 30")
    assert by_index(connection, 40) is None
    assert shown(reading.state_at(connection, 40)) == shown(folded(EVENTS, 40))


def test_too_many_that_share_a_hash_are_folded(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(connection, EVENTS, frames=[20], length=10)
    monkeypatch.setattr(touched, "_DOUBTFUL", 3)
    assert by_index(connection, 40) is None
    assert shown(reading.state_at(connection, 40)) == shown(folded(EVENTS, 40))


@pytest.mark.parametrize("verb", list(Verb))
@pytest.mark.parametrize("length", [1, 100])
def test_what_contradicts_itself_is_damage_and_says_where(
    connection: sqlite3.Connection, verb: Verb, length: int
) -> None:
    """An object that comes twice, or is changed or deleted when it is not there; with blocks and without."""
    (key, other) = KEYS[4:]
    changes = [(Verb.ADDED, key), (Verb.ADDED, other), (Verb.DELETED, other), (Verb.MODIFIED, key)]
    wrong = [*changes, (verb, key if verb is Verb.ADDED else other), (Verb.MODIFIED, key)]
    events = [
        Event(
            seq,
            WatchEvent(verb, key, "1", START + seq, body_of(key.kind, key.namespace, key.name, key.uid, "x")),
        )
        for seq, (verb, key) in enumerate(wrong, 1)
    ]
    filled(connection, events, frames=[2], length=length)
    assert by_index(connection, 6) is None
    with pytest.raises(
        LogFormatError, match=f"the event log is damaged: Event 5 is {verb} of the {wrong[4][1].kind}"
    ):
        reading.state_at(connection, 6)


@pytest.mark.parametrize("length", [5, 100])
def test_an_event_that_a_state_needs_and_is_damaged_or_missing_is_named(
    connection: sqlite3.Connection, length: int
) -> None:
    filled(connection, EVENTS, frames=[20], length=length)
    found = by_index(connection, 40)
    assert found is not None
    late = max(ref for ref in found.refs if ref < 40)
    connection.execute("UPDATE events SET body = replace(body, 'Running', 'Runming') WHERE seq = ?", (late,))
    with pytest.raises(LogFormatError, match=f"event {late} is not as it was written"):
        reading.state_at(connection, 40)
    connection.execute("DELETE FROM events WHERE seq = ?", (late,))
    with pytest.raises(LogFormatError, match=f"event {late}, which|of the events 21 to 40 only 19"):
        reading.state_at(connection, 40)


@pytest.mark.parametrize("seq", [20, 40])
def test_a_keyframe_that_has_an_event_twice_is_damage(connection: sqlite3.Connection, seq: int) -> None:
    filled(connection, EVENTS, frames=[20], length=10)
    (frame,) = keyframes.every(connection)
    keyframes.insert(connection, [frame._replace(refs=[*frame.refs, frame.refs[-1]])])
    with pytest.raises(LogFormatError, match=r"the event log is damaged: .* twice"):
        reading.state_at(connection, seq)
