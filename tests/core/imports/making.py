"""Objects and lines for the tests of imports."""

from __future__ import annotations

import json
from typing import Any

from kstream.core.imports.foreign import Line, Lines


def pod(
    name: str = "a", *, uid: str = "", version: str = "5", status: Any = None, **metadata: Any
) -> dict[str, Any]:
    return {
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": "shop",
            "uid": uid or f"uid-{name}",
            "resourceVersion": version,
            "creationTimestamp": "2026-01-24T10:00:00Z",
            **metadata,
        },
        "spec": {
            "containers": [{"name": "main", "image": "i", "env": [{"name": "PASSWORD", "value": "hunter2"}]}]
        },
        "status": status or {"phase": "Running"},
    }


def other(kind: str, name: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": name, "uid": f"uid-{name}", "resourceVersion": "3"}, **more}


def file(*texts: Any, name: str = "f", cut: bool = False) -> Lines:
    """A file whose lines are these texts, or these objects; `cut`: no newline follows the last."""
    raws = [(each if isinstance(each, str) else json.dumps(each)).encode() for each in texts]
    return lambda: [
        Line(name, number, raw, whole=not (cut and number == len(raws))) for number, raw in enumerate(raws, 1)
    ]
