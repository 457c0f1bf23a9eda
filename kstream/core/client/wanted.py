"""What a client wants to be told: a filter, as a caller gave it (PROTOCOL 14, 30, 33)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple


class Wanted(NamedTuple):
    """Names in the order in which they were given."""

    namespaces: tuple[str, ...]
    kinds: tuple[str, ...]
    labels: str
    detail: str  # "" for the whole of each pod

    @classmethod
    def of(cls, namespaces: Iterable[str], kinds: Iterable[str], labels: str, detail: str) -> Wanted:
        """Raises TypeError for what is no list of texts, and for labels that are no text."""
        if not isinstance(labels, str):
            raise TypeError(f"labels is {labels!r}: give a text, such as 'app=web'")
        return cls(
            names_of("namespaces", namespaces),
            names_of("kinds", kinds),
            labels.strip(),
            "" if detail == "whole" else detail,
        )

    @property
    def asked(self) -> tuple[frozenset[str], frozenset[str], str, str]:
        """To be compared: the order of names says nothing."""
        return frozenset(self.namespaces), frozenset(self.kinds), self.labels, self.detail

    def fields(self) -> dict[str, Any]:
        """Of a `subscribe`."""
        said: dict[str, Any] = {"namespaces": self.namespaces}
        rest = {"kinds": self.kinds, "labels": self.labels, "detail": self.detail}
        return said | {name: value for name, value in rest.items() if value}

    def query(self) -> dict[str, str]:
        """The parameters of a URL."""
        said = [",".join(self.namespaces), ",".join(self.kinds), self.labels, self.detail]
        return {name: value for name, value in zip(self._fields, said, strict=True) if value}


def names_of(what: str, given: Iterable[str]) -> tuple[str, ...]:
    """The names that a caller gave. Raises TypeError for a single text, whose letters would be names."""
    if isinstance(given, str):
        raise TypeError(f"{what} is the text {given!r}: give a list of names, [{given!r}]")
    if not isinstance(given, Iterable):
        raise TypeError(f"{what} is {given!r}: give a list of names, or [] for all")
    names = tuple(given)
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"{what} has {name!r}: names are texts")
    return names
