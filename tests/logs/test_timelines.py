"""The buckets of a timeline are those of a fold of every event, whatever is watched, and in every kind of log."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kstream.core.delivery.filters import EVERYTHING, Filter
from kstream.core.errors import InvalidMessageError
from kstream.core.timeline.buckets import Bucket
from kstream.core.timeline.events import Kind, Verb, WatchEvent, deleted_body
from kstream.core.timeline.state import ClusterState
from kstream.core.timeline.wellness import is_unwell
from kstream.logs import timelines
from kstream.logs.memory import MemoryLog
from kstream.logs.places import seq_at, time_of
from kstream.logs.sqlite import SqliteLog
from kstream.logs.timelines import timeline
from tests.logs.facts import as_format, history
from tests.logs.lifetimes import happenings
from tests.making import START, namespace_key, node_key, pod_key

FILTERS = [
    EVERYTHING,
    Filter.parse(["shop"]),
    Filter.parse(kinds=["pods"]),
    Filter.parse(["shop", "a"], kinds=["pods", "namespaces"]),
    Filter.parse(labels="app=web"),
    Filter.parse(["shop"], labels="app!=web"),
    Filter.parse(kinds=["nodes"]),
]


@st.composite
def stories(draw: st.DrawFn) -> list[WatchEvent]:
    keys = [
        pod_key("a", "shop"),
        pod_key("b", "shop"),
        pod_key("a", "other"),
        node_key("n"),
        namespace_key("shop"),
    ]
    story = []
    time = START
    for number, key, verb in happenings(draw, keys, most=30):
        fields: dict[str, object] = {
            "name": key.name,
            "status": draw(st.sampled_from(["Running", "Error", "Ready", "NotReady"])),
        }
        fields |= {"labels": {"app": draw(st.sampled_from(["web", "db"]))}}
        body = (
            deleted_body(key) if verb is Verb.DELETED else json.dumps(fields, separators=(",", ":")).encode()
        )
        time += draw(st.sampled_from([0.0, 0.5, 3.0]))
        story.append(WatchEvent(verb, key, str(number), time, body))
    return story


def sick(watched: Filter, state: ClusterState) -> int:
    return sum(watched.lets_through(each.key, each.body) and is_unwell(each.body.decode()) for each in state)


async def folded(log: MemoryLog, watched: Filter, buckets: Sequence[Bucket], after: int, upto: int) -> None:
    """Each bucket compared with the states at its ends and the events between."""
    first = after
    for bucket in buckets:
        last = upto if bucket is buckets[-1] else min(upto, max(first, await seq_at(log, bucket.ends)))
        before, now = await log.state_at(first), await log.state_at(last)
        assert bucket.bad == sick(watched, now)
        assert bucket.worse - bucket.better == bucket.bad - sick(watched, before)
        counts: Counter[tuple[Kind, Verb]] = Counter()
        seqs = []
        for event in await log.read(first, last):
            key = event.change.key
            was = {each.key.uid: each.body for each in before.entries(key.kind)}.get(key.uid)
            before.apply(event)
            shown = was is not None and watched.lets_through(key, was)
            shows = event.change.verb is not Verb.DELETED and watched.lets_through(key, event.change.body)
            if shown or shows:
                verb = Verb.MODIFIED if shown and shows else Verb.ADDED if shows else Verb.DELETED
                counts[key.kind, verb] += 1
                seqs.append(event.seq)
        assert {
            (kind, verb): n for kind, verbs in bucket.counts.items() for verb, n in verbs.items()
        } == counts
        assert (bucket.first, bucket.last) == ((seqs[0], seqs[-1]) if seqs else (None, None))
        first = last


@settings(deadline=None)
@given(
    story=stories(),
    count=st.integers(1, 5),
    watched=st.sampled_from(FILTERS),
    before=st.integers(1, 20),
    ends=st.tuples(st.integers(0, 30), st.integers(0, 30)),
)
async def test_buckets_are_those_of_a_fold(
    story: list[WatchEvent], count: int, watched: Filter, before: int, ends: tuple[int, int]
) -> None:
    log = MemoryLog()
    await log.append(story)
    await log.trim(before)
    after, upto = sorted(min(max(end, log.oldest - 1), log.head) for end in ends)
    places = [(seq, await time_of(log, seq)) for seq in (after, upto)]
    made = await timeline(log, watched, places[0], places[1], count)
    assert len(made) == count
    assert (made[0].starts, made[-1].ends) == (places[0][1], places[1][1])
    await folded(log, watched, made, after, upto)


@pytest.mark.parametrize("number", [0, 1, 5])
@pytest.mark.parametrize("watched", FILTERS[:4])
async def test_a_file_of_any_format_says_the_same_as_memory(
    tmp_path: Path, number: int, watched: Filter
) -> None:
    path, memory = tmp_path / "log.db", MemoryLog()
    log = await SqliteLog.open(path)
    for each in (log, memory):
        await each.append(list(history(2600)))
    if number:
        await log.close()
        as_format(path, number)
        log = await SqliteLog.open_read_only(path)
    else:
        for each in (log, memory):
            await each.trim(700)
    for after, upto in ((699, 2600), (1000, 1010), (2600, 2600)):
        places = [(seq, await time_of(memory, seq)) for seq in (after, upto)]
        made = await timeline(log, watched, places[0], places[1], 7)
        assert made == await timeline(memory, watched, places[0], places[1], 7)
    await log.close()


async def test_a_clock_that_went_back_loses_no_event_and_tells_none_twice(tmp_path: Path) -> None:
    story = list(history(1500))
    moved = [
        WatchEvent(c.verb, c.key, c.version, START + (n * 7919 % 1500), c.body) for n, c in enumerate(story)
    ]
    log = await SqliteLog.open(tmp_path / "log.db")
    await log.append(moved)
    made = await timeline(log, EVERYTHING, (0, START), (1500, START + 1500), 40)
    assert sum(n for each in made for verbs in each.counts.values() for n in verbs.values()) == 1500
    seqs = [seq for each in made for seq in (each.first, each.last) if seq is not None]
    assert seqs == sorted(seqs)
    await log.close()


async def test_a_label_is_not_looked_for_among_too_many_events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timelines, "_FOLDED", 9)
    log = MemoryLog()
    await log.append(list(history(10)))
    with pytest.raises(InvalidMessageError) as refused:
        await timeline(log, Filter.parse(labels="app"), (0, START), (10, START), 3)
    assert "narrow `from` and `to`" in refused.value.details
    assert len(await timeline(log, Filter.parse(labels="app"), (1, START), (10, START), 3)) == 3


async def test_what_a_label_selector_lets_through_is_found_where_it_stops_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log, threads = MemoryLog(), list[int]()
    body = b'{"name":"a","status":"Error","labels":{"app":"web"}}'
    await log.append(
        [WatchEvent(Verb.ADDED, pod_key(f"p{number}"), "1", START + number, body) for number in range(30)]
    )

    def unwell(text: str) -> bool:
        threads.append(threading.get_ident())
        return is_unwell(text)

    monkeypatch.setattr(timelines, "_AT_ONCE", 10)
    monkeypatch.setattr(timelines, "is_unwell", unwell)
    watched = Filter.of_query(lambda name: ["app=web"] if name == "labels" else [])
    (found,) = await timeline(log, watched, (10, START + 9), (30, START + 29), 1)
    assert (found.bad, found.worse) == (30, 20)
    assert len(threads) == 30
    assert threading.get_ident() not in threads
