"""Groups and counts that are kept with every change are those that a look at everything finds."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kstream.core.timeline.events import Kind
from kstream.core.timeline.wellness import Badness, badness
from kstream.top.board import NOWHERE, Board, By, NodeRow, Row, Trouble
from tests.top.feeds import event, node, pod

STATUSES = ("Running", "Pending", "Evicted", "Error")
PODS = st.builds(
    lambda name, status, node, space: pod(name, status, node=node, namespace=space),
    st.sampled_from(("web-1", "web-2", "db-1")),
    st.sampled_from(STATUSES),
    st.sampled_from((None, "n1", "n2")),
    st.sampled_from(("shop", "mail")),
)
NODES = st.builds(node, st.sampled_from(("n1", "n2", "n3")), st.sampled_from(("Ready", "NotReady")))
ACTIONS = st.sampled_from(("ADDED", "MODIFIED", "DELETED"))
EVENTS = st.one_of(
    st.builds(event, PODS, ACTIONS),
    st.builds(lambda data, action: event(data, action, kind="node"), NODES, ACTIONS),
)


def board(*data: dict[str, Any], nodes: tuple[dict[str, Any], ...] = ()) -> Board:
    made = Board()
    for kind, objects in ((Kind.NODE, nodes), (Kind.POD, data)):
        for _ in made.put_all(kind, list(objects)):
            pass
    return made


@settings(max_examples=50)
@given(st.lists(EVENTS, max_size=20))
def test_what_is_kept_is_what_a_look_at_everything_finds(events: list[dict[str, Any]]) -> None:
    made, pods, nodes = Board(), dict[str, Any](), dict[str, Any]()
    for each in events:
        made.follow(each)
        held = pods if each["type"] == "pod_event" else nodes
        if each["action"] == "DELETED":
            held.pop(each["data"]["uid"], None)
        else:
            held[each["data"]["uid"]] = each["data"]
    assert {uid: row.status for uid, row in made.pods.items()} == {u: d["status"] for u, d in pods.items()}
    assert made.tones == [sum(badness(data["status"]) is each for data in pods.values()) for each in Badness]
    assert made.ready == sum(data["status"] == "Ready" for data in nodes.values())
    for by in By:
        groups: dict[str, dict[str, Row]] = defaultdict(dict)
        for uid, row in made.pods.items():
            groups[row.group(by)][uid] = row
        if by is By.NODE:
            for data in nodes.values():
                groups[data["name"]]
        assert {name: group.pods for name, group in made.groups[by].items()} == groups
        worst = {name: group.worst for name, group in made.groups[by].items()}
        for name, group in made.groups[by].items():
            assert group.tones == [
                sum(row.badness is each for row in group.pods.values()) for each in Badness
            ]
            if by is By.NODE and name in made.node_named:
                worst[name] = max(worst[name], made.node_named[name].badness)
        assert made.sick[by] == {name: how for name, how in worst.items() if how}
    pods_told = Counter({each.subject: 0 for each in made.troubles()})
    for trouble in made.troubles():
        pods_told[trouble.subject] += trouble.number
    unwell = Counter(row.owner for row in made.pods.values() if row.badness)
    assert {k: n for k, n in pods_told.items() if not k.startswith("node ")} == unwell


def test_the_worst_comes_first_nodes_before_pods_and_many_before_few() -> None:
    made = board(
        pod("a-1", "Pending"),
        pod("b-1", "Error"),
        pod("b-2", "Error"),
        pod("c-1", "CrashLoopBackOff"),
        nodes=(node("n1", "NotReady"), node("n2")),
    )
    assert made.troubles() == [
        Trouble(Badness.FAILING, "node n1", "NotReady", 1, "u-n1", Kind.NODE),
        Trouble(Badness.FAILING, "Deployment shop/b", "Error", 2, "u-b-1", Kind.POD),
        Trouble(Badness.FAILING, "Deployment shop/c", "CrashLoopBackOff", 1, "u-c-1", Kind.POD),
        Trouble(Badness.WAITING, "Deployment shop/a", "Pending", 1, "u-a-1", Kind.POD),
    ]


def test_a_node_says_what_it_is_short_of_and_where_it_is() -> None:
    short = node("n1") | {"conditions": [{"type": "MemoryPressure", "status": "True"}]}
    made = board(nodes=(short, node("n2", zone="")))
    assert made.nodes["u-n1"] == NodeRow("u-n1", "n1", "z1", "Ready, MemoryPressure", True, Badness.PRESSED)
    assert made.nodes["u-n2"].section == "worker"


def test_what_is_told_otherwise_is_shown_as_far_as_it_can_be() -> None:
    strange = {"uid": "u", "name": "x", "phase": "Pending", "containers": 7}
    made = board(strange, nodes=({"uid": "v", "name": "n", "status": "Ready", "labels": []},))
    assert made.pods["u"] == Row("u", "", "x", NOWHERE, "Pod /x", "Pending", Badness.WAITING)
    assert made.nodes["v"].status == "Ready"


def test_it_says_once_what_changed_and_how_it_was() -> None:
    made = board(pod("a-1"), pod("b-1"))
    before = made.pods["u-a-1"]
    assert made.drain() is None  # all of them
    made.follow(event(pod("a-1", "Error")))
    made.follow(event(pod("a-1", "Pending")))
    made.follow(event(pod("b-1")))  # the same again
    made.follow(event(pod("c-1"), "ADDED"))
    assert made.drain() == {"u-a-1": before, "u-c-1": None}
    assert made.drain() == {}


@pytest.mark.parametrize(
    "strange", [{"type": "namespace_event", "data": {}}, {"type": "pod_event", "data": 1}, {}]
)
def test_what_is_no_event_of_a_pod_or_a_node_changes_nothing(strange: dict[str, Any]) -> None:
    made = board(pod("a-1"))
    made.follow(strange)
    made.follow(event({"uid": "unknown"}, "DELETED"))
    made.follow(event({"uid": "unknown"}, "DELETED", kind="node"))
    assert list(made.pods) == ["u-a-1"]


def test_a_node_of_the_same_name_may_come_before_the_old_one_goes() -> None:
    made = board(nodes=(node("n1"),))
    made.follow(event(node("n1", "NotReady") | {"uid": "new"}, "ADDED", kind="node"))
    made.follow(event({"uid": "u-n1", "name": "n1"}, "DELETED", kind="node"))
    assert made.node_named["n1"].uid == "new"
    assert (made.ready, list(made.groups[By.NODE])) == (0, ["n1"])


def test_a_node_that_is_called_otherwise_later_is_that_one() -> None:
    made = board(nodes=(node("n1"),))
    made.follow(event(node("n2") | {"uid": "u-n1"}, kind="node"))
    assert (list(made.groups[By.NODE]), made.ready) == (["n2"], 1)
