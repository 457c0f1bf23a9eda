"""Background churn: the small things that happen in every cluster all day, at a chosen rate of events."""

from __future__ import annotations

from collections.abc import Callable

from simulator.cluster import bounds
from simulator.cluster.kubelet import Kubelet
from simulator.cluster.objects import Pod
from simulator.cluster.storage import Cluster
from simulator.cluster.workloads import Deployment, ReplicaSet

TICK = 0.001  # seconds: the shortest that simulated time can wait


class Churn:
    """Plays with Deployments that no scenario is about. The rate is in events that a client sees, per second."""

    def __init__(self, cluster: Cluster, kubelet: Kubelet) -> None:
        self._cluster = cluster
        self._kubelet = kubelet
        self._dice = cluster.engine.dice("churn")
        self._rate = 0.0
        self._round = 0
        self._owed = 0.0  # seconds that were too short to be waited
        self._targets: list[Deployment] = []
        # What it does, how often in 100, and how many events that makes.
        self._repertoire: tuple[tuple[int, float, Callable[[Pod], bool]], ...] = (
            (45, 7.0, self._replace),
            (30, 2.0, self._flap),
            (15, 4.0, self._crash),
            (10, 1.0, self._relabel),
        )

    def start(self, targets: list[Deployment], rate: float) -> None:
        """`rate`: events a second."""
        self._targets = targets
        self.set_rate(rate)

    def set_rate(self, rate: float) -> None:
        """So many events a second from now on; 0 is silence."""
        self._rate = rate
        self._round += 1
        if rate > 0:
            self._plan(1.0, self._round)

    def _plan(self, cost: float, round_: int) -> None:
        delay = cost / self._rate * self._dice.between(0.5, 1.5)
        if delay < TICK:
            # Rounded to nothing, time would stand still for what happens thousands of times a second.
            self._owed += delay
            delay = TICK if self._owed >= TICK else 0.0
            self._owed -= delay
        self._cluster.engine.after(delay, self._happen, round_)

    def _happen(self, round_: int) -> None:
        if round_ != self._round:
            return
        # With too much planned already, it waits like any action.
        pod = self._pick() if self._cluster.engine.planned < bounds.PLANNED else None
        number = self._dice.below(100)
        done = 1.0
        if pod is not None:
            for share, cost, act in self._repertoire:
                if number < share:
                    done = cost if act(pod) else 0.2
                    break
                number -= share
        self._plan(done, round_)

    def _pick(self) -> Pod | None:
        """A pod that is running and ready, or nothing this time."""
        if not self._targets:
            return None
        deployment = self._targets[self._dice.below(len(self._targets))]
        replica_set = deployment.replica_sets.get(deployment.template.hash)
        if deployment.deleted or not isinstance(replica_set, ReplicaSet) or not replica_set.pods:
            return None
        index = self._dice.below(len(replica_set.pods))
        pod = next(p for i, p in enumerate(replica_set.pods.values()) if i == index)
        usable = pod.ready and pod.deletion is None and pod.node is not None and pod.node.alive
        return pod if usable else None

    def _replace(self, pod: Pod) -> bool:
        self._cluster.delete_pod(pod)
        return True

    def _flap(self, pod: Pod) -> bool:
        self._kubelet.fail_probe(pod)
        return True

    def _crash(self, pod: Pod) -> bool:
        self._kubelet.stop_container(pod, code=1, reason="Error")
        return True

    def _relabel(self, pod: Pod) -> bool:
        labels = dict(pod.labels or {})
        labels["version"] = f"v{self._dice.below(1000)}"
        pod.labels = labels
        self._cluster.update_pod(pod)
        return True
