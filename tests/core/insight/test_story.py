"""What befell nodes, workloads and namespaces."""

from __future__ import annotations

import pytest

from kstream.core.errors import DivergedError
from kstream.core.insight import story as stories
from kstream.core.insight.story import Proof, Proofs
from kstream.core.insight.subjects import Workload
from tests.core.insight.making import History

WEB = Workload("Deployment", "shop", "web")


def test_each_thing_keeps_the_event_that_shows_it() -> None:
    history = History()
    history.node("n1")
    history.node("n1", "NotReady")
    history.node("n1")
    history.node("n1", "Ready,SchedulingDisabled")
    history.node("n1", "NotReady,SchedulingDisabled")
    history.node("n1", pressure="MemoryPressure")
    history.node("n1", pressure="MemoryPressure")
    history.put(history.events[0].change.key.kind, "n1", None)
    node = history.story().nodes["n1"]
    assert [(proof.seq, cordoned) for proof, cordoned in node.losses] == [(2, False), (5, True)]
    assert [each.seq for each in (node.added, node.cordoned, node.back, node.pressed, node.deleted) if each] == [
        1, 4, 6, 6, 8,
    ]  # fmt: skip
    assert node.pressure == "MemoryPressure"
    assert node.losses[0][0].what == "node n1: Ready → NotReady"


def test_a_node_that_is_made_again_is_there() -> None:
    history = History()
    history.node("n1")
    history.put(history.events[0].change.key.kind, "n1", None)
    history.node("n1")
    assert history.story().nodes["n1"].deleted is None


def test_pods_are_counted_while_they_neither_go_nor_have_ended() -> None:
    history = History()
    history.pod("a")
    history.pod("b", "Completed", phase="Succeeded")
    history.pod("c", image="i:2")
    history.pod("c", "Terminating", image="i:2")
    history.pod_gone("c")
    history.pod("a", "Evicted", phase="Failed")
    web = history.story(after=2).workloads[WEB]
    assert (web.began, web.alive, web.most, web.least) == (1, 0, 2, 0)
    assert [each.seq for each in web.added.first] == [3]
    assert [each.seq for each in web.removed.first] == [4, 6]
    assert [each.seq for each in web.evictions.first] == [6]
    assert [(image, proof.seq if proof else None) for image, proof in web.images] == [
        ("i:1", None),
        ("i:2", 3),
    ]


def test_failures_are_told_by_reason_and_restarts_by_pod() -> None:
    history = History()
    for name in "abcd":
        history.pod(name)
    history.pod("a", "Error")
    history.pod("b", restarts=1)
    history.pod("a", "CrashLoopBackOff", restarts=2)
    history.pod("a", "CrashLoopBackOff", restarts=3)
    history.pod("a", "Running", restarts=4)
    web = history.story().workloads[WEB]
    assert {reason: [each.seq for each in proofs.first] for reason, proofs in web.failures.items()} == {
        "Error": [5],
        "CrashLoopBackOff": [7],
    }
    assert (dict(web.failed), web.failing, web.worst, web.restarts.count) == (
        {"uid-shop-a": 4},
        set(),
        0.25,
        4,
    )


def test_what_a_pod_says_on_a_node_that_is_lost_is_no_failure_of_its_own() -> None:
    history = History()
    history.node("n1")
    history.pod("a")
    history.pod("w", "Pending", node=None)
    history.node("n1", "NotReady")
    history.pod("a", "Unknown")
    web = history.story().workloads[WEB]
    assert web.failures == {}
    assert [each.seq for each in web.waits.first] == [3]


def test_a_namespace_is_made_goes_and_is_gone() -> None:
    history = History()
    history.namespace("a")
    history.namespace("a", "Terminating")
    history.put(history.events[0].change.key.kind, "a", None)
    told = history.story().namespaces["a"]
    assert [each.seq for each in (told.added, told.terminating, told.deleted) if each] == [1, 2, 3]
    history.namespace("b")
    history.namespace("b")
    assert history.story().namespaces["b"].terminating is None


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stories, "_KEPT", 2)
    proofs = Proofs()
    assert not proofs
    for seq in range(5):
        proofs.add(Proof(seq, 0.0, ""))
    assert ([each.seq for each in proofs.first], proofs.last and proofs.last.seq, proofs.count) == (
        [0, 1],
        4,
        5,
    )
    history = History()
    for number in range(50):
        history.pod(str(number), image=f"i:{number}")
    images = [image for image, _ in history.story().workloads[WEB].images]
    assert (len(images), images[-1]) == (21, "i:49")


def test_events_of_another_history_are_refused() -> None:
    history = History()
    history.pod("a")
    story = history.story()
    with pytest.raises(DivergedError):
        story.take(history.events)


def test_what_there_was_before_is_known() -> None:
    history = History()
    history.namespace("shop")
    history.node("n1", zone="a")
    history.node("n2", zone="a")
    for name in "ab":
        history.pod(name)
    history.namespace("shop", "Terminating")
    story = history.story(after=5)
    assert story.zones == {"a": {"n1", "n2"}}
    assert (story.workloads[WEB].began, story.events) == (2, 1)
    assert story.workloads[WEB].images == [("i:1", None)]


def test_what_is_held_back_is_neither_evicted_nor_failing() -> None:
    history = History()
    for number, status in enumerate(("NotReady", "SchedulingGated", "Evicted")):
        history.pod(f"web-{number}")
        history.pod(f"web-{number}", status)
    story = history.story().workloads[WEB]
    assert (story.evictions.count, story.failing) == (1, set())
