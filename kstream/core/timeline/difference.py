"""What changed from one version of a resource to the next, by path."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

_ABSENT: Final = object()


class Difference(NamedTuple):
    """`path` as people write it: `status`, `containers[web].restartCount`, `conditions[Ready].status`.

    `before` and `after` are JSON values; None where there was none, or will be none.
    """

    path: str
    before: Any
    after: Any

    def __str__(self) -> str:
        return f"{self.path}: {_text(self.before)} → {_text(self.after)}"


def differences(before: bytes, after: bytes) -> list[Difference]:
    """Of two bodies, JSON objects, in the order of their fields; of none (b"") to some, each field that has a value.

    Items of a list that all have a name, or a type, are told apart by it, others by their place."""
    return list(_compared("", json.loads(before or b"{}"), json.loads(after or b"{}")))


def _compared(path: str, before: Any, after: Any) -> Iterator[Difference]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in dict.fromkeys([*before, *after]):
            below = f"{path}.{name}" if path else name
            yield from _compared(below, before.get(name, _ABSENT), after.get(name, _ABSENT))
        return
    if isinstance(before, list) and isinstance(after, list):
        left, right = _by_name(before), _by_name(after)
        if left is not None and right is not None:
            for name in dict.fromkeys([*left, *right]):
                yield from _compared(f"{path}[{name}]", left.get(name, _ABSENT), right.get(name, _ABSENT))
            return
        for place in range(max(len(before), len(after))):
            pair = [items[place] if place < len(items) else _ABSENT for items in (before, after)]
            yield from _compared(f"{path}[{place}]", *pair)
        return
    if before != after or type(before) is not type(after):  # True is 1 to Python
        yield Difference(path, *(None if value is _ABSENT else value for value in (before, after)))


def _by_name(items: Sequence[Any]) -> dict[str, Any] | None:
    """None where they cannot be told apart by name."""
    for field in ("name", "type"):
        named = {
            item[field]: item
            for item in items
            if isinstance(item, Mapping) and isinstance(item.get(field), str)
        }
        if len(named) == len(items):
            return named
    return None


def _text(value: Any) -> str:
    if value is None:
        return "nothing"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
