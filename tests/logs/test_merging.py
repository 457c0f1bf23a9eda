"""Parts of one history are that history again; what is of another is refused, with the event that says so."""

from __future__ import annotations

import itertools
import json
import random
import sqlite3
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kstream.core.errors import LogMismatchError
from kstream.core.timeline.events import Event
from kstream.core.timeline.health import ClusterInfo
from kstream.core.timeline.terms import Term, reach
from kstream.logs import rows
from kstream.logs.making import Start, make
from kstream.logs.merging import Merged, merged
from kstream.logs.passage import passage
from kstream.logs.store import Change, Store
from tests.logs.facts import as_format, history
from tests.logs.files import contents, is_whole, stored

COUNT: Final = 400
CHANGES: Final = list(history(COUNT))


def part(source: Path, out: Path, after: int, upto: int) -> Path:
    out.touch()
    with passage(source, after=after, upto=upto) as found:
        start = Start(found.start.seq, found.start.time, found.state(found.start.seq))
        make(out, out, found.status, start, found.events())
    return out


def joined(paths: Sequence[Path], out: Path) -> None:
    out.touch()
    with merged(paths) as found:
        assert len(list(found.check())) == found.compared
        start = found.start()
        made = make(out, out, found.status, start, found.events())
        assert made.objects == found.objects


def whole(folder: Path) -> Path:
    """Of three writers."""
    for begin, end in itertools.pairwise((0, 150, 151, COUNT)):
        stored(folder / "log.db", CHANGES[begin:end])
    return folder / "log.db"


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, COUNT), max_size=4), st.integers(0, 60), st.randoms(use_true_random=False))
def test_a_log_that_was_cut_is_whole_again_when_it_is_merged(
    cuts: list[int], overlap: int, rng: random.Random
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = whole(folder)
        ends = [0, *sorted(cuts), COUNT]
        parts = [
            part(source, folder / f"{number}.db", max(0, begin - overlap), end)
            for number, (begin, end) in enumerate(itertools.pairwise(ends))
        ]
        rng.shuffle(parts)
        joined(parts, folder / "out.db")
        assert contents(folder / "out.db") == contents(source)
        assert is_whole(folder / "out.db")


def test_what_begins_late_begins_late(tmp_path: Path) -> None:
    source = whole(tmp_path)
    parts = [
        part(source, tmp_path / f"{after}.db", after, upto)
        for after, upto in ((100, 200), (200, 210), (180, 390))
    ]
    joined(parts, tmp_path / "out.db")
    assert contents(tmp_path / "out.db") == contents(part(source, tmp_path / "same.db", 100, 390))


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_a_copy_of_an_older_format_fits_and_the_terms_of_it_are_as_far_as_it_is_taken(
    tmp_path: Path, number: int
) -> None:
    source = whole(tmp_path)
    old = part(source, tmp_path / "old.db", 0, 300)
    as_format(old, number)
    joined([source, old], tmp_path / "out.db")
    assert contents(tmp_path / "out.db") == contents(source)
    late = part(source, tmp_path / "late.db", 250, COUNT)
    joined([late, old], tmp_path / "both.db")
    assert contents(tmp_path / "both.db")["events"] == contents(source)["events"]
    with passage(tmp_path / "both.db") as found, passage(late) as other:
        last = other.status.terms[-1]
        if number < 4:
            assert found.status.terms == [Term("e1", 1), Term(last.id, 301)]
        else:
            assert found.status.terms == other.status.terms


def test_nobody_who_was_told_of_a_lost_end_goes_on_from_it(tmp_path: Path) -> None:
    """Two copies went on by themselves and wrote the same, each under terms of its own."""
    source = tmp_path / "log.db"
    stored(source, CHANGES[:100])
    one, other = (part(source, tmp_path / name, 0, 100) for name in ("one.db", "other.db"))
    stored(one, CHANGES[100:200])
    stored(other, CHANGES[100:150])
    stored(other, CHANGES[150:300])
    later = part(other, tmp_path / "later.db", 50, 300)
    joined([one, later], tmp_path / "out.db")
    with passage(tmp_path / "out.db") as out, passage(one) as first, passage(later) as second:
        terms = out.status.terms
        assert [term.first for term in terms] == [1, 101, 201]
        # What `one` told after 200 is not here; what `other` told under its second term is, from 201 on.
        assert reach(terms, first.status.terms[-1].id, head=300) == 200
        assert reach(terms, second.status.terms[-1].id, head=300) == 300
        assert terms[-1] == Term(second.status.terms[-1].id, 201)


def test_a_term_that_comes_back_is_another_one(tmp_path: Path) -> None:
    source = tmp_path / "log.db"
    stored(source, CHANGES[:300])
    one = part(source, tmp_path / "one.db", 0, 200)
    stored(one, CHANGES[200:250])
    joined([one, part(source, tmp_path / "later.db", 50, 300)], tmp_path / "out.db")
    with passage(tmp_path / "out.db") as out, passage(source) as there, passage(one) as here:
        begun, went_on = there.status.terms[0].id, here.status.terms[1].id
        assert out.status.terms == [Term(begun, 1), Term(went_on, 201), Term(f"{begun}.251", 251)]


def changed(path: Path, seq: int, **fields: object) -> None:
    """With the checksum of what is there then."""
    with passage(path) as found:
        events = [event for event in found.events() if event.seq == seq]
    event = Event(seq, msgspec.structs.replace(events[0].change, **fields))
    (row,) = rows.rows([event])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM events WHERE seq = ?", (seq,))
        connection.execute(rows.INSERT, row)


def refused(paths: Sequence[Path]) -> str:
    with pytest.raises(LogMismatchError) as caught, merged(paths) as found:
        list(found.check())
    return str(caught.value)


def test_another_event_under_the_same_number_is_refused(tmp_path: Path) -> None:
    source = whole(tmp_path)
    part(source, tmp_path / "one.db", 0, 300)
    changed(tmp_path / "one.db", 222, version="another")
    said = refused([source, tmp_path / "one.db"])
    assert said.startswith(f"{tmp_path / 'one.db'}: its event 222 is not that of {source} (both of the term ")
    assert said.endswith(
        "one of them is not as it was written); leave one of them out, or cut it before that event"
    )


def test_two_that_went_on_apart_are_refused(tmp_path: Path) -> None:
    source = tmp_path / "log.db"
    stored(source, CHANGES[:100])
    one, other = (part(source, tmp_path / name, 0, 100) for name in ("one.db", "other.db"))
    stored(one, CHANGES[100:200])
    stored(other, list(history(200, step=0.75))[100:])
    assert "its event 101 is not that of" in (said := refused([one, other]))
    assert "one of them lost its end, and went on without it" in said


def test_another_state_at_the_beginning_is_refused(tmp_path: Path) -> None:
    source = whole(tmp_path)
    other = tmp_path / "other.db"
    stored(other, history(COUNT, seed=2))
    late = part(other, tmp_path / "late.db", 200, 300)
    early = part(source, tmp_path / "early.db", 0, 200)
    assert "late.db: its event" in refused([early, late])


def test_a_gap_is_said_with_its_ends(tmp_path: Path) -> None:
    source = whole(tmp_path)
    paths = [part(source, tmp_path / f"{after}.db", after, upto) for after, upto in ((0, 100), (120, 200))]
    assert refused(paths) == (
        f"{paths[1]}: it begins with event 121, and what is before it ends with 100; add the log that has the events"
        " from 101 to 120"
    )


def test_another_history_or_another_cluster_is_refused(tmp_path: Path) -> None:
    source = whole(tmp_path)
    for name, epoch, uid in (("epoch", "e2", "uid-a"), ("cluster", "e1", "uid-b")):
        store = Store(tmp_path / name, epoch=epoch)
        store.commit([Change(CHANGES, {})])
        store.identify(ClusterInfo("other", "v1", uid))
        store.close()
    assert "it is of another history than" in refused([source, tmp_path / "epoch"])
    assert "holds the history of the cluster" in refused([source, tmp_path / "cluster"])


@pytest.mark.parametrize("knows", [0, 1, 2])
def test_a_cluster_and_what_a_creator_left_are_known_if_one_of_them_knows(tmp_path: Path, knows: int) -> None:
    paths = [tmp_path / name for name in "abc"]
    for number, path in enumerate(paths):
        meta = {"x": str(number), f"y{number}": "3"}
        store = Store(path, epoch="e1", meta=meta)
        store.commit([Change(CHANGES[: 300 - 100 * number], {})])
        if number == knows:
            store.identify(ClusterInfo("prod", "v1", "u"))
        store.close()
    with merged(paths) as found:
        assert isinstance(found, Merged)
        assert found.status.cluster == ClusterInfo("prod", "v1", "u")
        told = {key: json.loads(value) for key, value in found.status.meta.items()}
        assert told == {"x": 0, "y0": 3, "y1": 3, "y2": 3}


def test_what_is_told_of_the_cluster_last_is_what_it_is(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in "ab"]
    for path, count, version in zip(paths, (100, 300), ("v1", "v2"), strict=True):
        store = Store(path, epoch="e1")
        store.commit([Change(CHANGES[:count], {})])
        store.identify(ClusterInfo("prod", version, "u"))
        store.close()
    with merged(paths) as found:
        assert found.status.cluster == ClusterInfo("prod", "v2", "u")
