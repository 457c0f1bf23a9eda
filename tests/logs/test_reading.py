"""Reading a file: what is true of it as a whole, its states wherever they are kept, and what is damaged in it."""

from __future__ import annotations

import gc
import json
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import cache
from pathlib import Path

import pytest

from kstream.core.errors import LogFormatError, LogTrimmedError
from kstream.core.timeline.events import Event
from kstream.core.timeline.health import ClusterInfo
from kstream.core.timeline.retention import Holding
from kstream.core.timeline.state import ClusterState
from kstream.core.timeline.terms import Term
from kstream.logs import keyframes, reading
from kstream.logs.keyframes import LiveSet
from kstream.logs.store import Change, Store
from tests.logs.facts import as_format, history, shown

COUNT = 400
CHANGES = list(history(COUNT))
EVENTS = [Event(seq, change) for seq, change in enumerate(CHANGES, 1)]


def folded(seq: int) -> ClusterState:
    state = ClusterState()
    for event in EVENTS[:seq]:
        state.apply(event)
    return state


def live(seq: int) -> keyframes.Keyframe:
    found = LiveSet()
    found.apply(EVENTS[:seq])
    return found.keyframe()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None)) as made:
        yield made


def written(path: Path, count: int = COUNT, *, before: int = 1) -> None:
    path.write_bytes(_content(count, before))


@cache
def _content(count: int, before: int) -> bytes:
    """Written once: most of the time here goes into it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "log.db")
        store = Store(path, epoch="e1", meta={"scenario": '"calm"'}, max_bytes=None)
        store.commit([Change(CHANGES[:count], {"pods": "7"})])
        store.trim(before)
        store.close()
        return path.read_bytes()


def test_what_is_true_of_a_whole_file(path: Path, connection: sqlite3.Connection) -> None:
    written(path)
    store = Store(path, epoch=None, meta={}, max_bytes=None)
    store.identify(ClusterInfo("prod", "v1.36.0", "uid-a"))
    store.trim(3)
    store.close()
    found = reading.status(path, connection)
    assert found == reading.Status(
        epoch="e1",
        terms=found.terms,
        head=COUNT,
        oldest=3,
        cluster=ClusterInfo("prod", "v1.36.0", "uid-a"),
        versions={"pods": "7"},
        meta={"scenario": '"calm"'},
    )
    assert [term.first for term in found.terms] == [1, COUNT + 1]
    assert not connection.in_transaction


def test_a_file_without_events_begins_with_the_first(path: Path, connection: sqlite3.Connection) -> None:
    written(path, 0)
    found = reading.status(path, connection)
    assert (found.head, found.oldest, found.cluster) == (0, 1, None)


def test_a_file_of_which_all_was_dropped_still_ends_where_it_did(
    path: Path, connection: sqlite3.Connection
) -> None:
    written(path, before=COUNT + 1)
    found = reading.status(path, connection)
    assert (found.head, found.oldest) == (COUNT, COUNT + 1)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_an_older_file_has_the_term_of_its_epoch(
    path: Path, connection: sqlite3.Connection, number: int
) -> None:
    written(path)
    as_format(path, number)
    found = reading.status(path, connection)
    assert (found.terms, found.head, found.oldest) == ([Term("e1", 1)], COUNT, 1)


def test_a_file_of_format_4_has_the_terms_that_are_in_it(path: Path, connection: sqlite3.Connection) -> None:
    written(path)
    terms = reading.status(path, connection).terms
    as_format(path, 4)
    assert reading.status(path, connection).terms == terms
    assert terms[0].id != "e1"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("DELETE FROM meta WHERE key = 'epoch'", "says no 'epoch'"),
        ("UPDATE meta SET value = 'e1' WHERE key = 'epoch'", "says no Expecting value"),
        ("INSERT INTO meta VALUES ('cluster', '{\"named\": 1}')", "says no ClusterInfo.__new__"),
    ],
)
def test_a_file_that_does_not_say_whose_it_is_is_damaged(
    path: Path, connection: sqlite3.Connection, change: str, says: str
) -> None:
    written(path, 1)
    as_format(path, 2)  # which had no checksums
    connection.execute(change)
    with pytest.raises(LogFormatError, match=f"log.db: the event log is damaged: its table `meta` {says}"):
        reading.status(path, connection)


def used(connection: sqlite3.Connection, *, least_unused: int = 0) -> int:
    pages, unused, page = (
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_count", "freelist_count", "page_size")
    )
    assert unused >= least_unused
    return int(page * pages - page * unused)


@pytest.mark.parametrize(("before", "objects"), [(1, 0), (2, 1), (301, len(folded(300)))])
def test_what_a_file_holds(path: Path, connection: sqlite3.Connection, before: int, objects: int) -> None:
    written(path, before=before)
    size = used(connection, least_unused=2 if before > 300 else 0)
    assert reading.holding(connection) == Holding(before, COUNT, objects, objects, size)


def test_of_the_objects_it_says_how_many_there_were_at_the_last_keyframe(
    path: Path, connection: sqlite3.Connection
) -> None:
    written(path, before=3)
    keyframes.insert(connection, [live(4), live(300)])
    objects, moved = len(folded(300)), len(folded(2))
    assert len({objects, moved, len(folded(4)), len(folded(1))}) == 4
    assert reading.holding(connection) == Holding(3, COUNT, objects, moved, used(connection))


@pytest.mark.parametrize("count", [0, COUNT])
def test_what_a_file_without_events_holds(path: Path, connection: sqlite3.Connection, count: int) -> None:
    written(path, count, before=count + 1)
    objects = len(folded(count))
    assert reading.holding(connection) == Holding(count + 1, count, objects, objects, used(connection))


@pytest.mark.parametrize("seq", [250, 251, 300, COUNT])
@pytest.mark.parametrize("number", [2, 3, 4, 5])
def test_a_state_is_made_of_what_was_kept_before_and_what_came_after(
    path: Path, connection: sqlite3.Connection, seq: int, number: int
) -> None:
    written(path, before=251)
    if number < 5:
        as_format(path, number)
    assert shown(reading.state_at(connection, seq)) == shown(folded(seq))
    assert reading.live_at(connection, seq).keyframe() == live(seq)
    assert reading.span(connection, seq - 1 if seq > 250 else seq, seq) == EVENTS[max(seq - 1, 250) : seq]


@pytest.mark.parametrize("seq", [0, 1, COUNT])
def test_a_file_of_the_first_format_has_no_keyframes_and_needs_none(
    path: Path, connection: sqlite3.Connection, seq: int
) -> None:
    written(path)
    as_format(path, 1)
    assert shown(reading.state_at(connection, seq)) == shown(folded(seq))
    assert reading.span(connection, 0, seq) == EVENTS[:seq]


def test_a_file_without_events_has_the_state_of_nothing(path: Path, connection: sqlite3.Connection) -> None:
    written(path, 0)
    assert shown(reading.state_at(connection, 0)) == shown(ClusterState())
    assert reading.span(connection, 0, 0) == []
    assert reading.live_at(connection, 0).keyframe() == (0, 0.0, [])


def test_a_keyframe_may_refer_to_the_first_event_that_is_kept(
    path: Path, connection: sqlite3.Connection
) -> None:
    (first,) = live(2).refs[-1:]
    written(path, before=first)
    keyframes.insert(connection, [live(2)])
    assert shown(reading.state_at(connection, 2)) == shown(folded(2))
    assert reading.live_at(connection, 2).keyframe() == live(2)


@pytest.mark.parametrize("before", [251, COUNT + 1])
@pytest.mark.parametrize("missing", [1, 2, 100])
def test_what_was_dropped_is_told_as_dropped(
    path: Path, connection: sqlite3.Connection, before: int, missing: int
) -> None:
    written(path, before=before)
    says = f"event {before - missing} is no longer kept: the event log begins at {before}"
    for look in (
        lambda: reading.span(connection, before - missing - 1, before),
        lambda: reading.state_at(connection, before - missing - 1),
    ):
        with pytest.raises(LogTrimmedError, match=says):
            look()
        assert not connection.in_transaction


@pytest.mark.parametrize("first", [2, 3, 9])
def test_a_beginning_that_retention_did_not_drop_is_missing(
    path: Path, connection: sqlite3.Connection, first: int
) -> None:
    written(path)
    keyframes.insert(connection, [live(first + 1), live(first - 2)])
    connection.execute("DELETE FROM events WHERE seq < ?", (first,))
    with pytest.raises(LogFormatError, match=f"of the events 1 to 20 only {21 - first} are there"):
        reading.span(connection, 0, 20)


@pytest.mark.parametrize("place", [0, 1, -1])
@pytest.mark.parametrize("table", ["baseline", "events"])
def test_an_event_that_a_keyframe_needs_and_is_missing_is_damage(
    path: Path, connection: sqlite3.Connection, place: int, table: str
) -> None:
    written(path, before=251 if table == "baseline" else 1)
    keyframes.insert(connection, [live(250)])
    ref = live(250).refs[place]
    connection.execute(f"DELETE FROM {table} WHERE seq = ?", (ref,))
    for look in (reading.state_at, reading.live_at):
        with pytest.raises(LogFormatError, match=f"event {ref}, which a keyframe needs, is missing"):
            look(connection, 250)


def test_a_history_that_does_not_fold_is_damage(path: Path, connection: sqlite3.Connection) -> None:
    written(path)
    keyframes.insert(connection, [live(200)._replace(seq=199)])
    with pytest.raises(LogFormatError, match="the event log is damaged: Event 200 is DELETED of the pod"):
        reading.state_at(connection, 300)


def test_a_keyframe_of_a_kind_that_there_is_not_is_damage(path: Path, connection: sqlite3.Connection) -> None:
    written(path, before=251)
    connection.execute("UPDATE baseline SET kind = 'service'")
    with pytest.raises(LogFormatError, match="the event log is damaged: 'service' is not a valid Kind"):
        reading.live_at(connection, 300)


def traced(connection: sqlite3.Connection, look: Callable[[], object]) -> list[tuple[str, bool]]:
    """The statements, and whether garbage was collected meanwhile."""
    statements: list[tuple[str, bool]] = []
    connection.set_trace_callback(lambda statement: statements.append((statement, gc.isenabled())))
    try:
        look()
    finally:
        connection.set_trace_callback(None)
    return statements


def test_all_that_is_read_together_is_of_one_moment(path: Path, connection: sqlite3.Connection) -> None:
    written(path, before=251)
    for look in (
        lambda: reading.status(path, connection),
        lambda: reading.holding(connection),
        lambda: reading.state_at(connection, 300),
        lambda: reading.live_at(connection, 300),
        lambda: reading.span(connection, 260, 300),
    ):
        statements = [statement for statement, _ in traced(connection, look)]
        assert (statements[0], statements[-1]) == ("BEGIN", "COMMIT")
        assert len(statements) > 3
        assert not {"BEGIN", "COMMIT"} & set(statements[1:-1])


def test_what_is_read_in_a_transaction_leaves_it_open(path: Path, connection: sqlite3.Connection) -> None:
    written(path)
    connection.execute("BEGIN")
    statements = [statement for statement, _ in traced(connection, lambda: reading.live_at(connection, 300))]
    assert "BEGIN" not in statements
    assert connection.in_transaction
    connection.execute("ROLLBACK")


def test_garbage_is_not_collected_while_a_state_grows_and_is_again_afterwards(
    path: Path, connection: sqlite3.Connection
) -> None:
    written(path, before=251)
    assert gc.isenabled()
    collected = dict(traced(connection, lambda: reading.state_at(connection, 300)))
    assert [statement for statement, enabled in collected.items() if enabled] == ["BEGIN", "COMMIT"]
    with pytest.raises(LogTrimmedError):
        reading.state_at(connection, 100)
    assert gc.isenabled()


def test_where_garbage_is_not_collected_anyway_it_stays_so(
    path: Path, connection: sqlite3.Connection
) -> None:
    written(path)
    gc.disable()
    try:
        state = reading.state_at(connection, 300)
        assert not gc.isenabled()
    finally:
        gc.enable()
    assert shown(state) == shown(folded(300))


def test_the_meta_of_a_file_is_json_as_it_was_given(path: Path, connection: sqlite3.Connection) -> None:
    written(path)
    found = reading.status(path, connection)
    assert json.loads(found.meta["scenario"]) == "calm"
    assert set(found.meta) == {"scenario"}
