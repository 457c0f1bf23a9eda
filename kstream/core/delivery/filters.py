"""Which part of the cluster a client watches (PROTOCOL 14, 30)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from kstream.core.delivery.selectors import Selector
from kstream.core.errors import InvalidMessageError
from kstream.core.naming import LABEL_RULE, MAX_NAMESPACES, is_label
from kstream.core.timeline.events import Kind, ObjectKey

_KINDS: Final = {f"{kind}s": kind for kind in (Kind.POD, Kind.NODE, Kind.NAMESPACE)}


class Detail(StrEnum):
    """How much of each pod a client is told (PROTOCOL 33)."""

    WHOLE = "whole"
    MAP = "map"


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """The pods of a map that one client looks at, by uid; nobody else's are the same."""

    uids: frozenset[str]


@dataclass(frozen=True, slots=True)
class Filter:
    """`namespaces`: pods and namespaces of these names only, nodes always. `kinds`: objects of these only. `labels`: of
    pods only those that it matches. None is everything. `looks`: of a map, those that are told as a whole."""

    namespaces: frozenset[str] | None = None
    kinds: frozenset[Kind] | None = None
    labels: Selector | None = None
    detail: Detail = Detail.WHOLE
    looks: Looks | None = None

    @classmethod
    def parse(
        cls, names: Iterable[str] = (), *, kinds: Iterable[str] = (), labels: str = "", detail: str = ""
    ) -> Filter:
        """Check what a client wrote; nothing at all is everything. `kinds`: of pods, nodes, namespaces.

        Raises InvalidMessageError for a name that is no DNS label (RFC 1123), for too many of them, for another
        kind or detail, and as Selector.parse does.
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
        selector = Selector.parse(labels)
        shown = frozenset(map(_kind, kinds)) or frozenset(Kind)
        if Kind.POD not in shown:
            selector = None  # there is nothing for it to say
        return cls(
            wanted or None,
            None if shown == frozenset(Kind) else shown,
            selector,
            _detail(detail or Detail.WHOLE),
        )

    @classmethod
    def of_query(cls, given: Callable[[str], Iterable[str]]) -> Filter:
        """`?namespaces=a,b&kinds=pods&labels=app=web`; `given` has the values of a parameter.

        One that is given twice adds up, an empty value says nothing. Raises as `parse` does.
        """
        selectors = [
            value for value in given("labels") if Selector.parse(value) is not None
        ]  # each is a whole one
        return cls.parse(
            _split(given("namespaces")),
            kinds=_split(given("kinds")),
            labels=",".join(selectors),
            detail=next(iter(given("detail")), ""),
        )

    def __contains__(self, key: ObjectKey) -> bool:
        """Whether an object of this name is of the part, as far as its labels allow."""
        if self.kinds is not None and key.kind not in self.kinds:
            return False
        if self.namespaces is None or key.kind is Kind.NODE:
            return True
        return (key.namespace if key.kind is Kind.POD else key.name) in self.namespaces

    def lets_through(self, key: ObjectKey, body: bytes) -> bool:
        """Whether an object with this body is of the part."""
        return key in self and (self.labels is None or key.kind is not Kind.POD or self.labels.shows(body))

    @property
    def maps(self) -> bool:
        """Whether pods are told as a map is."""
        return self.detail is Detail.MAP

    @property
    def remembers(self) -> bool:
        """Whether what it is told of an event depends on more than the log has of it: only memory can tell it again."""
        return self.labels is not None or self.maps

    def looking_at(self, uids: Iterable[str]) -> Filter:
        """The same, with these pods told as a whole."""
        looks = frozenset(uids)
        return replace(self, looks=Looks(looks) if looks else None)

    @property
    def counts_pods(self) -> bool:
        """Whether all pods of a namespace that is shown are shown too: then `podCount` is theirs."""
        return self.labels is None and self.shows(Kind.POD)

    def shows(self, kind: Kind) -> bool:
        """Whether there may be an object of that kind in it."""
        return self.kinds is None or kind in self.kinds


def _split(values: Iterable[str]) -> Iterable[str]:
    # A space beside a comma says nothing. An empty name is refused: a filter must not widen because a text was empty.
    return (name.strip() for value in values if value.strip() for name in value.split(","))


def _detail(name: str) -> Detail:
    try:
        return Detail(name)
    except ValueError:
        raise InvalidMessageError(
            "There is no such detail", f"detail: {name[:80]!r} must be one of {', '.join(Detail)}"
        ) from None


def _kind(name: str) -> Kind:
    try:
        return _KINDS[name]
    except KeyError:
        raise InvalidMessageError(
            "There is no such kind", f"kinds: {name[:80]!r} must be one of {', '.join(_KINDS)}"
        ) from None


EVERYTHING = Filter()
