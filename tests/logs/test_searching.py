"""When a condition was true is what a look at every state says, in every kind of log, however it is asked for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kstream.core.conditions import judging
from kstream.core.conditions.condition import Condition
from kstream.core.conditions.dearness import Size
from kstream.core.conditions.intervals import Interval, Moment
from kstream.core.errors import InvalidMessageError
from kstream.core.timeline.events import Event, Kind, Verb, WatchEvent, deleted_body
from kstream.logs import searching
from kstream.logs.memory import MemoryLog
from kstream.logs.places import time_of
from kstream.logs.searching import Found, when, when_all
from kstream.logs.sqlite import SqliteLog
from tests.logs.facts import as_format
from tests.logs.lifetimes import happenings
from tests.making import START, namespace_key, node_key, pod_key

CONDITIONS = [
    'pod.status == "Error"',
    'pod.status == "Error" && pod.namespace == "shop"',
    'pod.status in ["Running", "Error"] && pod.labels["app"] == "web"',
    'pod.labels.app != "web"',
    "size(pod.containers) > 1 || pod.status.startsWith('E')",
    'pod.name == "a"',
    '!("labels" in pod)',
    'node.status == "NotReady"',
    'node.status != "Ready"',
    'namespace.status == "Active"',
]


@st.composite
def stories(draw: st.DrawFn) -> list[WatchEvent]:
    keys = [
        pod_key("a", "shop"),
        pod_key("b", "shop"),
        pod_key("a", "other"),
        node_key("a"),
        namespace_key("shop"),
    ]
    story = []
    for number, key, verb in happenings(draw, keys, most=25):
        status = draw(st.sampled_from(["Running", "Error", "Ready", "NotReady", "Active"]))
        fields: dict[str, Any] = {
            "name": key.name,
            "uid": key.uid,
            "namespace": key.namespace,
            "status": status,
        }
        if draw(st.booleans()):
            fields["labels"] = draw(st.dictionaries(st.just("app"), st.sampled_from(["web", "db"])))
        fields["containers"] = draw(st.lists(st.just({"name": "c"}), max_size=2))
        body = (
            deleted_body(key) if verb is Verb.DELETED else json.dumps(fields, separators=(",", ":")).encode()
        )
        story.append(WatchEvent(verb, key, str(number), START + number, body))
    return story


async def brute(log: MemoryLog, condition: Condition, after: int, upto: int) -> list[tuple[Any, ...]]:
    """By a look at the state after every event: (uid, from seq, until seq, whether earlier)."""
    program = cel.compile(condition.program)
    name = "Namespace" if condition.about is Kind.NAMESPACE else condition.about.value
    open_: dict[str, tuple[int, bool]] = {}
    made: list[tuple[Any, ...]] = []
    for seq in range(after, upto + 1):
        state = await log.state_at(seq)
        true = set()
        for entry in state.entries(condition.about):
            try:
                if program.execute({name: json.loads(entry.body)}):
                    true.add(entry.key.uid)
            except (KeyError, TypeError, ValueError, RuntimeError):
                pass
        made += [(uid, *open_.pop(uid), seq) for uid in set(open_) - true]
        for uid in true - set(open_):
            open_[uid] = seq, seq == after
    made += [(uid, *since, None) for uid, since in open_.items()]
    told = [(uid, since, until, earlier) for uid, since, earlier, until in made]
    return sorted(told, key=lambda each: (each[1], not each[3], each[0]))


def plain(found: Sequence[Interval]) -> list[tuple[Any, ...]]:
    return [(e.key.uid, e.since.seq, e.until.seq if e.until else None, e.earlier) for e in found]


async def asked(
    log: MemoryLog | SqliteLog, condition: Condition, after: int, upto: int, **more: Any
) -> Found:
    start = Moment(after, await time_of(log, after))
    return await when(log, condition, start=start, upto=upto, **{"limit": 1000} | more)


@settings(deadline=None, max_examples=60)
@given(
    story=stories(),
    text=st.sampled_from(CONDITIONS),
    before=st.integers(1, 20),
    ends=st.tuples(st.integers(0, 25), st.integers(0, 25)),
    limit=st.integers(1, 4),
)
async def test_intervals_are_those_of_a_look_at_every_state(
    story: list[WatchEvent], text: str, before: int, ends: tuple[int, int], limit: int
) -> None:
    log, condition = MemoryLog(), Condition.parse(text)
    await log.append(story)
    await log.trim(before)
    after, upto = sorted(min(max(end, log.oldest - 1), log.head) for end in ends)
    wanted = await brute(log, condition, after, upto)
    found = await asked(log, condition, after, upto)
    assert plain(found.intervals) == wanted
    assert (found.cursor, found.more) == (None, 0)
    # A few at a time, by the cursor, are the same.
    page = await asked(log, condition, after, upto, limit=limit)
    told = plain(page.intervals)
    assert page.more == max(0, sum(each[3] for each in wanted) - limit)
    while page.cursor is not None:
        assert len(page.intervals) <= limit
        page = await asked(log, condition, page.cursor, upto, limit=limit, goes_on=True)
        told += plain(page.intervals)
    assert told == [each for number, each in enumerate(wanted) if not each[3] or number < limit]


@pytest.mark.parametrize("number", [0, 1, 5])
@pytest.mark.parametrize("text", CONDITIONS)
async def test_a_file_of_any_format_says_the_same_as_memory(tmp_path: Path, text: str, number: int) -> None:
    path, memory = tmp_path / "log.db", MemoryLog()
    log = await SqliteLog.open(path)
    story: list[WatchEvent] = []
    for number_ in range(1300):
        key = [pod_key(f"p{number_ % 7}", "shop" if number_ % 2 else "other"), node_key("n")][
            number_ % 5 == 0
        ]
        status = ["Running", "Error", "Ready", "NotReady"][number_ * 7 % 11 % 4]
        fields = {
            "name": key.name,
            "uid": key.uid,
            "namespace": key.namespace,
            "status": status,
            "labels": {},
        }
        body = json.dumps(fields, separators=(",", ":")).encode()
        verb = Verb.MODIFIED if any(each.key == key for each in story) else Verb.ADDED
        story.append(WatchEvent(verb, key, str(number_), START + number_, body))
    for each in (log, memory):
        await each.append(story)
    if number:
        await log.close()
        as_format(path, number)
        log = await SqliteLog.open_read_only(path)
    condition = Condition.parse(text)
    for after, upto in ((0, 1300), (500, 1200)):
        found = await asked(log, condition, after, upto)
        assert found.intervals == (await asked(memory, condition, after, upto)).intervals
    await log.close()


async def test_what_cannot_be_told_is_counted_and_said() -> None:
    log = MemoryLog()
    await log.append([WatchEvent(Verb.ADDED, pod_key("a"), "1", START, b'{"name":"a","labels":{}}')])
    found = await asked(log, Condition.parse('pod.labels.app != "web"'), 0, 1)
    assert found.as_json() == {
        "intervals": [],
        "more": 0,
        "undecided": {"count": 1, "why": "there is no 'app'"},
        "cursor": None,
    }


@pytest.fixture
async def busy() -> MemoryLog:
    log = MemoryLog()
    keys = [pod_key(f"p{number}") for number in range(30)]
    await log.append(
        [
            WatchEvent(Verb.ADDED, key, "1", START, b'{"name":"%b","status":"Error"}' % key.name.encode())
            for key in keys
        ]
    )
    return log


async def test_an_answer_that_would_cost_too_much_is_cut_and_gone_on_with(
    busy: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "_AT_ONCE", 10)
    for bound, reached in (("_STEPS", 1), ("_READ", 10)):
        with monkeypatch.context() as patched:
            patched.setattr(searching, bound, -1)
            condition = Condition.parse('pod.name != "p3"')
            page = await asked(busy, condition, 0, 30)
            start = Moment(0, await time_of(busy, 0))
            whole = await when_all(busy, condition, start=start, upto=30, limit=1000)
            some = await when_all(busy, condition, start=start, upto=30, limit=12)
        assert whole == await asked(busy, condition, 0, 30)
        assert (some.intervals, len(some.intervals)) == (whole.intervals[:12], 12)
        count = reached - (reached > 3)
        assert (len(page.intervals), page.as_json()["cursor"]) == (count, f"seq:{reached}")


@pytest.mark.parametrize("after", [0, 30])
async def test_what_is_too_dear_to_judge_is_too_much_from_any_moment_on(
    busy: MemoryLog, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    condition = Condition.parse('pod.name != "p3"')
    monkeypatch.setattr(judging, "_STEPS", 20 * condition.cost.of(Size(1, 0)))
    with pytest.raises(InvalidMessageError) as refused:
        await asked(busy, condition, after, 30)
    assert "it is dear of one object" in refused.value.details


async def test_objects_with_too_many_events_are_too_much(
    busy: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "_OWN", 29)
    with pytest.raises(InvalidMessageError) as refused:
        await asked(busy, Condition.parse('pod.status == "Error"'), 0, 30)
    assert "have 30 events" in refused.value.details


async def test_of_an_object_with_many_versions_no_more_is_read_than_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log, key = MemoryLog(), pod_key("p")
    await log.append(
        [
            WatchEvent(
                Verb.MODIFIED if number else Verb.ADDED,
                key,
                "1",
                START + number,
                b'{"name":"p","status":"%b"}' % (b"Running", b"Error")[number % 2],
            )
            for number in range(100)
        ]
    )
    monkeypatch.setattr(searching, "_AT_ONCE", 10)
    condition, picked = Condition.parse('pod.status == "Error"'), list[int]()
    pick = log.pick

    async def counted(seqs: Sequence[int]) -> Sequence[Event]:
        picked.append(len(seqs))
        return await pick(seqs)

    start = Moment(0, await time_of(log, 0))
    whole = await when(log, condition, start=start, upto=100, limit=1000)
    monkeypatch.setattr(log, "pick", counted)
    some = await when(log, condition, start=start, upto=100, limit=12)
    assert len(whole.intervals) == 50
    assert (some.intervals, some.cursor) == (whole.intervals[:12], 24)
    assert sum(picked) <= 50 + 30  # where it was bad, and where it ended
