"""Namespaces: deleted with all that is in them, and gone when nothing is left."""

from __future__ import annotations

from kstream.core.timeline.events import Verb
from simulator.cluster.controllers.deployments import DeploymentController
from simulator.cluster.objects import Namespace, Pod
from simulator.cluster.storage import Cluster
from simulator.cluster.workloads import Deployment

PAUSE = 5.0  # seconds from the deletion to the first sweep: what was being created gets in before


class NamespaceController:
    def __init__(self, cluster: Cluster, deployments: DeploymentController) -> None:
        self._cluster = cluster
        self._deployments = deployments
        cluster.hooks.namespace_emptied.append(self._on_emptied)

    def delete(self, namespace: Namespace) -> None:
        if namespace.deletion is None:
            namespace.deletion = self._cluster.now
            self._cluster.write_namespace(Verb.MODIFIED, namespace)
            self._cluster.engine.after(PAUSE, self._sweep, namespace)

    def _sweep(self, namespace: Namespace) -> None:
        cluster = self._cluster
        namespace.swept = cluster.now
        cluster.write_namespace(Verb.MODIFIED, namespace)
        mine = [w for w in cluster.workloads.values() if w.namespace == namespace.name]
        pods: list[Pod] = []
        for workload in mine:
            if isinstance(workload, Deployment):
                pods += self._deployments.forget(workload)
        for workload in mine:
            if not workload.deleted:
                cluster.forget_workload(workload)
                pods += workload.pods.values()
        cluster.delete_pods(pods)
        if namespace.name not in cluster.pods_of:
            self._finish(namespace)

    def _on_emptied(self, name: str) -> None:
        namespace = self._cluster.namespaces.get(name)
        if namespace is not None and namespace.deletion is not None:
            self._cluster.engine.after(0.05, self._finish, namespace)

    def _finish(self, namespace: Namespace) -> None:
        cluster = self._cluster
        if cluster.namespaces.get(namespace.name) is namespace and namespace.name not in cluster.pods_of:
            namespace.emptied = True
            cluster.write_namespace(Verb.MODIFIED, namespace)
            cluster.remove_namespace(namespace)
