"""Each action of the vocabulary, and what is seen of it."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from kstream.core.errors import InvalidMessageError
from kstream.core.timeline.events import Kind
from simulator.story.actions import action_names, parse_action
from simulator.story.director import Director
from tests.simulator.telling import GONE, Teller, scenario_of

SCENARIO = scenario_of(
    """
cluster: {nodes: 5, control_planes: 1}
churn: 0
workloads:
  - {namespace: shop, name: web, replicas: 4, toleration: 20}
  - {kind: StatefulSet, namespace: shop, name: db, replicas: 3}
  - {kind: DaemonSet, namespace: monitoring, name: agent}
"""
)


@pytest.fixture
def teller() -> Teller:
    return Teller(SCENARIO)


def ready(teller: Teller, namespace: str, name: str) -> int:
    pods = teller.simulation.cluster.pods.values()
    return sum(p.ready and p.namespace == namespace and p.name.startswith(name + "-") for p in pods)


def test_every_action_is_carried_out_by_somebody() -> None:
    for name in action_names():
        assert callable(getattr(Director, "_do_" + name.replace("-", "_")))


def test_the_cluster_starts_as_if_it_had_been_running(teller: Teller) -> None:
    assert {t.statuses[0] for t in teller.objects.values() if t.kind is Kind.POD} == {"Running"}
    assert {t.statuses[0] for t in teller.objects.values() if t.kind is Kind.NODE} == {"Ready"}
    names = sorted(t.name for t in teller.objects.values() if t.kind is Kind.NODE)
    assert names == ["control-plane-1", "node-1", "node-2", "node-3", "node-4"]


def test_a_killed_node_is_lost_tainted_and_comes_back(teller: Teller) -> None:
    node = teller.simulation.cluster.nodes["node-1"]
    teller.do(10, do="kill-node", target="node-1")
    teller.run(49)
    assert teller.node("node-1") == ["Ready"], "nobody knows yet"
    teller.run(56)
    assert teller.node("node-1") == ["Ready", "NotReady"]
    assert ("node.kubernetes.io/unreachable", "NoExecute") in node.taints
    teller.do(90, do="revive-node", target="node-1")
    teller.run(120)
    assert teller.node("node-1") == ["Ready", "NotReady", "Ready"]
    assert not node.taints
    assert ready(teller, "shop", "web") == 4


def test_pods_of_a_lost_node_stay_terminating_until_it_is_back(teller: Teller) -> None:
    lost = [p.name for p in teller.simulation.cluster.nodes["node-1"].pods.values() if p.owner.name != "db"]
    teller.do(10, do="kill-node", target="node-1")
    teller.run(100)
    web = [t for t in teller.pods("shop", "web-") if t.name in lost]
    assert web
    assert all(t.statuses[-1] == "Terminating" for t in web)
    assert ready(teller, "shop", "web") == 4, "their replacements run elsewhere"
    teller.do(100, do="revive-node", target="node-1")
    teller.run(110)
    assert all(t.statuses[-1] == GONE for t in web)


def test_a_node_that_says_it_is_not_ready_is_not_ready_at_once(teller: Teller) -> None:
    teller.do(10, do="fail-node", target="node-2")
    assert not teller.simulation.cluster.nodes["node-2"].ready
    before = ready(teller, "shop", "web") + ready(teller, "shop", "db")
    teller.do(20, do="revive-node", target="node-2")
    teller.run(30)
    assert teller.node("node-2") == ["Ready", "NotReady", "Ready"]
    assert before < 7, "its pods count as not ready meanwhile"
    assert ready(teller, "shop", "web") + ready(teller, "shop", "db") == 7


def test_a_probe_that_fails_makes_pods_unready_until_it_is_healed(teller: Teller) -> None:
    teller.do(10, do="break", target="shop/web", fault={"kind": "unready"})
    teller.run(40)
    assert ready(teller, "shop", "web") == 0
    assert {t.statuses[-1] for t in teller.pods("shop", "web-")} == {"Running"}
    teller.do(40, do="heal", target="shop/web")
    teller.run(50)
    assert ready(teller, "shop", "web") == 4


def test_a_node_under_pressure_evicts_until_it_is_relieved(teller: Teller) -> None:
    teller.do(10, do="press-node", target="node-1")
    teller.run(30)
    evicted = [t for t in teller.objects.values() if t.statuses[-1] == "Evicted"]
    assert evicted
    assert not any(t.name.startswith(("agent-", "kube-proxy-")) for t in evicted), "daemons are left alone"
    teller.do(30, do="relieve-node", target="node-1")
    teller.run(120)
    assert teller.simulation.cluster.nodes["node-1"].taints == {}
    assert ready(teller, "shop", "web") == 4


def test_a_removed_node_leaves_pods_that_fail_a_minute_later(teller: Teller) -> None:
    there = {p.uid for p in teller.simulation.cluster.nodes["node-1"].pods.values()}
    teller.do(10, do="remove-node", target="node-1")
    teller.run(45)
    assert {teller.objects[uid].statuses[-1] for uid in there} == {"Running"}
    teller.run(75)
    assert {tuple(teller.objects[uid].statuses[-2:]) for uid in there} == {("Failed", GONE)}


def test_a_drain_leaves_only_daemons(teller: Teller) -> None:
    teller.do(10, do="drain", target="node-1")
    teller.run(60)
    node = teller.simulation.cluster.nodes["node-1"]
    assert {p.owner.kind for p in node.pods.values()} == {"DaemonSet"}
    assert teller.node("node-1") == ["Ready", "Ready,SchedulingDisabled"]
    teller.do(60, do="uncordon", target="node-1")
    assert teller.node("node-1")[-1] == "Ready,SchedulingDisabled", "heard at the next look"
    teller.run(61)
    assert teller.node("node-1")[-1] == "Ready"


def test_an_upgrade_takes_the_nodes_one_after_another(teller: Teller) -> None:
    teller.do(10, do="upgrade-nodes", version="v1.37.0", reboot="20s")
    versions = set()
    for now in range(10, 400, 2):
        teller.run(now)
        nodes = teller.simulation.cluster.nodes.values()
        assert sum(node.cordoned for node in nodes) <= 1
        versions = {node.kubelet for node in nodes if node.name.startswith("node-")}
    assert versions == {"v1.37.0"}
    assert ready(teller, "shop", "web") == 4


def test_new_nodes_join_and_get_daemons(teller: Teller) -> None:
    teller.do(10, do="add-nodes", count=2)
    teller.run(60)
    assert teller.node("node-6") == ["NotReady", "Ready"]
    assert ready(teller, "monitoring", "agent") == 7


def test_a_rollout_never_has_fewer_available_than_it_may(teller: Teller) -> None:
    teller.do(10, do="roll-out", target="shop/web", image="nginx:2")
    for tenth in range(100, 400):
        teller.run(tenth / 10)
        assert ready(teller, "shop", "web") >= 3, "25 % of 4 may be missing"
        alive = [p for p in teller.simulation.cluster.pods.values() if p.owner.kind == "ReplicaSet"]
        assert sum(p.namespace == "shop" and p.deletion is None for p in alive) <= 5
    images = {c["image"] for c in containers(teller)}
    assert images == {"nginx:2"}


def containers(teller: Teller) -> list[dict[str, str]]:
    return [
        container
        for change in teller.simulation.cluster.snapshot()
        if change.kind is Kind.POD and change.object["metadata"]["name"].startswith("web-")
        for container in change.object["spec"]["containers"]
    ]


def test_a_rollout_that_crashes_stops_half_way_and_is_rolled_back(teller: Teller) -> None:
    before = {p.uid for p in teller.simulation.cluster.pods.values() if p.name.startswith("web-")}
    teller.do(10, do="roll-out", target="shop/web", image="bad", fault={"kind": "crash", "after": 0.5})
    teller.run(200)
    assert ready(teller, "shop", "web") >= 3
    looping = [t for t in teller.pods("shop", "web-") if "CrashLoopBackOff" in t.statuses]
    assert looping
    teller.do(200, do="roll-back", target="shop/web")
    teller.run(260)
    after = {p.uid for p in teller.simulation.cluster.pods.values() if p.name.startswith("web-")}
    assert len(before & after) == 3, "the old pods that were spared are still there"
    assert ready(teller, "shop", "web") == 4
    with pytest.raises(InvalidMessageError, match="cannot be rolled back"):
        Teller(SCENARIO).do(1, do="roll-back", target="shop/web")


def test_a_stateful_set_goes_from_the_last_to_the_first_and_keeps_names(teller: Teller) -> None:
    teller.do(10, do="restart", target="shop/db")
    teller.run(120)
    gone = [e.key.name for e in teller.events if e.verb == "DELETED" and e.key.name.startswith("db-")]
    assert gone == ["db-2", "db-1", "db-0"]
    teller.do(120, do="scale", target="shop/db", replicas=1)
    teller.run(200)
    gone = [e.key.name for e in teller.events if e.verb == "DELETED" and e.key.name.startswith("db-")]
    assert gone[3:] == ["db-2", "db-1"]


def test_a_crash_loop_backs_off_twice_as_long_each_time_up_to_five_minutes(teller: Teller) -> None:
    teller.do(10, do="scale", target="shop/web", replicas=1)
    teller.do(30, do="break", target="shop/web", fault={"kind": "crash", "after": 2})
    teller.run(2000)
    uid = next(t.uid for t in teller.pods("shop", "web-") if t.statuses[-1] != GONE)
    moments: dict[str, list[float]] = {"CrashLoopBackOff": [], "Running": []}
    for event in teller.events:
        if event.key.uid == uid and event.time > teller.simulation.cluster.start / 1000 + 30:
            for status, times in moments.items():
                if b'"status":"%b"' % status.encode() in event.body:
                    times.append(event.time)
    waits = [min(r for r in moments["Running"] if r > w) - w for w in moments["CrashLoopBackOff"][:7]]
    assert [round(wait) for wait in waits] == [10, 20, 40, 80, 160, 300, 300]
    teller.do(2000, do="heal", target="shop/web")
    teller.run(2700)
    assert ready(teller, "shop", "web") == 1


def test_init_containers_run_one_after_another_and_a_sidecar_stays(teller: Teller) -> None:
    teller.do(
        10,
        do="create",
        workload={"name": "app", "init": [{"name": "a"}, {"name": "b"}], "sidecars": [{"name": "mesh"}]},
    )
    teller.run(60)
    (pod,) = teller.pods("default", "app-")
    assert pod.statuses == ["Pending", "Init:0/3", "Init:1/3", "PodInitializing", "Running"]


def test_a_pod_that_fits_nowhere_is_pending_until_there_is_room(teller: Teller) -> None:
    teller.do(10, do="create", workload={"name": "big", "containers": [{"cpu": 7000}], "replicas": 6})
    teller.run(30)
    pending = [t for t in teller.pods("default", "big-") if t.statuses[-1] == "Pending"]
    assert len(pending) == 2
    teller.do(30, do="add-nodes", count=2)
    teller.run(90)
    assert all(t.statuses[-1] == "Running" for t in pending)


def test_nothing_is_scheduled_on_a_control_plane_but_daemons(teller: Teller) -> None:
    teller.do(10, do="scale", target="shop/web", replicas=60)
    teller.run(60)
    assert {p.owner.kind for p in teller.simulation.cluster.nodes["control-plane-1"].pods.values()} == {
        "DaemonSet"
    }


def test_a_node_selector_is_followed(teller: Teller) -> None:
    teller.do(5, do="label-node", target="node-3", key="disk", value="ssd")
    teller.do(10, do="create", workload={"name": "fast", "replicas": 3, "node_selector": {"disk": "ssd"}})
    teller.run(40)
    pods = [p for p in teller.simulation.cluster.pods.values() if p.name.startswith("fast-")]
    assert {p.node.name for p in pods if p.node} == {"node-3"}


def test_a_job_is_done_when_all_completions_are(teller: Teller) -> None:
    job = {"kind": "Job", "name": "nightly", "completions": 4, "parallelism": 2, "ttl": "30s"}
    teller.do(10, do="create", workload=job)
    for now in range(10, 80):
        teller.run(now)
        alive = [p for p in teller.pods("default", "nightly-") if p.statuses[-1] not in ("Completed", GONE)]
        assert len(alive) <= 2
    teller.run(150)
    pods = teller.pods("default", "nightly-")
    assert len(pods) == 4
    assert all(t.statuses[-2:] == ["Completed", GONE] for t in pods)


def test_a_job_that_fails_gives_up_at_its_limit(teller: Teller) -> None:
    job = {"kind": "Job", "name": "doomed", "backoff_limit": 2, "fault": {"kind": "crash", "after": 1}}
    teller.do(10, do="create", workload=job)
    teller.run(300)
    pods = teller.pods("default", "doomed-")
    assert [t.statuses[-1] for t in pods] == ["Error"] * 3


def test_a_namespace_goes_with_all_that_is_in_it_and_its_name_comes_back(teller: Teller) -> None:
    (before,) = [t for t in teller.objects.values() if t.kind is Kind.NAMESPACE and t.name == "shop"]
    teller.do(10, do="delete-namespace", target="shop")
    teller.run(60)
    assert before.statuses == ["Active", "Terminating", GONE]
    assert all(t.statuses[-1] == GONE for t in teller.pods("shop", ""))
    last = max(i for i, e in enumerate(teller.events) if e.key.namespace == "shop")
    assert (
        next(i for i, e in enumerate(teller.events) if e.key.uid == before.uid and e.verb == "DELETED") > last
    )
    teller.do(60, do="create-namespace", target="shop")
    teller.run(61)
    uids = {t.uid for t in teller.objects.values() if t.kind is Kind.NAMESPACE and t.name == "shop"}
    assert len(uids) == 2


def test_a_zone_that_is_lost_is_evicted_a_node_every_ten_seconds() -> None:
    teller = Teller(scenario_of("cluster: {nodes: 12, control_planes: 0}\nchurn: 0\n"))
    teller.do(10, do="kill-zone", target="zone-b")
    noticed: list[float] = []
    for now in range(10, 120):
        teller.run(now)
        tainted = sum(
            any(effect == "NoExecute" for _, effect in node.taints)
            for node in teller.simulation.cluster.nodes.values()
        )
        noticed += [now] * (tainted - len(noticed))
    assert len(noticed) == 4
    assert all(9 <= b - a <= 11 for a, b in pairwise(noticed))


def test_scaling_over_a_while_goes_in_steps(teller: Teller) -> None:
    teller.do(10, do="scale", target="shop/web", replicas=12, over="1m")
    seen = []
    for now in range(11, 80, 15):
        teller.run(now)
        workload = teller.simulation.cluster.find_workload("shop", "web", "Deployment")
        assert workload is not None
        seen.append(getattr(workload, "replicas", None))
    assert seen == [6, 8, 10, 12, 12]


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ({"do": "kill-node", "target": "node-99"}, "there are control-plane-1, node-1"),
        ({"do": "scale", "target": "shop/nothing", "replicas": 1}, "there are .*shop/web"),
        ({"do": "kill-zone", "target": "nowhere"}, "there are zone-a, zone-b, zone-c"),
        ({"do": "delete-pod", "target": "shop/x"}, "kube-system/coredns-"),
        ({"do": "delete-namespace", "target": "x"}, "kube-system"),
        ({"do": "roll-out", "target": "shop/web", "image": "x", "container": "y"}, "there are main"),
    ],
)
def test_a_target_that_is_not_there_is_refused_and_told_what_is(
    action: dict[str, object], said: str, teller: Teller
) -> None:
    written = teller.simulation.cluster.written
    with pytest.raises(InvalidMessageError) as caught:
        teller.simulation.perform(parse_action(action))
    assert re.search(said, caught.value.details)
    assert teller.simulation.cluster.written == written


@pytest.mark.parametrize(
    ("action", "details"),
    [
        ({"do": "explode"}, "do: "),
        ({}, "do: "),
        ({"do": "scale", "target": "shop/web"}, "replicas: this key is missing"),
        ({"do": "scale", "target": "web", "replicas": 1}, "target: "),
        ({"do": "drain", "target": "node-1", "now": True}, "now: "),
        ("drain", "do: "),
    ],
)
def test_what_is_no_action_is_refused_and_the_field_named(action: object, details: str) -> None:
    with pytest.raises(InvalidMessageError) as caught:
        parse_action(action)
    assert caught.value.details.startswith(details)


def test_an_autoscaler_brings_nodes_for_pending_pods_and_takes_them_away_again() -> None:
    teller = Teller(
        scenario_of("cluster: {nodes: 3, autoscaler: {most: 6, delay: 20s, idle: 60s}}\nchurn: 0\n")
    )
    big = {"name": "big", "replicas": 8, "containers": [{"cpu": 3000}]}
    teller.do(10, do="create", workload=big)
    teller.run(15)
    assert ready(teller, "default", "big") + len(teller.pods("default", "big-")) >= 8
    teller.run(120)
    assert ready(teller, "default", "big") == 8
    assert 3 < len(teller.simulation.cluster.nodes) <= 6
    teller.do(120, do="scale", target="default/big", replicas=1)
    teller.run(400)
    assert len(teller.simulation.cluster.nodes) <= 4
    assert ready(teller, "default", "big") == 1
