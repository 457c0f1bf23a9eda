"""What happened comes out as findings, the cause before what it brought about."""

from __future__ import annotations

from kstream.core.insight.findings import Finding, findings
from kstream.core.timeline.events import Kind
from tests.core.insight.making import History


def told(history: History, after: int = 0) -> list[tuple[str, str]]:
    return [(each.cause, each.subject) for each in findings(history.story(after))]


def only(history: History, cause: str, after: int = 0) -> Finding:
    (found,) = (each for each in findings(history.story(after)) if each.cause == cause)
    return found


def test_a_lost_node_comes_before_its_pods_and_says_how_it_ended() -> None:
    history = History()
    history.node("n1")
    history.node("n2")
    history.pod("a")
    history.node("n1", "NotReady")
    history.pod("a", "Terminating")
    history.pod("b", "Error", node="n2")
    assert told(history, 3)[0] == ("node-lost", "node n1")
    assert only(history, "node-lost", 3).what == "n1 lost: not ready; 1 not back"
    history.node("n1")
    assert only(history, "node-lost", 3).what.endswith("; back later")
    history.put(Kind.NODE, "n1", None)
    lost = only(history, "node-lost", 3)
    assert lost.what.endswith("; 1 removed later")
    assert lost.as_json()["evidence"][0] == {
        "seq": 4,
        "time": "1970-01-01T00:16:44.000Z",
        "what": "node n1: Ready → NotReady",
    }


def test_all_nodes_of_a_zone_that_are_lost_together_are_the_zone() -> None:
    history = History()
    for number in range(6):
        history.node(f"n{number}", zone="a" if number < 3 else "b")
    for number in range(3):
        history.node(f"n{number}", "NotReady", zone="a")
    history.time += 100
    history.node("n4", "NotReady", zone="b")
    found = [each for each in findings(history.story(6)) if each.cause == "node-lost"]
    assert [(each.subject, len(each.proofs)) for each in found] == [("zone a", 3), ("node n4", 1)]


def test_a_node_that_restarts_while_it_is_cordoned_is_drained_and_not_lost() -> None:
    history = History()
    for number in range(7):
        history.node(f"n{number}")
    for number in range(7):
        history.node(f"n{number}", "Ready,SchedulingDisabled")
        history.node(f"n{number}", "NotReady,SchedulingDisabled")
        history.node(f"n{number}")
    assert told(history, 7) == [("drained", "7 nodes")]
    drained = only(history, "drained", 7)
    assert drained.what == "n0, n1, n2, n3, n4 and 2 more cordoned; 7 of them restarted meanwhile"
    assert [each.seq for each in drained.proofs] == [8, 11, 26], "the first, and the last"
    still = History()
    still.node("n0")
    still.node("n0", "Ready,SchedulingDisabled")
    assert only(still, "drained", 1).what == "n0 cordoned"


def test_pressure_explains_evictions_and_without_it_they_are_told() -> None:
    history = History()
    history.node("n1")
    history.pod("a")
    history.node("n1", pressure="MemoryPressure")
    assert only(history, "pressure", 2).what == "n1: MemoryPressure"
    history.pod("a", "Evicted", phase="Failed")
    assert only(history, "pressure", 2).what == "n1: MemoryPressure; 1 pods were evicted"
    assert "evicted" not in dict(told(history, 2))
    alone = History()
    alone.pod("a")
    alone.pod("a", "Evicted", phase="Failed")
    assert ("evicted", "Deployment shop/web") in told(alone, 1)


def test_nodes_come_and_go() -> None:
    history = History()
    history.node("n1")
    history.put(Kind.NODE, "n1", None)
    history.node("n2")
    assert told(history, 1) == [("node-removed", "node n1"), ("node-added", "node n2")]


def test_a_namespace_that_is_deleted_explains_that_its_workloads_go() -> None:
    history = History()
    history.namespace("shop")
    history.pod("a")
    history.pod("b")
    history.namespace("shop", "Terminating")
    assert only(history, "namespace-deleted", 3).what == "is being deleted"
    history.pod_gone("a")
    history.pod_gone("b")
    history.put(Kind.NAMESPACE, "shop", None)
    assert told(history, 3) == [("namespace-deleted", "namespace shop")]
    assert only(history, "namespace-deleted", 3).what == "deleted, with all that was in it"
    history.namespace("shop")
    history.namespace("other")
    assert only(history, "namespace-deleted", 3).what.endswith("; made again")
    assert ("namespace-added", "namespace other") in told(history, 3)
    history.namespace("quiet")
    history.namespace("quiet", "Odd")
    assert ("namespace-deleted", "namespace quiet") not in told(history, len(history.events) - 1)


def test_a_roll_out_whose_pods_fail_is_one_finding_with_the_roll_out_first() -> None:
    history = History()
    history.pod("a")
    history.pod("b", image="i:2")
    history.pod("b", "Error", image="i:2")
    for restarts in range(1, 5):
        history.pod("b", "Running", image="i:2", restarts=restarts)
        history.pod("b", "CrashLoopBackOff", image="i:2", restarts=restarts)
    found = only(history, "rollout-failing", 1)
    assert found.what == "rolled out i:2, and 1 pod failing: CrashLoopBackOff, Error; restarted 4 times"
    assert [each.seq for each in found.proofs] == [2, 3, 5]


def test_a_workload_that_fails_as_a_whole_comes_before_a_pod_that_was_started_again_once() -> None:
    history = History()
    for number in range(8):
        history.pod(f"a{number}", of="large")
        history.pod(f"b{number}", of="cart")
    history.pod("a0", "Error", of="large")
    history.pod("a0", of="large", restarts=1)
    for number in range(8):
        history.pod(f"b{number}", "ImagePullBackOff", of="cart")
    found = [each for each in findings(history.story(16)) if each.cause == "failing"]
    assert [each.subject for each in found] == ["Deployment shop/cart", "Deployment shop/large"]
    assert found[0].score > found[1].score + 20
    assert found[0].what == "8 pods failing: ImagePullBackOff"


def test_what_is_none_the_worse_is_told_after_that() -> None:
    history = History()
    for number in range(4):
        history.pod(f"a{number}", of="web")
        history.pod(f"b{number}", of="cart")
        history.pod(f"c{number}", of="old")
        history.pod(f"d{number}", of="less")
        history.pod(f"e{number}", of="calm")
    start = len(history.events)
    history.pod("a9", of="web", image="i:2")
    for number in range(4, 12):
        history.pod(f"b{number}", "Pending", of="cart", node=None)
    for number in range(4):
        history.pod_gone(f"c{number}")
    for number in range(3):
        history.pod_gone(f"d{number}")
    history.pod("n", of="new")
    history.pod("j", of="nightly", kind="Job")
    history.pod_gone("e0")
    history.pod("e8", of="calm")
    history.pod("x", "Completed", of="ended", kind="Job", phase="Succeeded")
    found = {
        each.subject.partition("/")[2]: (each.cause, each.what) for each in findings(history.story(start))
    }
    assert found == {
        "web": ("rollout", "rolled out i:1 → i:2"),
        "cart": ("scaled", "scaled 4 → 12 pods; 8 of its pods waited for a node"),
        "old": ("removed", "all of its 4 pods are gone"),
        "less": ("scaled", "scaled 4 → 1 pods"),
        "new": ("added", "made, with 1 pods now"),
        "nightly": ("ran", "1 pods made"),
    }


def test_nothing_is_found_where_nothing_happened() -> None:
    history = History()
    history.node("n1")
    history.pod("a")
    history.pod("a", labels={"x": "y"})
    history.pod("b", of="web2", kind="Pod")
    assert told(history, 4) == []
