"""The index: where its blocks are, what they say of each event, and how one that is not as it was written is found."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kstream.core.errors import LogFormatError
from kstream.core.timeline.blocks import Block, hashed, hashes
from kstream.core.timeline.codes import BAD, CODES, UNREADABLE, WAS_BAD
from kstream.core.timeline.events import Event, Kind, ObjectKey, Verb, WatchEvent, deleted_body
from kstream.core.timeline.wellness import is_unwell
from kstream.logs import blocks, keyframes, rows, schema
from kstream.logs.blocks import Indexer
from tests.logs.lifetimes import happenings
from tests.making import START, node_key, pod_key

STATUSES = ["Running", "CrashLoopBackOff", "Pending", "Ready", "NotReady"]


def event(seq: int, verb: Verb, key: ObjectKey, status: str = "Running") -> Event:
    body = b'{"name":"%b","status":"%b"}' % (key.name.encode(), status.encode())
    if verb is Verb.DELETED:
        body = deleted_body(key)
    return Event(seq, WatchEvent(verb, key, str(seq), START + seq, body))


def running(first: int, last: int, name: str = "p") -> list[Event]:
    return [event(seq, Verb.MODIFIED, pod_key(name)) for seq in range(first, last + 1)]


def applied(index: Indexer, events: Sequence[Event]) -> list[Block]:
    odd: list[int] = []
    made = rows.rows(events, odd)
    assert odd == blocks.odd_of(made)
    return index.apply(made, odd)


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as made:
        schema.migrate(made)
        yield made


@st.composite
def stories(draw: st.DrawFn) -> list[Event]:
    """Events of a few objects, each of which is added, changed, deleted, and made again."""
    keys = [pod_key("a"), pod_key("b"), node_key("n"), ObjectKey(Kind.NAMESPACE, "", "a", pod_key("a").uid)]
    story = []
    for seq, key, verb in happenings(draw, keys, least=1, most=40):
        story.append(event(seq, verb, key, draw(st.sampled_from(STATUSES))))
    return story


@given(story=stories(), cuts=st.lists(st.integers(0, 40)), length=st.integers(1, 7))
def test_blocks_say_of_each_event_what_a_fold_says_however_events_were_batched(
    story: list[Event], cuts: list[int], length: int
) -> None:
    index, made = Indexer(length=length), []
    ends = sorted({*(cut for cut in cuts if cut < len(story)), len(story)})
    for start, end in zip([0, *ends], ends, strict=False):
        made += applied(index, story[start:end])
    whole = Indexer(length=length)
    assert made == applied(whole, story)
    if index.start < len(story):
        made.append(index.cut())
    assert b"".join(block.codes for block in made) == b"".join(coded(story))
    uids = [uid for block in made for uid in hashes(block.uids)]
    assert uids == [hashed(each.change.key.uid) for each in story]
    names = [name for block in made for name in hashes(block.names)]
    assert names == [hashed(each.change.key.name) for each in story if each.change.verb is Verb.ADDED]
    for block, before in zip(made, [None, *made], strict=False):
        assert (block.first, block.time) == ((before.seq if before else 0) + 1, START + block.seq)
        assert blocks.refs_of(block) == bad_after(story[: block.seq])
    assert all(len(block.codes) >= length for block in made[:-1])


def coded(story: Sequence[Event]) -> Iterator[bytes]:
    bad: set[tuple[Kind, str]] = set()
    for each in story:
        where = each.change.key.kind, each.change.key.uid
        code = CODES[each.change.key.kind.value, each.change.verb.value] | (WAS_BAD if where in bad else 0)
        bad.discard(where)
        if each.change.verb is not Verb.DELETED and is_unwell(each.change.body.decode()):
            bad.add(where)
            code |= BAD
        yield bytes([code])


def bad_after(story: Sequence[Event]) -> list[int]:
    last = {(each.change.key.kind, each.change.key.uid): each for each in story}
    return sorted(each.seq for each in last.values() if is_unwell(each.change.body.decode()))


def test_a_block_ends_after_a_thousand_events_or_as_many_as_objects_are_bad() -> None:
    index = Indexer()
    assert applied(index, running(1, 999)) == []
    assert [block.seq for block in applied(index, running(1000, 2500))] == [1000, 2000]
    sick = [event(seq, Verb.ADDED, pod_key(f"p{seq}"), "Error") for seq in range(2501, 4000)]
    assert [block.seq for block in applied(index, sick)] == [3000]
    assert [block.seq for block in applied(index, running(4000, 5500))] == [4000, 5499]


def test_an_indexer_goes_on_where_another_one_ended() -> None:
    bad = pod_key("bad")
    first = Indexer()
    (block,) = applied(
        first, [*running(1, 998), *(event(seq, Verb.MODIFIED, bad, "Error") for seq in (999, 1000))]
    )
    assert (block.bad, blocks.refs_of(block)) == (1, [1000])
    again = Indexer(block.seq, block.time, [(1000, ("pod", bad.uid))])
    rest = [event(1001, Verb.MODIFIED, bad), *running(1002, 2000)]
    assert applied(again, rest) == applied(first, rest)


@pytest.mark.parametrize(
    ("place", "value"),
    [(2, "MOVED"), (3, "job"), (6, b"x"), (6, None), (8, b"{}"), (8, None), (2, None), (5, 7)],
)
def test_a_row_that_is_not_as_it_was_written_is_passed_over(place: int, value: Any) -> None:
    made: list[Any] = rows.rows([event(1, Verb.ADDED, pod_key("p")), *running(2, 3)])
    row = list(made[1])
    row[place] = value
    index = Indexer()
    index.apply([made[0], tuple(row), made[2]])
    block = index.cut()
    assert len(block.codes) == 3
    assert block.codes[0] == CODES["pod", "ADDED"]
    assert block.codes[2] == 0
    assert block.codes[1] in (0, UNREADABLE)
    assert hashes(block.uids)[0] == hashes(block.uids)[2] == hashed(pod_key("p").uid)


def test_a_time_of_another_type_is_passed_over() -> None:
    made: list[Any] = rows.rows(running(1, 2))
    index = Indexer()
    index.apply([made[0]])
    index.apply([(2, "x", *made[1][2:])])
    assert index.cut().time == START + 1


SOME = [
    Block(2, START + 2, bytes(8), bytes(4), b"\x04\x20", 1, keyframes.packed_refs([2])),
    Block(5, START + 5, bytes(range(12)), b"", bytes(3), 2, keyframes.packed_refs([2, 5])),
    Block(6, START + 6, bytes(4), b"", bytes(1), 0, keyframes.packed_refs([])),
]


@pytest.mark.parametrize(
    ("after", "upto", "seqs"), [(0, 9, [2, 5, 6]), (2, 5, [5]), (1, 2, [2]), (3, 6, [5, 6]), (6, 9, [])]
)
def test_those_are_found_that_hold_some_of_the_events(
    connection: sqlite3.Connection, after: int, upto: int, seqs: list[int]
) -> None:
    blocks.insert(connection, SOME)
    blocks.insert(connection, [])
    assert list(blocks.kept(connection, after, upto)) == [block for block in SOME if block.seq in seqs]


def test_the_last_one_before_an_event_is_found(connection: sqlite3.Connection) -> None:
    blocks.insert(connection, SOME)
    assert [blocks.last(connection, seq) for seq in (1, 2, 4, 9)] == [None, SOME[0], SOME[0], SOME[2]]
    assert [blocks.straddles(connection, seq) for seq in (0, 6, 7)] == [True, True, False]


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("UPDATE blocks SET crc = 1 WHERE seq = 5", "block 5 .*its checksum does not match"),
        ("UPDATE blocks SET codes = x'00' WHERE seq = 5", "block 5 .*its checksum does not match"),
        ("UPDATE blocks SET time = 'x' WHERE seq = 5", "block 5 .*required argument is not a float"),
        ("UPDATE blocks SET uids = 7 WHERE seq = 5", "block 5 "),
        ("DELETE FROM blocks WHERE seq = 5", "block 6 .*it begins with event 6, after 2"),
    ],
)
def test_what_is_not_as_it_was_written_is_found(
    connection: sqlite3.Connection, script: str, says: str
) -> None:
    blocks.insert(connection, SOME)
    connection.execute(script)
    with pytest.raises(LogFormatError, match=says):
        list(blocks.kept(connection, 0, 9))


@pytest.mark.parametrize(
    ("block", "says"),
    [
        (SOME[0]._replace(uids=bytes(9)), "its parts are of other lengths"),
        (SOME[0]._replace(codes=bytes(3), uids=bytes(12)), "its parts are of other lengths"),
        (SOME[0]._replace(codes=b"", uids=b""), "its parts are of other lengths"),
        (SOME[0]._replace(names=b"x"), "its parts are of other lengths"),
    ],
)
def test_what_was_never_right_is_found_though_its_checksum_matches(
    connection: sqlite3.Connection, block: Block, says: str
) -> None:
    blocks.insert(connection, [block])
    with pytest.raises(LogFormatError, match=says):
        blocks.last(connection, 9)


@pytest.mark.parametrize(("bad", "says"), [(1, "does not hold 1 objects"), (3, "does not name 3 objects")])
def test_another_number_of_bad_objects_is_found(bad: int, says: str) -> None:
    with pytest.raises(LogFormatError, match=says):
        blocks.refs_of(SOME[1]._replace(bad=bad))
