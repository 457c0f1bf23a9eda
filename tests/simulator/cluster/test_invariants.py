"""What must hold in every simulated cluster, whatever is done to it."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kstream.core.errors import InvalidMessageError
from kstream.core.timeline.events import Kind, Verb
from kstream.core.timeline.state import with_pod_count
from simulator.cluster.objects import Change
from simulator.cluster.workloads import Deployment, StatefulSet
from simulator.source import watch_event
from simulator.story.actions import parse_action
from tests.simulator.telling import Teller, scenario_of

SCENARIO = scenario_of(
    """
cluster: {nodes: 5, control_planes: 1, pods: 60, cpu: 1600, memory: 4}
churn: 3
workloads:
  - {namespace: shop, name: web, replicas: 5, toleration: 20}
  - {namespace: shop, name: cart, replicas: 2, init: [{name: setup}], sidecars: [{name: mesh, cpu: 10}]}
  - {kind: StatefulSet, namespace: shop, name: db, replicas: 3}
  - {kind: DaemonSet, namespace: monitoring, name: agent, containers: [{cpu: 10, memory: 8}]}
"""
)
NODES = st.sampled_from([f"node-{n}" for n in range(1, 5)])
SCALED = st.sampled_from(["shop/web", "shop/cart", "shop/db"])
ROLLED = st.sampled_from(["shop/web", "shop/cart", "shop/db", "monitoring/agent"])
FAULTS = st.fixed_dictionaries(
    {"kind": st.sampled_from(["crash", "oom", "image", "unready"]), "after": st.sampled_from([0.5, 3.0])}
)
JOBS = st.fixed_dictionaries(
    {
        "kind": st.just("Job"),
        "name": st.sampled_from(["nightly", "hourly"]),
        "completions": st.integers(1, 4),
        "parallelism": st.integers(1, 3),
        "ttl": st.sampled_from([None, 5.0]),
        "restart": st.sampled_from(["Never", "OnFailure"]),
    }
)
ON_NODES = (
    *("kill-node", "revive-node", "fail-node", "press-node", "relieve-node", "remove-node"),
    *("cordon", "uncordon", "drain"),
)
ACTIONS = st.one_of(
    st.fixed_dictionaries({"do": st.sampled_from(ON_NODES), "target": NODES}),
    st.fixed_dictionaries({"do": st.just("scale"), "target": SCALED, "replicas": st.integers(0, 9)}),
    st.fixed_dictionaries(
        {
            "do": st.just("roll-out"),
            "target": ROLLED,
            "image": st.sampled_from(["a:1", "a:2", "a:3"]),
            "fault": st.none() | FAULTS,
        }
    ),
    st.fixed_dictionaries({"do": st.sampled_from(["roll-back", "restart", "heal"]), "target": ROLLED}),
    st.fixed_dictionaries({"do": st.just("break"), "target": ROLLED, "fault": FAULTS}),
    st.fixed_dictionaries({"do": st.just("add-nodes"), "count": st.integers(1, 2)}),
    st.fixed_dictionaries({"do": st.sampled_from(["kill-zone", "revive-zone"]), "target": st.just("zone-b")}),
    st.fixed_dictionaries({"do": st.just("upgrade-nodes"), "parallel": st.integers(1, 2)}),
    st.fixed_dictionaries({"do": st.just("create"), "workload": JOBS}),
    st.fixed_dictionaries({"do": st.just("delete-namespace"), "target": st.sampled_from(["shop", "ads"])}),
)
PLOTS = st.lists(st.tuples(st.integers(1, 40), ACTIONS), max_size=8)
FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])

_NEXT = {
    None: {"Pending", "Running"},  # Running at once: it was so when the simulation began
    "Pending": {"Pending", "Running", "Failed"},
    "Running": {"Running", "Succeeded", "Failed"},
    "Succeeded": {"Succeeded"},
    "Failed": {"Failed"},
}


class Witness(Teller):
    """Looks at every change, and at the cluster after every hearing."""

    def __init__(self, seed: int) -> None:
        self.phases: dict[str, str | None] = {}
        self.deleting: set[str] = set()
        self.dead: set[str] = set()
        self.removed: dict[str, float] = {}  # node → when it was removed
        super().__init__(SCENARIO, seed=seed)

    def play(self, plot: list[tuple[int, dict[str, Any]]]) -> None:
        now = 0.0
        for pause, action in plot:
            now += pause
            self.run(now)
            try:
                self.simulation.perform(parse_action(action))
            except InvalidMessageError:
                continue  # it is about something that an earlier action took away
        for _ in range(20):
            now += 5
            self.run(now)

    def hear(self) -> None:
        for change in self.simulation.cluster.changes:
            self.witness(change)
        super().hear()
        self.look()

    def witness(self, change: Change) -> None:
        metadata = change.object["metadata"]
        uid = metadata["uid"]
        assert uid not in self.dead, "a uid came back"
        if change.verb is Verb.DELETED:
            self.dead.add(uid)
            if change.kind is Kind.NODE:
                self.removed[uid] = change.time
        if change.kind is not Kind.POD:
            return
        phase = change.object["status"]["phase"]
        assert phase in _NEXT[self.phases.get(uid)], f"{self.phases.get(uid)} → {phase}"
        self.phases[uid] = phase
        if "deletionTimestamp" in metadata and change.verb is Verb.MODIFIED:
            self.deleting.add(uid)
        else:
            assert change.verb is Verb.DELETED or uid not in self.deleting, "a deletion was taken back"
        assert change.verb is not Verb.DELETED or uid in self.deleting, "gone without a deletionTimestamp"

    def look(self) -> None:
        cluster = self.simulation.cluster
        for node in cluster.nodes.values():
            held = node.pods.values()
            assert node.cpu_used == sum(p.template.cpu for p in held) <= node.cpu
            assert node.memory_used == sum(p.template.memory for p in held) <= node.memory
            assert len(held) <= node.pods_limit
            assert all(p.node is node and not p.finished and p.uid in cluster.pods for p in held)
            assert sum(node.owners.values()) == len(held)
        for pod in cluster.pods.values():
            assert pod.uid in pod.owner.pods
            if pod.node is not None and not pod.finished:
                assert pod.uid in pod.node.pods
            if pod.node is not None and pod.node.uid in self.removed:
                assert cluster.time - self.removed[pod.node.uid] <= 60.001, "it runs on a node that is gone"
        bodies = {}
        for change in map(watch_event, cluster.snapshot()):
            bodies[change.key.uid] = change.body
        told = {entry.key.uid: entry.body for entry in self.state}
        assert {uid: with_pod_count(b, 0) if uid in spaces(self) else b for uid, b in bodies.items()} == {
            uid: with_pod_count(b, 0) if uid in spaces(self) else b for uid, b in told.items()
        }


def spaces(witness: Witness) -> set[str]:
    return {n.uid for n in witness.simulation.cluster.namespaces.values()}


@FEW
@given(seed=st.integers(0, 2**32), plot=PLOTS)
def test_no_law_is_broken_whatever_is_done(seed: int, plot: list[tuple[int, dict[str, Any]]]) -> None:
    Witness(seed).play(plot)


BROKEN = {"do": "roll-out", "target": "shop/db", "image": "a:1", "fault": {"kind": "crash", "after": 0.5}}


@FEW
@given(seed=st.integers(0, 2**32), plot=PLOTS)
@example(seed=0, plot=[(27, BROKEN), (2, BROKEN | {"fault": None})])
def test_replicas_converge_once_all_is_well_again(seed: int, plot: list[tuple[int, dict[str, Any]]]) -> None:
    witness = Witness(seed)
    witness.play(plot)
    cluster, simulation = witness.simulation.cluster, witness.simulation
    now = simulation.elapsed / 1000
    # An upgrade may still be under way: let it end, then heal what there is.
    witness.run(now + 600)
    simulation.perform(parse_action({"do": "set-churn", "rate": 0}))
    simulation.perform(parse_action({"do": "add-nodes", "count": 4}))
    for node in list(cluster.nodes.values()):
        simulation.perform(parse_action({"do": "revive-node", "target": node.name}))
        simulation.perform(parse_action({"do": "uncordon", "target": node.name}))
    for workload in list(cluster.workloads.values()):
        if workload.kind in ("Deployment", "StatefulSet", "DaemonSet"):
            path = f"{workload.namespace}/{workload.name}"
            simulation.perform(parse_action({"do": "heal", "target": path}))
            if workload.template.fault is not None:
                simulation.perform(parse_action({"do": "roll-out", "target": path, "image": "well:1"}))
        if isinstance(workload, StatefulSet):
            # Kubernetes waits for ever for a pod of a broken revision: someone has to delete it ("forced rollback").
            for pod in [pod for pod in workload.alive() if not pod.ready]:
                target = f"{pod.namespace}/{pod.name}"
                simulation.perform(parse_action({"do": "delete-pod", "target": target}))
    witness.run(now + 2400)
    for workload in cluster.workloads.values():
        if isinstance(workload, Deployment):
            new = workload.replica_sets[workload.template.hash]
            ready = [p for p in new.pods.values() if p.ready and p.deletion is None]
            assert len(ready) == workload.replicas
            assert all(not rs.alive() for rs in workload.replica_sets.values() if rs is not new)
        elif isinstance(workload, StatefulSet):
            names = sorted(p.name for p in workload.alive() if p.ready)
            assert names == [f"{workload.name}-{n}" for n in range(workload.replicas)]
        elif workload.kind == "DaemonSet":
            assert {p.node.name for p in workload.alive() if p.ready and p.node} == set(cluster.nodes)
