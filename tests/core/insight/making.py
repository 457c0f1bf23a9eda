"""Small histories for the tests of insight."""

from __future__ import annotations

import json
from typing import Any

from kstream.core.insight.story import Story
from kstream.core.timeline.events import Event, Kind, ObjectKey, Verb, WatchEvent, deleted_body
from kstream.core.timeline.state import ClusterState

ZONE = "topology.kubernetes.io/zone"


class History:
    """Events one after another, a second apart."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.time = 1000.0
        self._known: set[str] = set()

    def put(self, kind: Kind, name: str, body: dict[str, Any] | None, *, namespace: str = "") -> None:
        key = ObjectKey(kind, namespace, name, f"uid-{namespace}-{name}")
        there = key.uid in self._known
        verb = Verb.DELETED if body is None else Verb.MODIFIED if there else Verb.ADDED
        (self._known.discard if body is None else self._known.add)(key.uid)
        raw = (
            deleted_body(key)
            if body is None
            else json.dumps({"name": name, **body}, separators=(",", ":")).encode()
        )
        self.time += 1
        self.events.append(Event(len(self.events) + 1, WatchEvent(verb, key, "", self.time, raw)))

    def node(self, name: str, status: str = "Ready", *, zone: str = "", pressure: str = "") -> None:
        conditions = [{"type": "Ready", "status": "True"}]
        if pressure:
            conditions.append({"type": pressure, "status": "True"})
        labels = {ZONE: zone} if zone else {}
        self.put(Kind.NODE, name, {"status": status, "conditions": conditions, "labels": labels})

    def pod(self, name: str, status: str = "Running", **more: Any) -> None:
        """`of` is its workload's name, `kind` that one's kind."""
        of, kind = more.pop("of", "web"), more.pop("kind", "Deployment")
        restarts, image = more.pop("restarts", 0), more.pop("image", "i:1")
        self.put(
            Kind.POD,
            name,
            {
                "nodeName": more.pop("node", "n1"),
                "phase": more.pop("phase", "Running"),
                "status": status,
                "containers": [{"name": "c", "image": image, "restartCount": restarts}],
                "owner": {"kind": kind, "name": of},
                **more,
            },
            namespace="shop",
        )

    def pod_gone(self, name: str) -> None:
        self.put(Kind.POD, name, None, namespace="shop")

    def namespace(self, name: str, status: str = "Active") -> None:
        self.put(Kind.NAMESPACE, name, {"status": status})

    def state(self) -> ClusterState:
        state = ClusterState()
        for event in self.events:
            state.apply(event)
        return state

    def story(self, after: int = 0) -> Story:
        state = ClusterState()
        for event in self.events[:after]:
            state.apply(event)
        story = Story(state)
        story.take(self.events[after:])
        return story
