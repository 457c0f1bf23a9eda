"""Keyframes: where they are, what they refer to, and how one that is not as it was written is found."""

from __future__ import annotations

import sqlite3
import struct
import sys
import zlib
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest

from kstream.core.errors import LogFormatError
from kstream.core.timeline.events import Event, Kind, ObjectKey, Verb, WatchEvent
from kstream.logs import keyframes, schema
from kstream.logs.keyframes import EARLIEST, LATEST, Keyframe, LiveSet
from tests.making import START, change, namespace_key, node_key, pod_key


def event(seq: int, verb: Verb, key: ObjectKey) -> Event:
    return Event(seq, change(verb, key, time=START + seq))


def touched(*seqs: int) -> list[Event]:
    """Events about one pod."""
    return [event(seq, Verb.MODIFIED, pod_key("p")) for seq in seqs]


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as made:
        schema.migrate(made)
        yield made


def test_before_the_first_event_there_is_nothing() -> None:
    assert LiveSet().keyframe() == Keyframe(0, 0.0, [])


def test_nothing_that_happens_changes_nothing() -> None:
    live = LiveSet()
    live.apply(touched(7))
    assert live.apply([]) == []
    assert live.keyframe() == Keyframe(7, START + 7, [7])


def test_each_living_object_is_there_with_its_last_event_by_kind_in_the_order_they_came() -> None:
    live = LiveSet()
    a, b, c = (pod_key(name) for name in "abc")
    same = ObjectKey(Kind.NODE, "", "n", a.uid)  # of another kind with the same uid
    story = [
        (Verb.ADDED, a),
        (Verb.ADDED, namespace_key("shop")),
        (Verb.ADDED, b),
        (Verb.ADDED, node_key("n")),
        (Verb.ADDED, same),
        (Verb.MODIFIED, a),
        (Verb.ADDED, c),
        (Verb.DELETED, b),
        (Verb.DELETED, b),
        (Verb.MODIFIED, node_key("n")),
        (Verb.ADDED, b),
    ]
    assert live.apply(event(seq, *what) for seq, what in enumerate(story, 1)) == []
    assert live.keyframe() == Keyframe(11, START + 11, [10, 5, 6, 7, 11, 2])


def test_a_keyframe_comes_after_every_thousandth_event_when_there_are_few_objects() -> None:
    live = LiveSet()
    assert live.apply(touched(1, 999)) == []
    frames = live.apply(touched(1000, 1001, 1999, 2000, 2001))
    assert frames == [Keyframe(1000, START + 1000, [1000]), Keyframe(2000, START + 2000, [2000])]
    assert live.apply(touched(2002, 2999)) == []
    assert live.apply(touched(3000)) == [Keyframe(3000, START + 3000, [3000])]


def test_with_many_objects_it_comes_after_as_many_events() -> None:
    live = LiveSet()
    pods = [event(seq, Verb.ADDED, pod_key(f"p{seq}")) for seq in range(1, 1301)]
    nodes = [event(seq, Verb.ADDED, node_key(f"n{seq}")) for seq in range(1301, 1501)]
    assert [frame.seq for frame in live.apply([*pods, *nodes])] == [1000]
    assert live.apply(touched(1999)) == []
    (frame,) = live.apply(touched(2000))
    assert (frame.seq, len(frame.refs)) == (2000, 1501)
    assert live.apply(touched(3500)) == []
    assert [frame.seq for frame in live.apply(touched(3501))] == [3501]


def test_what_is_taken_over_goes_on_as_if_it_had_been_there() -> None:
    live = LiveSet()
    live.load(
        1400, START + 1400, [(5, "node", "uid-n"), (3, "pod", "uid-default-p"), (9, "pod", "uid-default-q")]
    )
    assert live.keyframe() == Keyframe(1400, START + 1400, [5, 3, 9])
    assert live.apply(touched(2399)) == []
    assert live.apply(touched(2400)) == [Keyframe(2400, START + 2400, [5, 2400, 9])]


def test_what_is_taken_over_with_many_objects_has_its_next_keyframe_later() -> None:
    live = LiveSet()
    live.load(1500, START, [(seq, "pod", f"u{seq}") for seq in range(1, 1501)])
    assert live.apply(touched(2999)) == []
    assert [frame.seq for frame in live.apply(touched(3000))] == [3000]


def test_a_kind_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="service"):
        LiveSet().load(1, START, [(1, "service", "u")])


def test_times_that_have_a_date_are_those_that_a_calendar_has() -> None:
    assert datetime.fromtimestamp(EARLIEST, UTC) == datetime.min.replace(tzinfo=UTC)
    assert datetime.fromtimestamp(LATEST - 1, UTC) == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    with pytest.raises(ValueError, match="year"):
        datetime.fromtimestamp(LATEST, UTC)


FRAMES = [
    Keyframe(3, 1.5, [5, 3, 7]),
    Keyframe(7, EARLIEST, []),
    Keyframe(9, LATEST - 1, [1 << 40, 2]),
]


def test_keyframes_come_back_as_they_were_put(connection: sqlite3.Connection) -> None:
    keyframes.insert(connection, [])
    assert keyframes.every(connection) == []
    keyframes.insert(connection, FRAMES[1:])
    keyframes.insert(connection, [Keyframe(9, 0.0, [1]), FRAMES[0]])
    keyframes.insert(connection, FRAMES[2:])
    assert keyframes.every(connection) == FRAMES


@pytest.mark.parametrize(("seq", "found"), [(2, None), (3, 0), (6, 0), (7, 1), (8, 1), (9, 2), (99, 2)])
def test_the_nearest_is_the_last_one_at_or_before_a_place(
    connection: sqlite3.Connection, seq: int, found: int | None
) -> None:
    keyframes.insert(connection, FRAMES)
    assert keyframes.nearest(connection, seq) == (None if found is None else FRAMES[found])


def test_a_keyframe_is_in_the_file_as_the_documentation_has_it(connection: sqlite3.Connection) -> None:
    keyframes.insert(connection, FRAMES[:1])
    seq, time, objects, packed, crc = connection.execute("SELECT * FROM keyframes").fetchone()
    assert (seq, time, objects) == (3, 1.5, 3)
    assert zlib.decompress(packed) == struct.pack("<3q", 5, -2, 4)
    assert packed[:2] == b"\x78\x01", "deflated at the quickest level"
    assert crc == zlib.crc32(struct.pack("<qd", 3, 1.5) + packed)


def test_a_machine_that_writes_numbers_the_other_way_round_turns_them(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = ">" if sys.byteorder == "little" else "<"
    monkeypatch.setattr(sys, "byteorder", "big")
    keyframes.insert(connection, FRAMES[:1])
    (packed,) = connection.execute("SELECT refs FROM keyframes").fetchone()
    assert zlib.decompress(packed) == struct.pack(f"{here}3q", 5, -2, 4)
    assert keyframes.every(connection) == FRAMES[:1]


def put(connection: sqlite3.Connection, seq: int, time: float, objects: int, packed: bytes) -> None:
    """With a checksum that is right."""
    crc = zlib.crc32(struct.pack("<qd", seq, time) + packed)
    connection.execute("INSERT INTO keyframes VALUES (?, ?, ?, ?, ?)", (seq, time, objects, packed, crc))


@pytest.mark.parametrize(
    ("time", "objects", "packed", "cause"),
    [
        (0.0, 2, zlib.compress(struct.pack("<1q", 5)), "it does not hold 2 objects"),
        (0.0, 0, zlib.compress(struct.pack("<1q", 5)), "it does not hold 0 objects"),
        (
            LATEST,
            1,
            zlib.compress(struct.pack("<1q", 5)),
            "its time is 253402300800.0 seconds, which has no date",
        ),
        (
            EARLIEST - 1,
            1,
            zlib.compress(struct.pack("<1q", 5)),
            "its time is -62135596801.0 seconds, which has no date",
        ),
        (0.0, 1, b"nothing", "Error -3 while decompressing data: incorrect header check"),
        (0.0, 1, zlib.compress(b"1234567"), "bytes length not a multiple of item size"),
    ],
)
def test_a_keyframe_that_cannot_be_is_damage_even_where_the_checksum_is_right(
    connection: sqlite3.Connection, time: float, objects: int, packed: bytes, cause: str
) -> None:
    put(connection, 4, time, objects, packed)
    for look in (lambda: keyframes.every(connection), lambda: keyframes.nearest(connection, 4)):
        with pytest.raises(LogFormatError, match=rf"keyframe 4 is not as it was written \({cause}"):
            look()


@pytest.mark.parametrize("changed", ["seq = 8", "time = 2.5", "refs = x'00'", "crc = crc + 1"])
def test_a_keyframe_that_was_changed_is_damage(connection: sqlite3.Connection, changed: str) -> None:
    keyframes.insert(connection, FRAMES[:1])
    connection.execute(f"UPDATE keyframes SET {changed}")
    with pytest.raises(LogFormatError, match="its checksum does not match"):
        keyframes.every(connection)


def test_a_keyframe_of_a_format_without_checksums_is_read() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE keyframes (seq, time, objects, refs)")
        connection.execute(
            "INSERT INTO keyframes VALUES (3, 1.5, 3, ?)", (zlib.compress(struct.pack("<3q", 5, -2, 4)),)
        )
        assert keyframes.nearest(connection, 3) == FRAMES[0]


def test_a_list_of_facts_is_told_from_one_of_nothing() -> None:
    """The last event of a batch says when it was, whatever kind of object it was about."""
    live = LiveSet()
    live.apply([Event(1, WatchEvent(Verb.DELETED, node_key("n"), "", 5.0, b""))])
    assert live.keyframe() == Keyframe(1, 5.0, [])
