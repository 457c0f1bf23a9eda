"""The cluster that is watched, small, and what was true of it at every moment."""

from __future__ import annotations

import json
import random
from collections import Counter
from copy import deepcopy
from typing import Any, NamedTuple

from kstream.core.kube.resources import decode_object
from kstream.core.timeline.events import Kind, ObjectKey, Verb
from simulator.apiserver.store import Store
from simulator.cluster.objects import Change

NAMESPACES = ("a", "b", "c", "kube-system")
APPS = ("web", "db", "cache")  # what the label of a pod says
_NODES, _PODS = 3, 24
_PHASES = ("Pending", "Running", "Failed", "Succeeded")

Shown = dict[str, Any]  # a resource as clients hold it, without podCount


class Truth(NamedTuple):
    """`shown` was so from `since` until `until`."""

    since: float
    until: float
    shown: Shown


class Cluster:
    """Writes by chance. Names are used again, uids are not."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(f"cluster {seed}")
        self._labels = random.Random(f"labels {seed}")
        self._number = 0
        self._version = 100
        self.store = Store()
        self._objects: dict[ObjectKey, dict[str, Any]] = {}
        self.history: dict[str, list[Truth]] = {}
        self._copies: list[dict[ObjectKey, dict[str, Any]]] = []
        for name in NAMESPACES:
            self._make(Kind.NAMESPACE, "", name, now=0.0)
        for number in range(_NODES):
            self._make(Kind.NODE, "", f"n{number}", now=0.0)
        for _ in range(_PODS):
            self._make(Kind.POD, self._dice.choice(NAMESPACES), f"p{self._dice.randrange(30)}", now=0.0)

    @property
    def now_shown(self) -> dict[str, Shown]:
        """What is true now, by uid."""
        return {uid: told[-1].shown for uid, told in self.history.items() if told[-1].until == float("inf")}

    def counts(self) -> dict[str, int]:
        """What `metrics` says of it (contract, "Metrics Update")."""
        shown = list(self.now_shown.values())
        phases = Counter(each["phase"] for each in shown if "phase" in each)
        nodes = [each for each in shown if "capacity" in each]
        return {
            "totalNodes": len(nodes),
            "readyNodes": sum(node["status"] == "Ready" for node in nodes),
            "totalPods": phases.total(),
            "runningPods": phases["Running"],
            "pendingPods": phases["Pending"],
            "failedPods": phases["Failed"],
        }

    def write(self, count: int, *, now: float) -> None:
        """So many writes at one moment."""
        for _ in range(count):
            pods = [key for key in self._objects if key.kind is Kind.POD]
            roll = self._dice.random()
            if roll < 0.25 or len(pods) < 5:
                self._make(Kind.POD, self._dice.choice(NAMESPACES), f"p{self._dice.randrange(30)}", now=now)
            elif roll < 0.45:
                self._delete(self._dice.choice(pods), now=now)
            elif roll < 0.9:
                self._modify(self._dice.choice(pods), now=now)
            else:
                nodes = [key for key in self._objects if key.kind is Kind.NODE]
                self._modify(self._dice.choice(nodes), now=now)

    def tenant(self, number: int, *, now: float) -> None:
        """Comes with a namespace, a node and some pods; goes with all of them when it is there."""
        name = f"tenant-{number}"
        theirs = [key for key in self._objects if name in (key.name, key.namespace)]
        for key in sorted(theirs, key=lambda key: key.kind is not Kind.POD):
            self._delete(key, now=now)
        if not theirs:
            self._make(Kind.NAMESPACE, "", name, now=now)
            self._make(Kind.NODE, "", name, now=now)
            for pod in range(3):
                self._make(Kind.POD, name, f"t{pod}", now=now)

    def copy(self) -> None:
        """Keep what is there for `restore`."""
        self._copies.append(deepcopy(self._objects))

    def restore(self, *, now: float) -> None:
        """etcd is put back to an older copy: the history branches, versions go back and are passed again."""
        if not self._copies:
            return
        wanted = self._copies.pop(0)
        objects = {key: deepcopy(value) for key, value in wanted.items()}
        for key in self._objects:
            self._end(key.uid, now)
        self._objects = {}
        self.store = Store()
        self._version = min(int(value["metadata"]["resourceVersion"]) for value in objects.values()) - 1
        in_order = sorted(objects.items(), key=lambda item: int(item[1]["metadata"]["resourceVersion"]))
        for key, value in in_order:
            self._version = int(value["metadata"]["resourceVersion"])
            self._put(Verb.ADDED, key, value, now)
        self.store.compact()  # nobody watches on from before

    def _make(self, kind: Kind, namespace: str, name: str, *, now: float) -> None:
        if any((key.kind, key.namespace, key.name) == (kind, namespace, name) for key in self._objects):
            return
        self._number += 1
        key = ObjectKey(kind, namespace, name, f"uid-{self._number}")
        metadata: dict[str, Any] = {"name": name, "uid": key.uid, "creationTimestamp": "2025-01-24T10:00:00Z"}
        if namespace:
            metadata["namespace"] = namespace
        made: dict[str, Any] = {"metadata": metadata}
        if kind is Kind.POD:
            metadata["labels"] = {"app": self._labels.choice(APPS)}
            made |= {
                "spec": {"nodeName": "n0", "containers": [{"name": "m", "image": "i"}]},
                "status": {"phase": "Pending"},
            }
        elif kind is Kind.NODE:
            made |= {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
        else:
            made |= {"status": {"phase": "Active"}}
        self._version += 1
        self._put(Verb.ADDED, key, made, now)

    def _modify(self, key: ObjectKey, *, now: float) -> None:
        value = deepcopy(self._objects[key])
        if key.kind is Kind.POD:
            value["status"] = {"phase": self._dice.choice(_PHASES)}
            if self._labels.random() < 0.4:
                value["metadata"]["labels"] = {"app": self._labels.choice(APPS)}
        else:
            value["status"] = {
                "conditions": [{"type": "Ready", "status": self._dice.choice(("True", "False"))}]
            }
        self._version += 1
        self._put(Verb.MODIFIED, key, value, now)

    def _delete(self, key: ObjectKey, *, now: float) -> None:
        value = deepcopy(self._objects[key])
        self._version += 1
        self._put(Verb.DELETED, key, value, now)

    def _put(self, verb: Verb, key: ObjectKey, value: dict[str, Any], now: float) -> None:
        value["metadata"]["resourceVersion"] = str(self._version)
        self.store.apply(Change(now, verb, key.kind, value))
        self._end(key.uid, now)
        if verb is Verb.DELETED:
            del self._objects[key]
            return
        self._objects[key] = value
        shown = shown_of(json.loads(decode_object(key.kind, json.dumps(value).encode()).body))
        self.history.setdefault(key.uid, []).append(Truth(now, float("inf"), shown))

    def _end(self, uid: str, now: float) -> None:
        told = self.history.get(uid)
        if told and told[-1].until == float("inf"):
            told[-1] = told[-1]._replace(until=now)


def shown_of(resource: Shown) -> Shown:
    """Clients count pods themselves."""
    return {field: value for field, value in resource.items() if field != "podCount"}
