"""The objects of the simulated cluster as compact state, and the Change that everything outside sees.

Only what differs between two objects of a kind is kept here; kstream sees what `simulator.cluster.render` makes of it.
All times are milliseconds since the simulation's start; a negative time is before it.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

from kstream.core.timeline.events import Kind, Verb
from simulator.cluster.templates import Fault, Template

_FINISHED = ("Failed", "Succeeded")


class Change(NamedTuple):
    """One write to the simulated API server, as a watch of it would tell."""

    time: float  # seconds since the Unix epoch
    verb: Verb
    kind: Kind
    object: dict[str, Any]  # a Kubernetes object; parts are shared with other changes: never mutate it


class Container:
    """What the kubelet reports of one container, init containers included."""

    __slots__ = ("exit_code", "finished", "last", "ready", "reason", "restarts", "since", "state")

    def __init__(self) -> None:
        self.state = "waiting"  # waiting, running or terminated
        self.reason = "ContainerCreating"
        self.ready = False
        self.restarts = 0
        self.since: int = 0  # when it last started
        self.finished: int = 0
        self.exit_code = 0
        self.last: tuple[int, str, int, int] | None = None  # how it ended before: code, reason, from, to

    def start(self, now: int) -> None:
        self.state, self.reason, self.since = "running", "", now

    def stop(self, now: int, *, code: int, reason: str) -> None:
        self.state, self.reason, self.exit_code = "terminated", reason, code
        self.finished = now
        self.ready = False

    def wait(self, reason: str) -> None:
        if self.state == "terminated":
            self.last = (self.exit_code, self.reason, self.since, self.finished)
        self.state, self.reason, self.ready = "waiting", reason, False


class Pod:
    """A pod: which template made it, where it is, and how far it has come."""

    __slots__ = (
        "attempt", "containers", "created", "deletion", "disruption", "grace", "ip", "labels", "name",
        "namespace", "node", "owner", "phase", "ready", "ready_since", "reason", "scheduled", "started",
        "template", "turn", "uid", "version",
    )  # fmt: skip

    def __init__(
        self, *, name: str, namespace: str, uid: str, owner: Workload, template: Template, now: int
    ) -> None:
        self.name = name
        self.namespace = namespace
        self.uid = uid
        self.owner = owner
        self.template = template
        self.created = now
        self.version = 0
        self.phase = "Pending"
        self.reason = ""  # "Evicted"
        self.node: Node | None = None
        self.ip = 0
        self.scheduled: int | None = None
        self.started: int | None = None  # since when a kubelet reports on it
        self.containers: list[Container] = []  # init containers first; empty until a kubelet reports
        self.ready = False
        self.ready_since = now
        self.deletion: int | None = None  # deletionTimestamp
        self.grace = 0  # deletionGracePeriodSeconds
        self.disruption = ""  # reason of the DisruptionTarget condition
        self.turn = 0  # a step planned in an earlier turn finds that it is out of date
        self.attempt = 0  # of the image pull
        self.labels: dict[str, str] | None = None  # added to the template's

    @property
    def finished(self) -> bool:
        return self.phase in ("Succeeded", "Failed")


class Workload:
    """The common part: a controller object that owns pods. `pods` keeps the order of creation."""

    __slots__ = ("deleted", "fault", "name", "namespace", "pods", "queued", "template", "uid")

    kind: ClassVar[str] = ""
    api_version: ClassVar[str] = "apps/v1"

    def __init__(self, *, namespace: str, name: str, uid: str, template: Template) -> None:
        self.namespace = namespace
        self.name = name
        self.uid = uid
        self.template = template
        self.pods: dict[str, Pod] = {}
        self.fault: Fault | None = None  # that befell it while it ran; the template's own comes second
        self.queued = False
        self.deleted = False

    def alive(self) -> list[Pod]:
        """The pods that still count: neither finished nor being deleted."""
        # Not p.finished: this runs over every pod of a workload whenever one of them changes.
        return [p for p in self.pods.values() if p.deletion is None and p.phase not in _FINISHED]


class Node:
    """A node and its kubelet."""

    __slots__ = (
        "alive", "conditions", "cordoned", "cpu", "cpu_used", "created", "heartbeat", "images", "index", "kubelet",
        "labels", "memory", "memory_used", "name", "owners", "pods", "pods_limit", "taints", "turn", "uid", "version",
        "zone",
    )  # fmt: skip

    def __init__(self, *, index: int, name: str, uid: str, zone: str, now: int) -> None:
        self.index = index
        self.name = name
        self.uid = uid
        self.zone = zone
        self.created = now
        self.version = 0
        self.cpu = 4000  # millicores
        self.memory = 8 << 30  # bytes
        self.pods_limit = 110
        self.cpu_used = 0
        self.memory_used = 0
        self.pods: dict[str, Pod] = {}  # by uid; those that hold resources here
        self.owners: dict[str, int] = {}  # owner's uid → its pods here
        self.images: set[str] = set()
        self.labels: dict[str, str] = {}
        self.cordoned = False
        self.taints: dict[tuple[str, str], int] = {}  # (key, effect) → timeAdded
        self.alive = True  # the kubelet posts status
        self.conditions: dict[str, tuple[str, str, int]] = {}  # type → status, reason, since
        self.heartbeat = now
        self.kubelet = "v1.36.2"
        self.turn = 0

    @property
    def ready(self) -> bool:
        return self.conditions["Ready"][0] == "True"


class Namespace:
    __slots__ = ("created", "deletion", "emptied", "name", "swept", "uid", "version")

    def __init__(self, *, name: str, uid: str, now: int) -> None:
        self.name = name
        self.uid = uid
        self.created = now
        self.version = 0
        self.deletion: int | None = None
        self.swept: int | None = None  # since when what is in it is being deleted
        self.emptied = False  # nothing remains
