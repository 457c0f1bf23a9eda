"""The store: every version that is not compacted can be read again."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kstream.core.timeline.events import Kind, Verb
from simulator.apiserver.store import CompactedError, Entry, FutureError
from tests.simulator.apiserver.making import Writer

NAMES = ("a", "b", "c", "d")
WRITES = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(("shop", "ads")), st.booleans()), max_size=30
)


def _write(writer: Writer, name: str, namespace: str, delete: bool) -> int:
    there = writer.store.get(Kind.POD, namespace, name) is not None
    verb = Verb.DELETED if there and delete else Verb.MODIFIED if there else Verb.ADDED
    return writer.pod(name, namespace=namespace, verb=verb)


@given(writes=WRITES, compact=st.integers(0, 30))
@settings(max_examples=150, deadline=None)
def test_a_snapshot_of_any_version_is_the_state_after_that_write(
    writes: list[tuple[str, str, bool]], compact: int
) -> None:
    writer = Writer()
    states: dict[int, dict[str, Entry]] = {0: {}}
    for name, namespace, delete in writes:
        version = _write(writer, name, namespace, delete)
        snapshot = writer.store.snapshot(Kind.POD)
        states[version] = dict(zip(snapshot.keys, snapshot.entries, strict=True))
    writer.store.compact(compact)
    for version, state in states.items():
        if version < writer.store.compacted:
            with pytest.raises(CompactedError):
                writer.store.snapshot(Kind.POD, version)
            continue
        snapshot = writer.store.snapshot(Kind.POD, version)
        assert dict(zip(snapshot.keys, snapshot.entries, strict=True)) == state
        assert list(snapshot.keys) == sorted(snapshot.keys)
        assert snapshot.version == version


@given(writes=WRITES, start=st.integers(0, 30))
@settings(max_examples=100, deadline=None)
def test_the_writes_after_a_version_lead_from_its_snapshot_to_the_newest(
    writes: list[tuple[str, str, bool]], start: int
) -> None:
    writer = Writer()
    for name, namespace, delete in writes:
        _write(writer, name, namespace, delete)
    store = writer.store
    start = min(start, store.version)
    before = store.snapshot(Kind.POD, start)
    state = dict(zip(before.keys, before.entries, strict=True))
    for record in store.read(Kind.POD, store.position(Kind.POD, start)):
        assert record.previous == state.get(record.entry.key)
        if record.verb is Verb.DELETED:
            del state[record.entry.key]
        else:
            state[record.entry.key] = record.entry
    now = store.snapshot(Kind.POD)
    assert state == dict(zip(now.keys, now.entries, strict=True))


def test_keys_are_in_the_order_of_a_real_server_which_compares_bytes() -> None:
    writer = Writer()
    for namespace in ("team", "team-b", "team0", "tea"):
        writer.pod("x", namespace=namespace)
    snapshot = writer.store.snapshot(Kind.POD)
    assert list(snapshot.keys) == ["tea/x", "team-b/x", "team/x", "team0/x"]
    first, last = snapshot.span("team")
    assert list(snapshot.keys[first:last]) == ["team/x"]


def test_a_write_that_is_not_newer_is_refused() -> None:
    writer = Writer()
    writer.store.advance(1)
    with pytest.raises(ValueError, match="is not newer than 1"):
        writer.pod("a")


def test_what_is_not_there_cannot_be_deleted() -> None:
    with pytest.raises(ValueError, match="it is not there"):
        Writer().pod("a", verb=Verb.DELETED)


def test_compaction_by_age_forgets_what_was_written_before_and_keeps_the_state() -> None:
    writer = Writer()
    writer.pod("old", time=10)
    kept = writer.pod("new", time=20)
    writer.store.compact_before(15)
    assert writer.store.compacted == kept - 1
    assert list(writer.store.snapshot(Kind.POD).keys) == ["shop/new", "shop/old"]
    with pytest.raises(CompactedError):
        writer.store.position(Kind.POD, 0)
    with pytest.raises(FutureError):
        writer.store.snapshot(Kind.POD, 99)


def test_history_that_begins_anew_has_versions_above_all_before_and_nobody_goes_on_from_those() -> None:
    writer = Writer()
    writer.pod("a")
    last = writer.pod("b")
    anew = writer.store.begun_anew()
    assert (anew.version, anew.compacted, anew.writes) == (1_000_000_000, 1_000_000_000, writer.store.writes)
    with pytest.raises(CompactedError):
        anew.position(Kind.POD, last)
    again = Writer()
    again.store = anew
    assert again.pod("a") == 1
    (entry,) = anew.snapshot(Kind.POD).entries
    assert entry.version == anew.version == 1_000_000_001
    assert json.loads(entry.body)["metadata"]["resourceVersion"] == "1000000001"
    anew.advance(7)
    assert (anew.version, anew.begun_anew().version) == (1_000_000_007, 2_000_000_000)


def test_a_listener_hears_every_write_until_it_leaves() -> None:
    writer, heard = Writer(), []
    leave = writer.store.listen(lambda: heard.append(writer.store.version))
    writer.pod("a")
    leave()
    writer.pod("b")
    assert heard == [1]


def test_a_copy_that_is_put_back_is_what_was_then_and_gives_its_versions_once_more() -> None:
    writer = Writer()
    for time, name in enumerate(("kept", "gone", "late")):
        writer.pod(name, time=float(time))
    writer.pod("kept", verb=Verb.DELETED, time=3.0)
    copy = writer.store.restored(1.5)
    snapshot = copy.snapshot(Kind.POD)
    assert (snapshot.keys, snapshot.version, copy.writes) == (["shop/gone", "shop/kept"], 2, 4)
    with pytest.raises(CompactedError):
        copy.position(Kind.POD, 1)

    after = Writer(writer.store)
    after.store = copy
    assert after.pod("late", verb=Verb.MODIFIED) == 5, "as the cluster counts"
    assert [(record.verb, record.version) for record in copy.read(Kind.POD, 0)] == [(Verb.ADDED, 3)]
    assert b'"resourceVersion":"3"' in copy.snapshot(Kind.POD).entries[-1].body
    after.pod("never", verb=Verb.DELETED)
    assert (copy.version, copy.count(Kind.POD)) == (4, 3)


def test_a_copy_is_as_old_as_history_goes() -> None:
    writer = Writer()
    for time, name in enumerate(("a", "b", "c")):
        writer.pod(name, time=float(time))
    writer.store.compact(2)
    assert writer.store.restored(-100.0).snapshot(Kind.POD).keys == ["shop/a", "shop/b"]
    assert writer.store.restored(100.0).version == 3
    twice = writer.store.restored(1.0).restored(1.0)
    later = Writer(writer.store)
    later.store = twice
    later.pod("d")
    assert twice.version == 3
