"""What a filter lets through, and what is said when something must not be."""

from __future__ import annotations

from collections.abc import Set

from kstream.core.delivery.filters import Filter
from tests.world.cluster import Shown


class FindingError(AssertionError):
    """Something that must not be; its kind, a colon, and what was seen."""


def passes(watched: Filter, shown: Shown) -> bool:
    """Whether an object is one of those that a filter lets through."""
    kind = "pods" if "phase" in shown else "nodes" if "capacity" in shown else "namespaces"
    if watched.kinds is not None and kind not in {f"{each}s" for each in watched.kinds}:
        return False
    if kind == "pods" and watched.labels is not None and not watched.labels.matches(shown["labels"]):
        return False
    if watched.namespaces is None or kind == "nodes":
        return True
    return shown.get("namespace", shown["name"]) in watched.namespaces


def forbidden(faults: Set[str], shown: Shown) -> bool:
    """Whether a client that was told these faults knows that such an object may be missing."""
    resource = "pods" if "phase" in shown else "nodes" if "capacity" in shown else "namespaces"
    where = f":{shown['namespace']}" if "namespace" in shown else ""
    return f"permission:list:{resource}{where}" in faults or f"permission:list:{resource}" in faults
