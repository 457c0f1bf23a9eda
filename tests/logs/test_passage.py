"""A span of a log: its state and its events are those of the log, whatever its format and whoever writes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from kstream.core.errors import LogError, LogFormatError, LogTrimmedError
from kstream.core.timeline.events import Event, Kind
from kstream.core.timeline.state import ClusterState
from kstream.core.timeline.terms import Term
from kstream.logs.passage import Passage, passage
from kstream.logs.store import Change, Store
from tests.logs.facts import as_format, history, shown
from tests.logs.files import folded, stored

GOLDEN = Path(__file__).parent / "formats" / "format-4.db"


def at_end(found: Passage) -> ClusterState:
    state = ClusterState()
    start = found.start
    state.load((event.change for event in found.state(start.seq)), seq=start.seq, time=start.time)
    for event in found.events():
        state.apply(event)
    return state


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
@pytest.mark.parametrize(("after", "upto"), [(None, None), (0, 0), (1, 2500), (1203, 2100), (2500, 2500)])
def test_a_span_of_any_format_folds_to_the_state_of_the_log(
    tmp_path: Path, number: int, after: int | None, upto: int | None
) -> None:
    stored(tmp_path / "log.db", history(2500))
    if number < 5:
        as_format(tmp_path / "log.db", number)
    with passage(tmp_path / "log.db", after=after, upto=upto) as found:
        assert shown(at_end(found)) == shown(folded(2500 if upto is None else upto))
        middle = (found.start.seq + found.status.head) // 2
        state = ClusterState()
        state.load((event.change for event in found.state(middle)), seq=middle, time=0.0)
        assert shown(state)[2] == shown(folded(middle))[2]
        assert (found.path, found.status.oldest) == (tmp_path / "log.db", found.start.seq + 1)


def test_what_a_span_leaves_out_at_the_end_nobody_goes_on_from(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    changes = list(history(200))
    stored(path, changes[:100])
    stored(path, changes[100:])
    with passage(path) as whole, passage(path, upto=100) as cut, passage(path, upto=0) as nothing:
        assert [term.first for term in whole.status.terms] == [1, 101]
        assert whole.status.versions == {"pods": "1200"}
        assert (cut.status.terms, cut.status.versions) == (whole.status.terms[:1], {})
        assert nothing.status.terms == [Term("e1", 1)]
        terms = whole.status.terms
    with passage(path, upto=101) as later:
        assert later.status.terms == terms


def test_what_is_written_meanwhile_is_not_seen(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    changes = list(history(2000))
    stored(path, changes[:1500])
    store = Store(path)
    with passage(path) as found:
        events = found.events()
        seen = [next(events)]
        store.commit([Change(changes[1500:], {})])
        store.trim(1400)
        seen += events
    store.close()
    assert seen == [Event(seq, change) for seq, change in enumerate(changes[:1500], 1)]


def test_what_is_not_kept_and_what_is_not_there_yet_is_refused(tmp_path: Path) -> None:
    stored(tmp_path / "log.db", history(100), before=50)
    with pytest.raises(LogTrimmedError), passage(tmp_path / "log.db", after=10):
        pass
    with pytest.raises(LogError, match="not there yet"), passage(tmp_path / "log.db", upto=101):
        pass
    with pytest.raises(LogError, match="there is no such event log"), passage(tmp_path / "none"):
        pass
    (tmp_path / "text").write_text("no log")
    with pytest.raises(LogFormatError), passage(tmp_path / "text"):
        pass


def test_all_nodes_that_there_ever_were_are_named_also_those_of_the_state_at_the_beginning() -> None:
    with passage(GOLDEN) as found:
        assert found.start.seq == 7
        assert found.nodes() == {"n1"}


@pytest.mark.parametrize("after", [None, 100])
@pytest.mark.parametrize("number", [1, 5])
def test_nodes_are_named_whatever_the_format_and_the_span(
    tmp_path: Path, number: int, after: int | None
) -> None:
    changes = list(history(300))
    stored(tmp_path / "log.db", changes)
    if number < 5:
        as_format(tmp_path / "log.db", number)
    with passage(tmp_path / "log.db", after=after) as found:
        assert found.nodes() == {each.key.name for each in changes if each.key.kind is Kind.NODE} != set()
