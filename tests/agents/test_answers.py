"""What an agent is answered: the cause first, within its tokens, with seqs that resolve."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from kstream.agents.answers import Answers
from kstream.agents.reads import INTERVALS, Lived, LogReads
from kstream.core.conditions.condition import Condition
from kstream.core.conditions.intervals import Moment
from kstream.core.errors import InvalidMessageError, UsageError
from kstream.core.insight.budget import DEFAULT, tokens
from kstream.core.timeline.events import Event, Kind
from kstream.core.timeline.reference import Named
from kstream.core.timeline.state import ClusterState
from kstream.logs.memory import MemoryLog
from kstream.logs.searching import Found
from kstream.logs.sqlite import SqliteLog
from tests.core.insight.making import History

INCIDENT = Path(__file__).parents[2] / "fixtures" / "incident.db"


class Played:
    """A history in memory."""

    def __init__(self, history: History, page: str = "") -> None:
        self.page = page
        self._history = history

    async def cluster(self) -> str:
        return "prod"

    async def moment(self, point: str | None, *, end: bool) -> Moment:
        seq = int(point.removeprefix("seq:")) if point else len(self._history.events) if end else 0
        return Moment(seq, 1000.0 + seq)

    async def state(self, seq: int) -> ClusterState:
        state = ClusterState()
        for event in self._history.events[:seq]:
            state.apply(event)
        return state

    async def events(self, after: int, upto: int) -> AsyncIterator[Sequence[Event]]:
        yield self._history.events[after:upto]

    async def history(self, meant: Named | str, after: int, upto: int) -> Lived:
        return await LogReads(await self._log()).history(meant, after, upto)

    async def when(self, condition: Condition, start: Moment, upto: int) -> Found:
        return await LogReads(await self._log()).when(condition, start, upto)

    async def _log(self) -> Any:
        log = MemoryLog()
        await log.append([event.change for event in self._history.events])
        return log


async def test_the_incident_is_told_with_its_cause_first_and_every_seq_is_an_event_of_it() -> None:
    log = await SqliteLog.open_read_only(INCIDENT)
    answers = Answers(LogReads(log, page="http://localhost:3001"))
    told = await answers.what_changed(start="+30s")
    assert tokens(told) <= DEFAULT
    first = [(each["rank"], each["subject"]) for each in told["findings"][:3]]
    assert first == [(1, "node node-5"), (2, "namespace monitoring"), (3, "Deployment shop/broken")]
    for finding in told["findings"]:
        assert finding["page"] == f"http://localhost:3001/?at=seq:{finding['evidence'][0]['seq']}"
        for proof in finding["evidence"]:
            (event,) = await log.read(proof["seq"] - 1, proof["seq"])
            assert event.change.key.name in proof["what"]
    history = await answers.history("node/node-5")
    assert [each["seq"] for each in history["versions"]] == [9, 366, 445]
    assert history["there_before"] is False
    (event,) = await log.read(365, 366)
    assert await answers.history(event.change.key.uid, start="seq:300") != history
    await log.close()


async def test_when_is_told_with_the_events_that_began_and_ended_it() -> None:
    log = await SqliteLog.open_read_only(INCIDENT)
    answers = Answers(LogReads(log, page="http://localhost:3001"))
    told = await answers.when('node.status.startsWith("NotReady")')
    assert {name: told[name] for name in ("found", "objects", "true_before", "still_true")} == {
        "found": 1,
        "objects": 1,
        "true_before": 0,
        "still_true": 0,
    }
    (lost,) = told["intervals"]
    assert (lost["object"], lost["from"]["seq"], lost["until"]["seq"]) == ("node node-5", 366, 445)
    assert lost["page"] == "http://localhost:3001/?at=seq:366"
    (within,) = (await answers.when('node.status == "NotReady"', start="seq:400", end="seq:410"))["intervals"]
    assert (within["from"]["seq"], within["until"], within["true_before"]) == (400, None, True)
    with pytest.raises(InvalidMessageError) as refused:
        await answers.when("pod.age > 3")
    assert "no 'age'" in refused.value.details
    await log.close()


async def test_what_could_not_be_told_and_what_was_not_looked_at_is_said() -> None:
    history = History()
    for number in range(INTERVALS + 5):
        history.pod(f"a-{number}")
    answers = Answers(Played(history))
    every = await answers.when('pod.phase == "Running"')
    assert (every["found"], every["still_true"]) == (INTERVALS, INTERVALS)
    assert every["incomplete"] == "only 1000 were followed to their end: narrow `where`, or the span"
    late = await answers.when('pod.phase == "Running"', start=f"seq:{INTERVALS + 5}")
    assert (late["found"], late["true_before"], late["objects"]) == (INTERVALS + 5,) * 3
    assert "undecided" not in late
    undecided = (await answers.when("size(pod.labels.app) > 3"))["undecided"]
    assert undecided["count"] == 1  # all are alike in what it reads
    assert undecided["why"]


async def test_a_summary_says_how_much_there_is_and_what_is_bad() -> None:
    history = History()
    history.node("n1", "NotReady")
    history.pod("a", "Error")
    told = await Answers(Played(history)).summary()
    assert told["cluster"] == "prod"
    assert told["at"] == {"seq": 2, "time": "1970-01-01T00:16:42.000Z"}
    assert [each["subject"] for each in told["bad"]] == ["node n1", "Deployment shop/web"]
    assert told["counts"]["totalPods"] == 1


async def test_a_state_has_the_worst_first_and_one_object_whole() -> None:
    history = History()
    history.namespace("shop")
    history.node("n1")
    history.node("n2", "NotReady")
    history.pod("a", restarts=2)
    history.pod("b", "Error")
    answers = Answers(Played(history))

    async def rows(**wanted: Any) -> list[Any]:
        told = await answers.state_at(**wanted)
        assert told["number"] == len(told["objects"])
        return list(told["objects"])

    assert [each["name"] for each in await rows()] == ["b", "a"]
    assert (await rows(namespace="shop"))[1] == {
        "namespace": "shop",
        "name": "a",
        "uid": "uid-shop-a",
        "status": "Running",
        "ready": "0/1",
        "restarts": 2,
        "node": "n1",
    }
    assert await rows(namespace="other") == []
    assert [each["name"] for each in await rows(kind="nodes")] == ["n2", "n1"]
    assert await rows(kind="namespace") == [{"name": "shop", "uid": "uid--shop", "status": "Active"}]
    assert [each["containers"][0]["image"] for each in await rows(name="a")] == ["i:1"]
    with pytest.raises(UsageError, match="a kind is one of"):
        await answers.state_at(kind="service")


async def test_a_large_cluster_is_told_in_as_few_tokens() -> None:
    history = History()
    for number in range(3000):
        history.pod(f"pod-with-a-long-name-{number:05}", "CrashLoopBackOff", of=f"workload-{number}")
    answers = Answers(Played(history))
    for told in (
        await answers.summary(),
        await answers.what_changed(),
        await answers.state_at(),
        await answers.when('pod.status == "CrashLoopBackOff"'),
    ):
        assert DEFAULT * 0.8 < tokens(told) <= DEFAULT
        assert "more; ask for more with max_tokens" in told["left_out"]
    assert tokens(await answers.summary(max_tokens=10_000)) > 8000


async def test_of_a_long_history_the_newest_is_told() -> None:
    history = History()
    for restarts in range(500):
        history.pod("a", restarts=restarts)
    told = await Answers(Played(history)).history("pod/shop/a")
    seqs = [each["seq"] for each in told["versions"]]
    assert (seqs[-1], seqs) == (500, sorted(seqs))
    assert "left_out" in told


async def test_what_is_large_in_a_version_is_cut() -> None:
    history = History()
    history.put(Kind.NODE, "n", {"status": "Ready", "labels": {}})
    history.put(Kind.NODE, "n", {"status": "x" * 5000, "labels": {str(each): ["y"] for each in range(40)}})
    (_, version) = (await Answers(Played(history)).history("uid--n"))["versions"]
    assert len(version["changes"]) == 12
    assert version["more_changes"] == 29
    assert len(json.dumps(version)) < 2000


async def test_what_is_not_there_and_spans_that_are_none_are_refused() -> None:
    history = History()
    history.pod("a")
    history.pod("b")
    answers = Answers(Played(history))
    with pytest.raises(UsageError, match="nothing is recorded of 'pod/shop/zzz'"):
        await answers.history("pod/shop/zzz")
    with pytest.raises(UsageError, match="seq:1 is before seq:2"):
        await answers.what_changed(start="seq:2", end="seq:1")
    with pytest.raises(UsageError, match="the end is before seq:3"):
        await answers.history("pod/shop/a", start="seq:3")
