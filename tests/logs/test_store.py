"""The writing side of a file: what a commit, an identity and a trim leave in it, and what a failure does not."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from kstream.core.errors import LogBusyError, LogError, LogFormatError, LogMismatchError
from kstream.core.timeline.events import Event, Verb, WatchEvent
from kstream.core.timeline.health import ClusterInfo
from kstream.core.timeline.terms import Term
from kstream.logs import keyframes, reading, rows, schema
from kstream.logs.keyframes import Keyframe, LiveSet
from kstream.logs.store import Change, Store
from tests.logs.facts import history, shown
from tests.making import START, change, pod_key

TERMS = 1000  # that a file keeps


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


def opened(path: Path, **settings: Any) -> Store:
    return Store(path, **{"epoch": None, "meta": {}, "max_bytes": None} | settings)


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    made = opened(path)
    yield made
    made.close()


def fetched(path: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def changed(path: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement, values)


def of(facts: Sequence[WatchEvent], **versions: str) -> Change:
    return Change(facts, versions)


def numbered(facts: Sequence[WatchEvent], after: int = 0) -> list[Event]:
    return [Event(seq, fact) for seq, fact in enumerate(facts, after + 1)]


def free() -> int:
    """The number that the next file to be opened gets: a higher one than before says that something stayed open."""
    descriptor = os.open(os.devnull, os.O_RDONLY)
    os.close(descriptor)
    return descriptor


FACTS = list(history(700))
# Four pods, of which the second is gone by event 6.
FEW = [
    *(change(Verb.ADDED, pod_key(name), time=START + n) for n, name in enumerate("abc", 1)),
    change(Verb.MODIFIED, pod_key("a"), time=START + 4),
    change(Verb.DELETED, pod_key("b"), time=START + 5),
    change(Verb.ADDED, pod_key("d"), time=START + 6),
    change(Verb.MODIFIED, pod_key("c"), time=START + 7),
]


def test_a_new_file_has_a_random_epoch_and_a_term(path: Path, store: Store) -> None:
    assert (len(store.status.epoch), store.status.head, store.status.oldest) == (32, 0, 1)
    (term,) = store.status.terms
    assert (len(term.id), term.first) == (32, 1)
    assert term.id != store.status.epoch
    other = opened(path.with_name("other.db"))
    assert other.status.epoch != store.status.epoch
    other.close()


def test_a_new_file_keeps_the_epoch_and_the_meta_that_it_is_given(path: Path) -> None:
    opened(path, epoch="e1", meta={"scenario": '"calm"'}).close()
    store = opened(path, meta={"scenario": '"wild"'})
    assert (store.status.epoch, store.status.meta) == ("e1", {"scenario": '"calm"'})
    store.close()
    assert fetched(path, "SELECT key, value FROM meta") == [("epoch", '"e1"'), ("scenario", '"calm"')]


@pytest.mark.parametrize("epoch", [None, "e1"])
def test_a_file_of_the_same_epoch_is_opened(path: Path, epoch: str | None) -> None:
    opened(path, epoch="e1").close()
    store = opened(path, epoch=epoch)
    assert store.status.epoch == "e1"
    store.close()


def test_a_file_of_another_epoch_is_refused_and_let_go(path: Path) -> None:
    opened(path, epoch="e1").close()
    before = free()
    with pytest.raises(LogMismatchError) as refused:
        opened(path, epoch="e2")
    assert str(refused.value) == (
        f"{path}: the event log holds another run (epoch e1, not e2); give another file"
    )
    assert free() == before, "while the error is still held"
    assert [each.name for each in path.parent.iterdir()] == ["log.db"]
    opened(path).close()


def test_a_file_that_is_none_is_refused_and_let_go(path: Path) -> None:
    path.write_text("some words")
    before = free()
    with pytest.raises(LogFormatError, match="not an event log"):
        opened(path)
    assert free() == before
    assert [each.name for each in path.parent.iterdir()] == ["log.db"]


def test_a_link_is_locked_where_it_leads_and_named_as_it_was_given(path: Path) -> None:
    link = path.with_name("link.db")
    link.symlink_to(path)
    store = opened(link)
    assert store.path == link
    assert path.with_name("log.db.lock").exists()
    assert not path.with_name("link.db.lock").exists()
    with pytest.raises(LogBusyError):
        opened(path)
    store.close()
    assert not path.with_name("log.db.lock").exists()


def test_whoever_opens_it_begins_a_term_behind_its_head(path: Path) -> None:
    store = opened(path)
    store.commit([of(FEW)])
    first = store.status.terms
    store.close()
    store = opened(path)
    assert store.status.terms[:1] == first
    assert [term.first for term in store.status.terms] == [1, 8]
    assert rows_of_terms(path) == list(store.status.terms)
    store.close()


def rows_of_terms(path: Path) -> list[Term]:
    with closing(sqlite3.connect(path)) as connection:
        return rows.terms(connection)


def test_a_thousand_terms_are_kept_and_the_first_is_forgotten_with_the_next(path: Path) -> None:
    opened(path).close()
    with closing(sqlite3.connect(path)) as connection, connection:
        for number in range(TERMS - 2):
            rows.put_term(connection, Term(f"t{number}", 1))
    for kept in (TERMS, TERMS):
        store = opened(path)
        store.close()
        assert len(store.status.terms) == len(rows_of_terms(path)) == kept
    assert store.status.terms[0].id == "t0"


def test_a_commit_gives_its_events_their_numbers(path: Path, store: Store) -> None:
    assert store.commit([of(FEW[:2], pods="1"), of([]), of(FEW[2:3], pods="2", nodes="5")]) == numbered(
        FEW[:3]
    )
    assert (store.status.head, store.status.oldest) == (3, 1)
    assert store.status.versions == {"pods": "2", "nodes": "5"}
    assert store.commit([of(FEW[3:4], pods="3")]) == numbered(FEW[3:4], 3)
    assert store.commit([of(FEW[4:5])]) == numbered(FEW[4:5], 4)
    assert (store.status.head, store.status.versions) == (5, {"pods": "3", "nodes": "5"})
    assert fetched(path, "SELECT seq, uid, version FROM events") == [
        (event.seq, event.change.key.uid, event.change.version) for event in numbered(FEW[:5])
    ]
    with closing(sqlite3.connect(path)) as connection:
        assert rows.pairs(connection, "versions") == {"pods": "3", "nodes": "5"}


def test_a_large_commit_is_written_whole(path: Path, store: Store) -> None:
    store.commit([of(FACTS)])
    with closing(sqlite3.connect(path)) as connection:
        assert rows.span(connection, 0, len(FACTS)) == numbered(FACTS)


def test_a_commit_reads_nothing(store: Store) -> None:
    store.commit([of(FEW[:1])])
    statements: list[str] = []
    store._connection.set_trace_callback(statements.append)
    store.commit([of(FEW[1:3])])
    store._connection.set_trace_callback(None)
    assert [statement.split()[0] for statement in statements] == ["BEGIN", "INSERT", "INSERT", "COMMIT"]


def test_keyframes_are_written_with_the_events_that_they_follow(path: Path) -> None:
    facts = list(history(2100))
    expected = LiveSet().apply(numbered(facts))
    for sizes in ((2100,), (999, 1, 1000, 100)):
        store, done = opened(path.with_name(f"{len(sizes)}.db")), 0
        for size in sizes:
            store.commit([of(facts[done : done + size])])
            done += size
        store.close()
        with closing(sqlite3.connect(store.path)) as connection:
            assert keyframes.every(connection) == expected
    assert [frame.seq for frame in expected] == [1000, 2000]


def test_a_commit_that_fails_leaves_nothing_behind(path: Path, store: Store) -> None:
    store.commit([of(FEW[:2], pods="1")])
    status = store.status
    no_text: Any = None
    with pytest.raises(LogError, match=r"log\.db: the event log cannot be used \(NOT NULL constraint failed"):
        store.commit([of(FACTS[:10]), of(FEW[2:5], pods="9", nodes=no_text)])
    assert store.status == status
    assert fetched(path, "SELECT max(seq) FROM events") == [(2,)]
    facts = [*FEW, *(change(Verb.MODIFIED, pod_key("a")) for _ in range(1000 - len(FEW)))]
    store.commit([of(facts[2:])])
    (frame,) = LiveSet().apply(numbered(facts))
    with closing(sqlite3.connect(path)) as connection:
        assert keyframes.every(connection) == [frame]
        assert rows.span(connection, 0, 1000) == numbered(facts)
        assert rows.pairs(connection, "versions") == {"pods": "1"}


def test_which_cluster_it_is_of_is_kept(path: Path, store: Store) -> None:
    store.identify(ClusterInfo("prod", "v1.36.0", "uid-a"))
    store.identify(ClusterInfo("prod", "v1.37.0", ""))
    expected = ClusterInfo("prod", "v1.37.0", "uid-a")
    assert store.status.cluster == expected
    with closing(sqlite3.connect(path)) as connection:
        assert reading.status(path, connection).cluster == expected
    with pytest.raises(
        LogMismatchError, match=r"log\.db: the event log holds the history of the cluster prod"
    ):
        store.identify(ClusterInfo("other", "v1.36.0", "uid-b"))
    assert store.status.cluster == expected


def seqs(path: Path, table: str) -> list[int]:
    return [seq for (seq,) in fetched(path, f"SELECT seq FROM {table} ORDER BY seq")]


def state(path: Path, seq: int) -> tuple[object, ...]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        return shown(reading.state_at(connection, seq))


def test_a_trim_moves_what_is_still_alive_and_drops_the_rest(path: Path, store: Store) -> None:
    store.commit([of(FEW)])
    states = {seq: state(path, seq) for seq in range(8)}
    baseline = {2: [1], 3: [1, 2], 6: [3, 4], 7: [3, 4, 6], 8: [4, 6, 7]}
    for before, moved in baseline.items():
        store.trim(before)
        assert (store.status.oldest, store.status.head) == (before, 7)
        assert seqs(path, "events") == list(range(before, 8))
        assert seqs(path, "baseline") == moved
        assert seqs(path, "keyframes") == [before - 1]
        assert {seq: state(path, seq) for seq in range(before - 1, 8)} == {
            seq: states[seq] for seq in range(before - 1, 8)
        }
    with closing(sqlite3.connect(path)) as connection:
        assert keyframes.every(connection) == [Keyframe(7, START + 7, [4, 7, 6])]


@pytest.mark.parametrize("before", [8, 9, 99])
def test_a_trim_of_all_keeps_the_state(path: Path, store: Store, before: int) -> None:
    store.commit([of(FEW)])
    whole = state(path, 7)
    store.trim(before)
    assert (store.status.oldest, store.status.head) == (8, 7)
    assert (seqs(path, "events"), seqs(path, "keyframes"), state(path, 7)) == ([], [7], whole)
    assert store.commit([of(FEW[:1])])[0].seq == 8


@pytest.mark.parametrize("before", [-1, 1, 3, 4])
def test_a_trim_of_what_is_gone_changes_nothing(path: Path, store: Store, before: int) -> None:
    store.commit([of(FEW)])
    store.trim(4)
    version = fetched(path, "PRAGMA data_version")
    statements: list[str] = []
    store._connection.set_trace_callback(statements.append)
    store.trim(before)
    store._connection.set_trace_callback(None)
    assert (store.status.oldest, seqs(path, "events"), statements) == (4, [4, 5, 6, 7], [])
    assert fetched(path, "PRAGMA data_version") == version


def test_a_trim_that_fails_leaves_all_as_it_was(path: Path, store: Store) -> None:
    store.commit([of(FEW)])
    changed(path, "INSERT INTO baseline SELECT * FROM events WHERE seq = 4")
    with pytest.raises(LogError, match="UNIQUE constraint failed"):
        store.trim(6)
    assert (store.status.oldest, seqs(path, "events"), seqs(path, "keyframes")) == (1, list(range(1, 8)), [])
    assert store.commit([of(FEW[:1])])[0].seq == 8
    changed(path, "DELETE FROM baseline")
    store.trim(6)
    assert (store.status.oldest, seqs(path, "baseline")) == (6, [3, 4])


def unused(path: Path) -> int:
    return int(fetched(path, "PRAGMA freelist_count")[0][0])


def test_pages_that_are_not_used_are_given_back_so_many_at_a_time(path: Path, store: Store) -> None:
    store.commit([of(FACTS)])
    assert store.shrink(10) is False
    whole = path.stat().st_size
    store.trim(len(FACTS) + 1)
    pages = unused(path)
    assert pages > 5
    assert store.shrink(pages - 3) is True
    assert unused(path) == 3
    assert store.shrink(2) is True
    assert unused(path) == 1
    assert store.shrink(1) is False
    assert unused(path) == 0
    assert path.stat().st_size <= whole - pages * 8192
    assert store.shrink(10) is False


def test_a_file_that_cannot_give_pages_back_is_not_asked_again(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        schema.migrate(connection)
        rows.put_pairs(connection, "meta", {"epoch": '"e1"'})
    store = opened(path)
    store.commit([of(FACTS)])
    store.trim(len(FACTS) + 1)
    assert unused(path) > 0
    assert store.shrink(10) is False
    store.close()


def test_a_closed_file_has_no_other_beside_it_and_says_so(path: Path) -> None:
    before = free()
    store = opened(path)
    store.commit([of(FEW)])
    assert path.with_name("log.db-wal").exists()
    store.close()
    assert free() == before
    assert [each.name for each in path.parent.iterdir()] == ["log.db"]
    assert fetched(path, "PRAGMA journal_mode") == [("delete",)]
    with pytest.raises(LogError, match="closed database"):
        store.commit([of(FEW)])


def test_a_reader_does_not_keep_it_from_being_closed(path: Path) -> None:
    store = opened(path)
    store.commit([of(FEW)])
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT max(seq) FROM events").fetchone()
        store.close()
        assert not path.with_name("log.db.lock").exists()
    opened(path).close()


@pytest.mark.parametrize(
    ("befall", "says"),
    [
        (lambda path: path.unlink(), "No such file"),
        (lambda path: path.rename(path.with_name("elsewhere.db")), "No such file"),
        (
            lambda path: shutil.copy(path, path.with_name("c")) and path.with_name("c").replace(path),
            "another file",
        ),
    ],
    ids=["deleted", "moved", "replaced"],
)
def test_a_log_that_is_not_where_it_was_takes_nothing_more(
    tmp_path: Path, befall: Callable[[Path], object], says: str
) -> None:
    path = tmp_path / "log.db"
    store = opened(path)
    store.commit([Change([change(Verb.ADDED, pod_key("a"))], {})])
    befall(path)
    with pytest.raises(
        LogError, match=f"was moved, replaced or deleted while it was written .{says}.*start it again"
    ):
        store.commit([Change([change(Verb.ADDED, pod_key("b"))], {})])
    store.close()
