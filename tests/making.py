"""Small objects for tests: contract resources and what happens to them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from kstream.core.delivery.backlog import Backlog
from kstream.core.delivery.view import View
from kstream.core.timeline.events import Event, Kind, ObjectKey, Verb, WatchEvent
from kstream.core.timeline.state import ClusterState

START = 1_737_712_800.0  # 2025-01-24T10:00:00Z


def pod_key(name: str, namespace: str = "default", uid: str | None = None) -> ObjectKey:
    return ObjectKey(Kind.POD, namespace, name, uid or f"uid-{namespace}-{name}")


def node_key(name: str) -> ObjectKey:
    return ObjectKey(Kind.NODE, "", name, f"uid-{name}")


def namespace_key(name: str) -> ObjectKey:
    return ObjectKey(Kind.NAMESPACE, "", name, f"uid-{name}")


def body_of(key: ObjectKey, mark: str = "", note: str = "") -> bytes:
    """A resource as small as one can be; `mark` is its phase or status, `note` makes bodies differ."""
    fields: dict[str, object] = {"name": key.name, "uid": key.uid}
    match key.kind:
        case Kind.POD:
            fields |= {
                "namespace": key.namespace,
                "nodeName": note or None,
                "phase": mark or "Running",
                "status": "",
                "containers": [],
                "labels": {},
                "creationTimestamp": None,
            }
        case Kind.NODE:
            fields |= {
                "status": mark or "Ready",
                "role": note,
                "capacity": {"cpu": "0m", "memory": "0", "pods": "0"},
                "conditions": [],
                "labels": {},
                "creationTimestamp": None,
            }
        case Kind.NAMESPACE:
            fields["status"] = f"{mark}{note}" or "Active"
    return json.dumps(fields, separators=(",", ":")).encode()


def change(
    verb: Verb, key: ObjectKey, *, mark: str = "", note: str = "", version: str = "1", time: float = START
) -> WatchEvent:
    if verb is Verb.DELETED:
        fields = {"uid": key.uid, "name": key.name}
        if key.kind is Kind.POD:
            fields["namespace"] = key.namespace
        return WatchEvent(verb, key, version, time, json.dumps(fields, separators=(",", ":")).encode())
    return WatchEvent(verb, key, version, time, body_of(key, mark, note))


def numbered(changes: Iterable[WatchEvent], after: int = 0) -> list[Event]:
    return [Event(seq, item) for seq, item in enumerate(changes, after + 1)]


def named(told: Iterable[tuple[object, ...]]) -> list[tuple[object, ...]]:
    """Notes and reports with their names, to be compared: without, `Lost()` equals `Synced()`, and both equal ()."""
    return [(type(each).__name__, *each) for each in told]


def state_of(pods: int, note: str) -> ClusterState:
    """The same bytes for all pods: large ones are there once."""
    state = ClusterState()
    body = change(Verb.ADDED, pod_key("p"), note=note).body
    keys = [pod_key(f"p{n}", f"ns{n % 4}") for n in range(pods)]
    for event in numbered([WatchEvent(Verb.ADDED, key, "1", START, body) for key in keys]):
        state.apply(event)
    return state


def take(backlog: Backlog, events: Sequence[Event], *, as_of: float | None = None) -> Sequence[View]:
    """Events into a backlog on which nobody watches by labels: what was before them does not matter."""
    return backlog.append(events, [None] * len(events), as_of=as_of)


def labelled(name: str, labels: Mapping[str, str], *, namespace: str = "default") -> bytes:
    """The body of a pod with these labels."""
    body = json.loads(body_of(pod_key(name, namespace)))
    return json.dumps(body | {"labels": dict(labels)}, separators=(",", ":")).encode()
