"""Carries out actions: finds what they are about and asks the controller whose business it is."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from itertools import islice
from typing import Any

from kstream.core.errors import InvalidMessageError
from simulator.cluster import bounds
from simulator.cluster.controllers.deployments import DeploymentController
from simulator.cluster.controllers.namespaces import NamespaceController
from simulator.cluster.controllers.nodes import NOT_READY, NodeController
from simulator.cluster.kubelet import Kubelet
from simulator.cluster.objects import Node, Pod, Workload
from simulator.cluster.storage import LOOKED_AT, Cluster
from simulator.cluster.templates import Fault
from simulator.cluster.workloads import Deployment, StatefulSet
from simulator.story import actions as a
from simulator.story.capacity import Capacity
from simulator.story.churn import Churn
from simulator.story.construction import CONTROL_PLANE, Construction, make_workload

SCALE_STEP = 15.0  # seconds between two steps of an autoscaler
_LOOKED_THROUGH = 10_000  # names, for those that an error tells of
_ALL = ("Deployment", "StatefulSet", "DaemonSet", "Job")


class Director:
    def __init__(
        self,
        cluster: Cluster,
        *,
        construction: Construction,
        nodes: NodeController,
        namespaces: NamespaceController,
        deployments: DeploymentController,
        kubelet: Kubelet,
        churn: Churn,
    ) -> None:
        self._cluster = cluster
        self._construction = construction
        self._nodes = nodes
        self._namespaces = namespaces
        self._deployments = deployments
        self._kubelet = kubelet
        self._churn = churn
        self._capacity = Capacity(cluster)
        self._restarts = 0
        self._upgrading = 0  # nodes of an upgrade that are away at once
        self._scalings: dict[str, int] = {}  # workload's uid → the number of its last scaling

    def perform(self, action: a.Action) -> None:
        """Raises InvalidMessageError when the target is not there, or when the cluster would grow past its bounds; then
        nothing has been done."""
        self._capacity.check_time()
        method: Callable[[Any], None] = getattr(self, "_do_" + action.do.replace("-", "_"))
        method(action)

    # -- targets

    def _node(self, name: str) -> Node:
        found = self._cluster.nodes.get(name)
        if found is None:
            raise _missing("node", name, self._cluster.nodes)
        return found

    def _zone(self, name: str) -> list[Node]:
        self._cluster.engine.effort += len(self._cluster.nodes) // LOOKED_AT
        found = [node for node in self._cluster.nodes.values() if node.zone == name]
        if not found:
            raise _missing("zone", name, {node.zone for node in self._cluster.nodes.values()})
        return found

    def _workload(self, path: str, *kinds: str) -> Workload:
        namespace, _, name = path.partition("/")
        found = self._cluster.find_workload(namespace, name, *kinds)
        if found is None:
            there = {f"{w.namespace}/{w.name}" for w in self._cluster.workloads.values() if w.kind in kinds}
            raise _missing(" or ".join(kinds), path, there)
        return found

    def _deployment(self, path: str) -> Deployment:
        found = self._workload(path, "Deployment")
        assert isinstance(found, Deployment)
        return found

    # -- nodes

    def _do_kill_node(self, action: a.KillNode) -> None:
        self._nodes.kill(self._node(action.target))

    def _do_revive_node(self, action: a.ReviveNode) -> None:
        self._revive(self._node(action.target))

    def _revive(self, node: Node) -> None:
        if node.alive:
            self._nodes.heal(node)
        else:
            self._nodes.revive(node)

    def _do_fail_node(self, action: a.FailNode) -> None:
        self._nodes.fail(self._node(action.target))

    def _do_press_node(self, action: a.PressNode) -> None:
        self._nodes.press(self._node(action.target))

    def _do_relieve_node(self, action: a.RelieveNode) -> None:
        self._nodes.heal(self._node(action.target))

    def _do_remove_node(self, action: a.RemoveNode) -> None:
        self._nodes.remove(self._node(action.target))

    def _do_add_nodes(self, action: a.AddNodes) -> None:
        self._capacity.check_nodes(action.count)
        self._cluster.engine.spread(range(action.count), self._join_one)

    def _join_one(self, _: int) -> None:
        if len(self._cluster.nodes) < bounds.NODES:
            self.join()

    def join(self) -> Node:
        """A new node: not ready at first, as every node that joins."""
        node = self._construction.add_node(ready=False)
        delay = self._cluster.engine.dice("joining").between(8, 15)
        self._cluster.engine.after(delay, self._joined, node)
        return node

    def leave(self, node: Node) -> None:
        """A node that is no longer needed: cordoned, then shut down and removed."""
        self._nodes.drain(node)
        self._cluster.engine.after(10.0, self._left, node)

    def _left(self, node: Node) -> None:
        if self._cluster.nodes.get(node.name) is node:
            self._nodes.remove(node)

    def _joined(self, node: Node) -> None:
        if node.alive and (NOT_READY, "NoSchedule") in node.taints:
            self._nodes.heal(node)

    def _do_cordon(self, action: a.Cordon) -> None:
        self._nodes.cordon(self._node(action.target))

    def _do_uncordon(self, action: a.Uncordon) -> None:
        self._nodes.uncordon(self._node(action.target))

    def _do_drain(self, action: a.Drain) -> None:
        self._nodes.drain(self._node(action.target))

    def _do_upgrade_nodes(self, action: a.UpgradeNodes) -> None:
        if self._upgrading:
            raise InvalidMessageError(
                "The nodes are being upgraded already", "do: wait until the last one is back"
            )
        waiting = deque(n for n in self._cluster.nodes.values() if CONTROL_PLANE not in n.labels)
        self._upgrading = min(action.parallel, len(waiting))
        self._cluster.engine.spread(
            range(self._upgrading), lambda _: self._upgrade_next(waiting, action), at_once=1
        )

    def _upgrade_next(self, waiting: deque[Node], action: a.UpgradeNodes) -> None:
        while waiting:
            node = waiting.popleft()
            if node.name in self._cluster.nodes and node.alive:
                self._nodes.drain(node)
                self._cluster.engine.after(1.0, self._upgrade_when_empty, node, waiting, action)
                return
        self._upgrading -= 1

    def _upgrade_when_empty(self, node: Node, waiting: deque[Node], action: a.UpgradeNodes) -> None:
        engine = self._cluster.engine
        if any(p.owner.kind != "DaemonSet" and not p.finished for p in node.pods.values()) and node.alive:
            engine.after(1.0, self._upgrade_when_empty, node, waiting, action)
            return
        self._nodes.fail(node)
        node.alive = False
        node.turn += 1
        engine.after(action.reboot, self._upgraded, node, waiting, action)

    def _upgraded(self, node: Node, waiting: deque[Node], action: a.UpgradeNodes) -> None:
        if node.name in self._cluster.nodes:
            node.kubelet = action.version
            self._nodes.revive(node)
            self._nodes.uncordon(node)
        self._cluster.engine.after(2.0, self._upgrade_next, waiting, action)

    def _do_label_node(self, action: a.LabelNode) -> None:
        node = self._node(action.target)
        self._capacity.check_label(node, action.key)
        node.labels = {**node.labels, action.key: action.value}
        self._cluster.update_node(node)

    def _do_kill_zone(self, action: a.KillZone) -> None:
        nodes = self._zone(action.target)
        self._cluster.engine.spread(nodes, self._nodes.kill, at_once=bounds.NODES)

    def _do_revive_zone(self, action: a.ReviveZone) -> None:
        self._cluster.engine.spread(self._zone(action.target), self._revive_if_there, at_once=20)

    def _revive_if_there(self, node: Node) -> None:
        if self._cluster.nodes.get(node.name) is node:
            self._revive(node)

    # -- workloads

    def _do_scale(self, action: a.Scale) -> None:
        workload = self._workload(action.target, "Deployment", "StatefulSet")
        assert isinstance(workload, Deployment | StatefulSet)
        self._capacity.check_replicas(workload, action.replicas)
        steps = max(1, int(action.over / SCALE_STEP))
        number = self._scalings[workload.uid] = self._scalings.get(workload.uid, 0) + 1
        self._cluster.engine.after(
            0.0, self._scale, workload, number, 1, steps, workload.replicas, action.replicas
        )

    def _scale(
        self, workload: Deployment | StatefulSet, number: int, step: int, steps: int, first: int, last: int
    ) -> None:
        """A step of a scaling, until the last one or until another scaling takes over."""
        if workload.deleted:
            self._scalings.pop(workload.uid, None)
        elif self._scalings.get(workload.uid) == number:
            workload.replicas = first + (last - first) * step // steps
            self._cluster.enqueue(workload)
            if step < steps:
                self._cluster.engine.after(
                    SCALE_STEP, self._scale, workload, number, step + 1, steps, first, last
                )
            else:
                del self._scalings[workload.uid]

    def _do_roll_out(self, action: a.RollOut) -> None:
        workload = self._workload(action.target, "Deployment", "StatefulSet", "DaemonSet")
        names = [c.name for c in workload.template.containers]
        if action.container and action.container not in names:
            raise _missing("container", action.container, names)
        fault = Fault(**action.fault.model_dump()) if action.fault else None
        template = workload.template.with_image(action.image, action.container).with_fault(fault)
        workload.template = template
        self._cluster.enqueue(workload)

    def _do_roll_back(self, action: a.RollBack) -> None:
        if not self._deployments.roll_back(self._deployment(action.target)):
            raise InvalidMessageError(
                f"{action.target} cannot be rolled back", "target: it has had one revision only"
            )

    def _do_restart(self, action: a.Restart) -> None:
        workload = self._workload(action.target, "Deployment", "StatefulSet", "DaemonSet")
        self._restarts += 1
        workload.template = workload.template.restarted(str(self._restarts))
        self._cluster.enqueue(workload)

    def _do_break(self, action: a.Break) -> None:
        workload = self._workload(action.target, *_ALL)
        fault = Fault(**action.fault.model_dump())
        pods: list[Pod] = []
        for owner in self._owners(workload):
            owner.fault = fault
            pods += owner.pods.values()
        self._cluster.engine.spread(pods, self._kubelet.befall)

    def _do_heal(self, action: a.Heal) -> None:
        pods: list[Pod] = []
        for owner in self._owners(self._workload(action.target, *_ALL)):
            owner.fault = None
            pods += owner.pods.values()
        self._cluster.engine.spread(pods, self._kubelet.recover)

    def _owners(self, workload: Workload) -> list[Workload]:
        """What owns the pods: a Deployment's ReplicaSets, else the workload itself."""
        return list(workload.replica_sets.values()) if isinstance(workload, Deployment) else [workload]

    def _do_create(self, action: a.Create) -> None:
        spec = action.workload
        if self._cluster.find_workload(spec.namespace, spec.name, spec.kind) is not None:
            raise InvalidMessageError(
                f"{spec.kind} {spec.namespace}/{spec.name} is already there", "workload.name"
            )
        namespace = self._cluster.namespaces.get(spec.namespace)
        if namespace is not None and namespace.deletion is not None:
            raise InvalidMessageError(
                f"The namespace {spec.namespace} is being deleted",
                "workload.namespace: wait until it is gone",
            )
        self._capacity.check_workload(spec)
        self._cluster.enqueue(make_workload(self._cluster, spec))

    def _do_delete(self, action: a.Delete) -> None:
        workload = self._workload(action.target, *_ALL)
        if isinstance(workload, Deployment):
            self._deployments.delete(workload)
        else:
            self._cluster.remove_workload(workload)

    def _do_delete_pod(self, action: a.DeletePod) -> None:
        namespace, _, name = action.target.partition("/")
        pod = self._cluster.pod_names.get((namespace, name))
        if pod is None:
            raise _missing("pod", action.target, self._cluster.pod_names)
        self._cluster.delete_pod(pod)

    # -- namespaces, churn

    def _do_create_namespace(self, action: a.CreateNamespace) -> None:
        if action.target in self._cluster.namespaces:
            raise InvalidMessageError(f"The namespace {action.target} is already there", "target")
        self._capacity.check_namespace()
        self._cluster.add_namespace(action.target)

    def _do_delete_namespace(self, action: a.DeleteNamespace) -> None:
        found = self._cluster.namespaces.get(action.target)
        if found is None:
            raise _missing("namespace", action.target, self._cluster.namespaces)
        self._namespaces.delete(found)

    def _do_set_churn(self, action: a.SetChurn) -> None:
        self._churn.set_rate(action.rate)


def _missing(what: str, name: str, there: Collection[str | tuple[str, str]]) -> InvalidMessageError:
    # Of a large cluster some will do: to sort all of them takes its time.
    names = sorted(n if isinstance(n, str) else "/".join(n) for n in islice(there, _LOOKED_THROUGH))
    shown = ", ".join(names[:8]) + (f" and {len(there) - 8} more" if len(there) > 8 else "")
    return InvalidMessageError(f"There is no {what} {name}", f"target: there are {shown or 'none'}")
