"""The kubelets: what happens to a pod once it is bound to a node, and what the node reports of it.

Every step that was planned checks that the pod's turn and the node's life are still what they were: a pod that
is being deleted, evicted or whose kubelet died hears nothing of its old plans.
"""

from __future__ import annotations

from simulator.cluster.objects import Container, Node, Pod
from simulator.cluster.storage import Cluster
from simulator.cluster.templates import Fault

BACKOFF_FIRST, BACKOFF_MOST = 10.0, 300.0  # seconds: of restarts and of image pulls
BACKOFF_RESET = 600.0  # seconds of running after which a crash counts as the first
NOTICE = 1.0  # seconds from a container's end to the kubelet's next look at it


def backoff(attempt: int) -> float:
    """Seconds to wait before attempt number `attempt` + 1: 10, 20, 40, 80, 160, 300, 300, …"""
    return BACKOFF_MOST if attempt > 5 else min(BACKOFF_MOST, BACKOFF_FIRST * 2 ** max(attempt - 1, 0))


class Kubelet:
    """All kubelets of the cluster: they share code and chance, never state."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._engine = cluster.engine
        self._dice = cluster.engine.dice("kubelet")
        cluster.hooks.pod_bound.append(self._on_bound)
        cluster.hooks.pod_deleting.append(self._on_deleting)

    # -- coming up

    def _on_bound(self, pod: Pod) -> None:
        self._engine.after(self._dice.between(0.005, 0.05), self._begin, pod, pod.turn)

    def _current(self, pod: Pod, turn: int) -> bool:
        return pod.turn == turn and pod.node is not None and pod.node.alive

    def _begin(self, pod: Pod, turn: int) -> None:
        if not self._current(pod, turn):
            return
        template = pod.template
        pod.started = self._engine.now
        pod.ready_since = self._engine.now
        pod.ip = self._cluster.new_address()
        pod.containers = [Container() for _ in range(len(template.init) + len(template.containers))]
        if template.init:
            for container in pod.containers:
                container.reason = "PodInitializing"
        self._cluster.update_pod(pod)
        self._pull(pod, turn)

    def _pull(self, pod: Pod, turn: int) -> None:
        if not self._current(pod, turn):
            return
        template, node = pod.template, pod.node
        assert node is not None, f"{pod.name} pulls its images and is on no node"
        fault = self._fault(pod)
        if fault is not None and fault.kind == "image":
            self._engine.after(self._dice.between(0.5, 1.5), self._pull_failed, pod, turn)
            return
        missing = [c.image for c in (*template.init, *template.containers) if c.image not in node.images]
        node.images.update(missing)
        delay = self._dice.between(0.2, 0.6) + len(missing) * self._dice.between(0.3, 1.5)
        if template.init:
            self._engine.after(delay, self._next_init, pod, turn, 0)
        else:
            self._engine.after(delay, self._start, pod, turn)

    def _pull_failed(self, pod: Pod, turn: int) -> None:
        if not self._current(pod, turn):
            return
        pod.attempt += 1
        for container in pod.containers[len(pod.template.init) :][:1]:
            container.wait("ErrImagePull")
        self._cluster.update_pod(pod)
        self._engine.after(self._dice.between(1.5, 3.0), self._pull_waits, pod, turn)

    def _pull_waits(self, pod: Pod, turn: int) -> None:
        if not self._current(pod, turn):
            return
        for container in pod.containers[len(pod.template.init) :][:1]:
            container.wait("ImagePullBackOff")
        self._cluster.update_pod(pod)
        self._engine.after(backoff(pod.attempt), self._pull, pod, turn)

    def _next_init(self, pod: Pod, turn: int, index: int) -> None:
        """Run the init containers one after another; a sidecar only has to start."""
        if not self._current(pod, turn):
            return
        template, now = pod.template, self._engine.now
        if index:
            before = pod.containers[index - 1]
            if template.init[index - 1].sidecar:
                before.ready = True
            elif before.state == "running":
                before.stop(now, code=0, reason="Completed")
        while index < len(template.init) and pod.containers[index].state == "terminated":
            index += 1  # done before the kubelet was lost
        if index == len(template.init):
            self._cluster.update_pod(pod)
            self._engine.after(self._dice.between(0.2, 0.6), self._start, pod, turn)
            return
        pod.containers[index].start(now)
        self._cluster.update_pod(pod)
        span = (0.3, 1.0) if template.init[index].sidecar else template.init_time
        self._engine.after(self._dice.between(*span), self._next_init, pod, turn, index + 1)

    def _start(self, pod: Pod, turn: int) -> None:
        if not self._current(pod, turn):
            return
        pod.phase = "Running"
        pod.attempt = 0
        probed = self._probed(pod)
        for container in pod.containers[len(pod.template.init) :]:
            container.start(self._engine.now)
            container.ready = not probed
        if not probed:
            self._cluster.set_ready(pod, True)
        self._cluster.update_pod(pod)
        if probed:
            self._plan_readiness(pod)
        self.plan_fate(pod)

    def _probed(self, pod: Pod) -> bool:
        fault = self._fault(pod)
        return pod.template.startup[1] > 0 or (fault is not None and fault.kind == "unready")

    def _plan_readiness(self, pod: Pod) -> None:
        fault = self._fault(pod)
        if fault is None or fault.kind != "unready":
            self._engine.after(self._dice.between(*pod.template.startup), self._passes, pod, pod.turn)

    def _passes(self, pod: Pod, turn: int) -> None:
        if not self._current(pod, turn) or pod.phase != "Running":
            return
        fault = self._fault(pod)
        if fault is not None and fault.kind == "unready":
            return
        main = pod.containers[len(pod.template.init) :]
        for container in main:
            container.ready = container.state == "running"
        self._cluster.set_ready(pod, all(c.ready for c in main))
        self._cluster.update_pod(pod)

    def fail_probe(self, pod: Pod) -> None:
        """The readiness probe fails for a moment."""
        for container in pod.containers[len(pod.template.init) :]:
            container.ready = False
        self._cluster.set_ready(pod, False)
        self._cluster.update_pod(pod)
        self._engine.after(self._dice.between(1.0, 5.0), self._passes, pod, pod.turn)

    # -- going wrong, and coming to an end

    def _fault(self, pod: Pod) -> Fault | None:
        return pod.owner.fault or pod.template.fault

    def befall(self, pod: Pod) -> None:
        """Its workload has just been given a fault: a container that runs is not spared."""
        fault = self._fault(pod)
        if fault is None or pod.phase != "Running" or pod.deletion is not None or not pod.containers:
            return
        if fault.kind == "unready":
            if pod.ready:
                self.fail_probe(pod)
        elif pod.containers[len(pod.template.init)].state == "running":
            self.plan_fate(pod)

    def recover(self, pod: Pod) -> None:
        """Its workload is well again: what only failed its probe passes it."""
        if pod.phase == "Running" and not pod.ready and pod.deletion is None:
            self._engine.after(self._dice.between(*pod.template.startup), self._passes, pod, pod.turn)

    def plan_fate(self, pod: Pod) -> None:
        """Plan how the first container ends, if it does: by a fault, or because its work is done."""
        fault, template = self._fault(pod), pod.template
        container = pod.containers[len(template.init)]
        if fault is not None and fault.kind in ("crash", "oom"):
            code, reason = (137, "OOMKilled") if fault.kind == "oom" else (fault.exit_code, "Error")
            delay = fault.after
        elif template.run_time is not None:
            code, reason, delay = 0, "Completed", self._dice.between(*template.run_time)
        else:
            return
        self._engine.after(delay, self._ends, pod, pod.turn, container.restarts, code, reason)

    def _ends(self, pod: Pod, turn: int, restarts: int, code: int, reason: str) -> None:
        if not self._current(pod, turn) or pod.finished:
            return
        container = pod.containers[len(pod.template.init)]
        if container.state == "running" and container.restarts == restarts:
            self.stop_container(pod, code=code, reason=reason)

    def stop_container(self, pod: Pod, *, code: int, reason: str) -> None:
        """The first container ends; the pod's restart policy says what comes then."""
        template, now = pod.template, self._engine.now
        container = pod.containers[len(template.init)]
        ran = (now - container.since) / 1000
        container.stop(now, code=code, reason=reason)
        self._cluster.set_ready(pod, False)
        if template.restart == "Never" or (template.restart == "OnFailure" and code == 0):
            for other in pod.containers[len(template.init) + 1 :]:
                other.stop(now, code=0, reason="Completed")
            for spec, other in zip(template.init, pod.containers, strict=False):
                if spec.sidecar:
                    other.stop(now, code=0, reason="Completed")
            pod.phase = "Failed" if code else "Succeeded"
            pod.turn += 1
            self._cluster.update_pod(pod)
            return
        pod.attempt = 1 if ran >= BACKOFF_RESET else pod.attempt + 1
        self._cluster.update_pod(pod)
        self._engine.after(NOTICE, self._waits, pod, pod.turn)

    def _waits(self, pod: Pod, turn: int) -> None:
        if not self._current(pod, turn):
            return
        container = pod.containers[len(pod.template.init)]
        if container.state == "terminated":
            container.restarts += 1  # the next container is already counted while it waits
            container.wait("CrashLoopBackOff")
            self._cluster.update_pod(pod)
        self._engine.after(backoff(pod.attempt), self._restarts, pod, turn)

    def _restarts(self, pod: Pod, turn: int) -> None:
        if not self._current(pod, turn):
            return
        container = pod.containers[len(pod.template.init)]
        container.start(self._engine.now)
        probed = self._probed(pod)
        container.ready = not probed
        main = pod.containers[len(pod.template.init) :]
        self._cluster.set_ready(pod, all(c.ready for c in main))
        self._cluster.update_pod(pod)
        if probed:
            self._plan_readiness(pod)
        self.plan_fate(pod)

    def _on_deleting(self, pod: Pod) -> None:
        if pod.node is not None and pod.node.alive:
            low, high = pod.template.stop_time
            delay = min(self._dice.between(low, high), float(pod.grace))
            self._engine.after(delay, self._stopped, pod, pod.turn)

    def _stopped(self, pod: Pod, turn: int) -> None:
        if self._current(pod, turn):
            self._cluster.remove_pod(pod)

    def evict(self, pod: Pod) -> None:
        """Under pressure: the pod fails, and stays to be seen until somebody deletes it."""
        pod.turn += 1
        pod.phase, pod.reason = "Failed", "Evicted"
        pod.containers = []
        self._cluster.set_ready(pod, False)
        pod.disruption = "TerminationByKubelet"
        self._cluster.update_pod(pod)

    # -- a kubelet that comes back

    def resume(self, node: Node) -> None:
        """Look after the node's pods again, each from where it was left."""
        for pod in list(node.pods.values()):
            pod.turn += 1
            if pod.deletion is not None:
                self._on_deleting(pod)
            elif pod.started is None:
                self._on_bound(pod)
            elif pod.phase == "Pending":
                self._engine.after(self._dice.between(0.1, 1.0), self._pull, pod, pod.turn)
            else:
                self._engine.after(self._dice.between(0.1, 1.0), self._look_again, pod, pod.turn)

    def _look_again(self, pod: Pod, turn: int) -> None:
        if not self._current(pod, turn):
            return
        container = pod.containers[len(pod.template.init)]
        if container.state == "running":
            self._passes(pod, turn)
            self.plan_fate(pod)
        else:
            self._waits(pod, turn)
