"""Which part of the cluster a client watches (PROTOCOL 14)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kstream.core.errors import InvalidMessageError
from kstream.core.naming import LABEL_RULE, MAX_NAMESPACES, is_label
from kstream.core.timeline.events import Kind, ObjectKey


@dataclass(frozen=True, slots=True)
class Filter:
    """Pods and namespaces of these names only, nodes always; None is everything."""

    namespaces: frozenset[str] | None = None

    @classmethod
    def parse(cls, names: Iterable[str]) -> Filter:
        """Check names as a client wrote them; none at all is everything.

        Raises InvalidMessageError for a name that is no DNS label (RFC 1123) and for too many of them.
        """
        wanted = frozenset(names)
        for name in wanted:
            if not is_label(name):
                raise InvalidMessageError(
                    "A namespace is not a DNS label",
                    f"namespaces: {name[:80]!r} must be {LABEL_RULE}",
                )
        if len(wanted) > MAX_NAMESPACES:
            raise InvalidMessageError(
                "Too many namespaces",
                f"namespaces: {len(wanted)} names; ask for at most {MAX_NAMESPACES}, or for all by naming none",
            )
        return cls(wanted or None)

    @classmethod
    def of_query(cls, values: Iterable[str]) -> Filter:
        """`?namespaces=a,b`, also given twice; an empty value is no filter. Raises as `parse` does."""
        return cls.parse(name for value in values if value for name in value.split(","))

    def __contains__(self, key: ObjectKey) -> bool:
        if self.namespaces is None or key.kind is Kind.NODE:
            return True
        return (key.namespace if key.kind is Kind.POD else key.name) in self.namespaces


EVERYTHING = Filter()
