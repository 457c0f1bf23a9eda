"""What comes from other programs to be imported, and from a log to be made objects of again."""

from __future__ import annotations

import json
from collections.abc import Callable

import msgspec

from kstream.core.errors import ConfigError
from kstream.core.imports import audit, capture, kubectl
from kstream.core.imports.foreign import Form, Left, Line
from kstream.core.kube.resources import decode_object
from kstream.core.timeline.events import Event, Kind, ObjectKey
from kstream.core.timeline.recorder import Recorder
from kstream.core.timeline.state import ClusterState
from simulator.apiserver.rebuilding import rebuilt
from tests.fuzz.target import Target


def importing(form: Form) -> Callable[[bytes], None]:
    """What is accepted is one history, at times that never go back."""

    def run(data: bytes) -> None:
        raws = data.split(b"\n")
        lines = [Line("f", number, raw, whole=number < len(raws)) for number, raw in enumerate(raws, 1)]
        changes = list(form([lambda: lines], Left()))
        times = [change.time for change in changes]
        assert times == sorted(times)
        state = ClusterState()
        for seq, change in enumerate(Recorder(state).take(changes), 1):
            state.apply(Event(seq, change))
            json.loads(change.body)

    return run


def rebuilding(data: bytes) -> None:
    """Whatever the body of a pod says, its object can be read, and is the same pod."""
    try:
        made = rebuilt(ObjectKey(Kind.POD, "shop", "a", "u"), data, version=1, time=0.0)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return
    decoded = decode_object(Kind.POD, msgspec.json.encode(made))
    assert (decoded.key.name, decoded.key.uid) == ("a", "u")
    again = json.loads(decoded.body)
    assert again["labels"] == made["metadata"].get("labels", {})


_OBJECTS = (
    "metadata", "name", "namespace", "uid", "resourceVersion", "deletionTimestamp", "creationTimestamp", "finalizers",
    "status", "phase", "spec", "items", "kind", "Pod", "Node", "Namespace", "type", "ADDED", "MODIFIED", "DELETED",
)  # fmt: skip

TARGETS = (
    Target(
        name="import-kubectl",
        run=importing(kubectl.changes),
        syntax="json",
        raises=ConfigError,
        words=(*_OBJECTS, "object", "BOOKMARK", "lastTransitionTime", "2026-01-24T10:00:00Z", "9999-12-31T23:59:59Z"),
        executions=600,
    ),
    Target(
        name="import-audit",
        run=importing(audit.changes),
        syntax="json",
        raises=ConfigError,
        words=(
            *_OBJECTS, "EventList", "Event", "stage", "ResponseComplete", "verb", "create", "delete",
            "deletecollection", "objectRef", "resource", "pods", "responseObject", "responseStatus", "stageTimestamp",
            "details", "deletionGracePeriodSeconds",
        ),
        executions=600,
    ),
    Target(
        name="import-capture",
        run=importing(capture.changes),
        syntax="json",
        raises=ConfigError,
        words=(*_OBJECTS, "t", "stream", "pods", "nodes", "event", "list", "line", "body", "continue"),
        executions=600,
    ),
    Target(
        name="log-to-object",
        run=rebuilding,
        syntax="json",
        raises=None,
        words=(
            "status", "phase", "containers", "state", "waiting", "running", "terminated", "reason", "ready", "labels",
            "owner", "kind", "nodeName", "restartCount", "Terminating", "Completed", "Init:1/2",
            "Init:Error", "Signal:9",
        ),
        executions=600,
    ),
)  # fmt: skip
