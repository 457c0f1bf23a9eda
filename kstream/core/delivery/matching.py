"""Which of many selectors match an object: found by its labels, however many selectors there are.

A requirement that asks for a label is met by what the object has, or not at all; one that forbids something is broken
by what it has, or not at all. So only those are looked at that its labels touch, and each selector that asks for
something counts what is met.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar

from kstream.core.delivery.selectors import Operator, Requirement, Selector

_T = TypeVar("_T")
_Some = dict[_T, None]  # in the order in which they came


class Matching(Generic[_T]):
    """Of whatever has a selector and is hashable."""

    def __init__(self) -> None:
        self._asks: dict[_T, int] = {}  # how many requirements something without a label does not meet
        self._content: _Some[_T] = {}  # those that ask for nothing
        self._met: dict[
            tuple[str, str], _Some[_T]
        ] = {}  # one requirement of theirs, by a label with that value
        self._broken: dict[tuple[str, str], _Some[_T]] = {}
        self._met_by: dict[str, _Some[_T]] = {}  # by a label, whatever its value
        self._broken_by: dict[str, _Some[_T]] = {}
        self._compared: dict[str, dict[Requirement, _Some[_T]]] = {}

    def __bool__(self) -> bool:
        return bool(self._asks)

    def add(self, each: _T, selector: Selector) -> None:
        asks = 0
        for requirement in selector.requirements:
            key, values = requirement.key, requirement.values
            match requirement.operator:
                case Operator.IN:
                    for value in values:
                        self._met.setdefault((key, value), {})[each] = None
                case Operator.NOT_IN:
                    for value in values:
                        self._broken.setdefault((key, value), {})[each] = None
                case Operator.EXISTS:
                    self._met_by.setdefault(key, {})[each] = None
                case Operator.ABSENT:
                    self._broken_by.setdefault(key, {})[each] = None
                case Operator.GREATER | Operator.LESS:  # pragma: no branch - there is no other
                    self._compared.setdefault(key, {}).setdefault(requirement, {})[each] = None
            asks += requirement.operator not in (Operator.NOT_IN, Operator.ABSENT)
        self._asks[each] = asks
        if not asks:
            self._content[each] = None

    def remove(self, each: _T, selector: Selector) -> None:
        del self._asks[each]
        self._content.pop(each, None)
        for requirement in selector.requirements:
            key = requirement.key
            for value in requirement.values:
                _drop(self._met, (key, value), each)
                _drop(self._broken, (key, value), each)
            _drop(self._met_by, key, each)
            _drop(self._broken_by, key, each)
            if (compared := self._compared.get(key)) is not None:
                _drop(compared, requirement, each)
                if not compared:
                    del self._compared[key]

    def of(self, labels: Mapping[str, str]) -> list[_T]:
        """Those whose selectors match these labels, each once."""
        met: dict[_T, int] = {}
        broken: set[_T] = set()
        for pair in labels.items():
            key = pair[0]
            for each in self._met.get(pair, ()):
                met[each] = met.get(each, 0) + 1
            for each in self._met_by.get(key, ()):
                met[each] = met.get(each, 0) + 1
            if (compared := self._compared.get(key)) is not None:
                for requirement, some in compared.items():
                    if requirement.holds(labels):
                        for each in some:
                            met[each] = met.get(each, 0) + 1
            broken.update(self._broken.get(pair, ()), self._broken_by.get(key, ()))
        asks = self._asks
        found = [each for each in self._content if each not in broken]
        found += [each for each, count in met.items() if count == asks[each] and each not in broken]
        return found


_K = TypeVar("_K")


def _drop(among: dict[_K, _Some[_T]], key: _K, each: _T) -> None:
    some = among.get(key)
    if some is not None and each in some:
        del some[each]
        if not some:
            del among[key]
