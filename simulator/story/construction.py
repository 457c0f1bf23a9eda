"""How a scenario's cluster comes to be: as if it had been running for a while when the simulation starts."""

from __future__ import annotations

from collections.abc import Iterator

from simulator.cluster.controllers.deployments import DeploymentController
from simulator.cluster.controllers.nodes import NOT_READY
from simulator.cluster.kubelet import Kubelet
from simulator.cluster.objects import Container, Node, Pod, Workload
from simulator.cluster.scheduler import Scheduler, fits
from simulator.cluster.storage import Cluster
from simulator.cluster.templates import MEBI, ContainerSpec, Fault, Template
from simulator.cluster.workloads import DaemonSet, Deployment, Job, StatefulSet
from simulator.story.scenario import ClusterSpec, Scenario
from simulator.story.workloads import ContainerModel, WorkloadSpec

PODS_IN_A_STEP = 200
HOUR = 3_600_000  # milliseconds
CONTROL_PLANE = "node-role.kubernetes.io/control-plane"
SYSTEM_NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")

_TEAMS = ("shop", "payments", "search", "media", "platform", "analytics", "mail", "maps", "identity", "ads")
_SERVICES = (
    "web", "api", "worker", "cache", "gateway", "scheduler", "indexer", "frontend", "billing", "catalog",
    "orders", "sessions", "thumbnails", "feed", "notifier", "importer", "exporter", "recommender", "quota",
    "ledger",
)  # fmt: skip
_IMAGES = ("nginx:1.28", "redis:7.4", "envoyproxy/envoy:v1.31", "python:3.13", "golang:1.23", "node:22")


def make_workload(cluster: Cluster, spec: WorkloadSpec) -> Workload:
    """The workload of a description, known to the cluster but without pods."""
    if spec.namespace not in cluster.namespaces:
        cluster.add_namespace(spec.namespace)
    common = {"namespace": spec.namespace, "name": spec.name, "uid": cluster.new_uid()}
    template = make_template(spec)
    made: Workload
    if spec.kind == "Deployment":
        made = Deployment(
            **common,
            template=template,
            replicas=spec.replicas,
            max_surge=spec.max_surge,
            max_unavailable=spec.max_unavailable,
        )
    elif spec.kind == "StatefulSet":
        made = StatefulSet(**common, template=template, replicas=spec.replicas)
    elif spec.kind == "DaemonSet":
        made = DaemonSet(**common, template=template)
    else:
        made = Job(
            **common,
            template=template,
            completions=spec.completions,
            parallelism=spec.parallelism,
            backoff_limit=spec.backoff_limit,
            ttl=spec.ttl,
        )
    cluster.add_workload(made)
    return made


def make_template(spec: WorkloadSpec) -> Template:
    job = spec.kind == "Job"
    run_time = spec.run_time
    if job and run_time is None:
        run_time = (5.0, 15.0)
    return Template(
        labels={"app": spec.name, **spec.labels},
        containers=tuple(_container(c) for c in spec.containers),
        init=(*map(_container, spec.init), *(_container(c, sidecar=True) for c in spec.sidecars)),
        restart=spec.restart if job else "Always",
        grace=spec.grace,
        toleration=spec.toleration,
        everywhere=spec.kind == "DaemonSet",
        node_selector=spec.node_selector,
        startup=(0.0, 0.0) if job else spec.startup,
        init_time=spec.init_time,
        run_time=run_time,
        stop_time=spec.stop_time,
        fault=Fault(**spec.fault.model_dump()) if spec.fault else None,
    )


def _container(model: ContainerModel, *, sidecar: bool = False) -> ContainerSpec:
    return ContainerSpec(
        name=model.name, image=model.image, cpu=model.cpu, memory=model.memory * MEBI, sidecar=sidecar
    )


class Construction:
    """Builds the cluster in steps, each small enough to be one delivery."""

    def __init__(
        self,
        cluster: Cluster,
        scenario: Scenario,
        *,
        scheduler: Scheduler,
        kubelet: Kubelet,
        deployments: DeploymentController,
    ) -> None:
        self._cluster = cluster
        self._scenario = scenario
        self._scheduler = scheduler
        self._kubelet = kubelet
        self._deployments = deployments
        self._dice = cluster.engine.dice("construction")
        self.identity = ""  # the uid of kube-system, as long as the simulation runs
        self.background: list[Deployment] = []  # what churn plays with

    def steps(self) -> Iterator[None]:
        """Build; every `yield` ends a step. The order: namespaces, nodes, the system's own pods, the rest."""
        scenario, cluster = self._scenario, self._cluster
        for name in SYSTEM_NAMESPACES:
            self.identity = cluster.add_namespace(name, age=100 * 24 * HOUR).uid
        yield
        for number in range(scenario.cluster.nodes):
            self.add_node()
            if number % PODS_IN_A_STEP == PODS_IN_A_STEP - 1:
                yield
        yield
        wanted = [*_system(scenario.cluster), *scenario.workloads]
        if scenario.cluster.pods is not None:
            there = sum(spec.pods(scenario.cluster.nodes) for spec in wanted)
            wanted += self._background(scenario.cluster.pods - there)
        named = {(spec.namespace, spec.name) for spec in (*_system(scenario.cluster), *scenario.workloads)}
        for spec in wanted:
            if spec.namespace not in cluster.namespaces:
                cluster.add_namespace(spec.namespace, age=self._dice.below(60 * 24) * HOUR)
            workload = make_workload(cluster, spec)
            yield from self._settle(workload)
            if isinstance(workload, Deployment) and (spec.namespace, spec.name) not in named:
                self.background.append(workload)
            yield

    def add_node(self, *, ready: bool = True) -> Node:
        """The next node: control planes first, then workers, the zones in turn."""
        cluster, spec = self._cluster, self._scenario.cluster
        index = cluster.node_count
        cluster.node_count += 1
        masters = min(spec.control_planes, spec.nodes - 1)
        name = f"control-plane-{index + 1}" if index < masters else f"node-{index - masters + 1}"
        node = Node(
            index=index,
            name=name,
            uid=cluster.new_uid(),
            zone=spec.zones[index % len(spec.zones)],
            now=cluster.now - (24 * HOUR * (1 + self._dice.below(90)) if cluster.now == 0 else 0),
        )
        node.cpu, node.memory, node.pods_limit = spec.cpu, spec.memory << 30, spec.pods_per_node
        node.kubelet = spec.version
        node.labels = {
            "kubernetes.io/arch": "amd64",
            "kubernetes.io/hostname": name,
            "kubernetes.io/os": "linux",
            "topology.kubernetes.io/zone": node.zone,
        }
        if index < masters:
            node.labels[CONTROL_PLANE] = ""
            node.taints[CONTROL_PLANE, "NoSchedule"] = node.created
        if not ready:
            node.conditions["Ready"] = ("False", "KubeletNotReady", node.created)
            node.taints[NOT_READY, "NoSchedule"] = node.created
        cluster.add_node(node)
        return node

    def _background(self, pods: int) -> list[WorkloadSpec]:
        """Workloads with `pods` pods in all, in team namespaces."""
        cluster = self._scenario.cluster
        dice = self._dice
        usual = max(4, pods // 1500)  # replicas: a big cluster has bigger workloads, not only more
        cpu = min(100, max(1, cluster.cpu * cluster.nodes * 6 // 10 // max(pods, 1)))
        memory = min(64, max(1, cluster.memory * 1024 * cluster.nodes * 6 // 10 // max(pods, 1)))
        made: list[WorkloadSpec] = []
        while pods > 0:
            number = len(made)
            round_, place = divmod(number, len(_TEAMS) * len(_SERVICES))
            team, service = _TEAMS[place % len(_TEAMS)], _SERVICES[place // len(_TEAMS)]
            replicas = min(pods, usual // 2 + 1 + dice.below(usual))
            pods -= replicas
            containers = [ContainerModel(image=_IMAGES[dice.below(len(_IMAGES))], cpu=cpu, memory=memory)]
            if dice.chance(0.15):
                containers.append(ContainerModel(name="proxy", image=_IMAGES[2], cpu=0, memory=1))
            made.append(
                WorkloadSpec(
                    namespace=f"{team}-{round_ + 1}" if round_ else team,
                    name=f"{service}-svc",
                    replicas=replicas,
                    containers=tuple(containers),
                )
            )
        return made

    def _settle(self, workload: Workload) -> Iterator[None]:
        """Give it the pods it would have by now, some in each step."""
        for number, (owner, name, node) in enumerate(self._due(workload), 1):
            self._settle_pod(owner, name=name, node=node)
            if number % PODS_IN_A_STEP == 0:
                yield

    def _due(self, workload: Workload) -> Iterator[tuple[Workload, str, Node | None]]:
        """Who owns each pod, its name if it is not a generated one, and its node if that is settled."""
        if isinstance(workload, Deployment):
            owner = self._deployments.current(workload)
            owner.replicas = workload.replicas
            for _ in range(workload.replicas):
                yield owner, "", None
        elif isinstance(workload, StatefulSet):
            for ordinal in range(workload.replicas):
                yield workload, f"{workload.name}-{ordinal}", None
        elif isinstance(workload, DaemonSet):
            selector = workload.template.node_selector
            for node in self._cluster.nodes.values():
                if all(node.labels.get(k) == v for k, v in selector.items()):
                    yield workload, "", node
        else:
            self._cluster.enqueue(workload)  # a job has only just been asked for

    def _settle_pod(self, owner: Workload, *, name: str = "", node: Node | None = None) -> None:
        """A pod that has been running for a while; one that fits nowhere is pending."""
        cluster = self._cluster
        template = owner.template
        fault = template.fault
        if fault is not None and fault.kind in ("image", "unready"):
            cluster.add_pod(owner, name=name)
            return
        pod = cluster.new_pod(owner, name=name)
        if node is None or not fits(template, node):
            node = self._scheduler.choose(pod)
        if node is None:
            cluster.announce_pod(pod)
            return
        age = self._dice.below(72 * HOUR) + HOUR
        cluster.place(pod, node)
        self._make_running(pod, node, since=cluster.now - age)
        cluster.announce_pod(pod, bound=True)
        self._kubelet.plan_fate(pod)

    def _make_running(self, pod: Pod, node: Node, *, since: int) -> None:
        template = pod.template
        pod.created = pod.scheduled = since - 4000
        pod.started = since - 3000
        pod.ready_since = since + 2000
        pod.labels = {"topology.kubernetes.io/zone": node.zone}
        pod.ip = self._cluster.new_address()
        pod.phase, pod.ready = "Running", True
        for spec in template.init:
            container = Container()
            container.start(since - 2000)
            if spec.sidecar:
                container.ready = True
            else:
                container.stop(since - 1000, code=0, reason="Completed")
            pod.containers.append(container)
        for spec in template.containers:
            container = Container()
            container.start(since)
            container.ready = True
            pod.containers.append(container)
            node.images.add(spec.image)


def _system(cluster: ClusterSpec) -> list[WorkloadSpec]:
    """What every cluster runs for itself."""
    return [
        WorkloadSpec(
            kind="DaemonSet",
            namespace="kube-system",
            name="kube-proxy",
            containers=(
                ContainerModel(
                    name="kube-proxy",
                    image=f"registry.k8s.io/kube-proxy:{cluster.version}",
                    cpu=10,
                    memory=16,
                ),
            ),
        ),
        WorkloadSpec(
            namespace="kube-system",
            name="coredns",
            replicas=2,
            containers=(
                ContainerModel(name="coredns", image="registry.k8s.io/coredns:v1.12", cpu=50, memory=70),
            ),
        ),
    ]
