"""What makes one version of a resource of the one before it: the same few edits for very many objects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

Edit = tuple[Sequence[str | int], Any]
"""Where, by names of fields and places in lists, and the value that is there now; at no place at all: the whole."""


def edits(before: Any, after: Any) -> list[Edit]:
    """Of two JSON values: the places where they differ. Fields keep their order, also where some come or go: what holds
    them is replaced as a whole then, as is a list that becomes longer or shorter."""
    return list(_differing((), before, after))


def _differing(path: tuple[str | int, ...], before: Any, after: Any) -> Iterator[Edit]:
    if isinstance(before, dict) and isinstance(after, dict) and list(before) == list(after):
        for name, value in after.items():
            yield from _differing((*path, name), before[name], value)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for place, value in enumerate(after):
            yield from _differing((*path, place), before[place], value)
    elif not _same(before, after):
        yield path, after


def _same(before: Any, after: Any) -> bool:
    """What holds others gets here only where it is to be replaced."""
    return before == after and type(before) is type(after) and not isinstance(before, (dict, list))
