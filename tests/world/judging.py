"""What a filter lets through, and what is said when something must not be."""

from __future__ import annotations

from kstream.core.delivery.filters import Filter
from tests.world.cluster import Shown


class FindingError(AssertionError):
    """Something that must not be; its kind, a colon, and what was seen."""


def passes(watched: Filter, shown: Shown) -> bool:
    """Whether an object is one of those that a filter lets through."""
    if watched.namespaces is None or "capacity" in shown:
        return True
    return shown.get("namespace", shown["name"]) in watched.namespaces
