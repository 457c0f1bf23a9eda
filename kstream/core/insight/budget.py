"""How much of an answer a reader with so many tokens can take."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import islice
from typing import Any, Final

DEFAULT: Final = 2000  # tokens of an answer, unless more is asked for
MOST: Final = 50_000
_BYTES: Final = 3  # of JSON in a token, at the least: names and numbers are cut into small ones
_CUTS: Final = ((300, 50), (100, 20), (60, 12), (40, 8), (20, 5))  # characters of a text, entries of a list
_REST: Final = 40  # tokens for what tells that something is left out


def tokens(value: Any) -> int:
    """About how many a value takes as JSON, rather too many than too few."""
    return len(json.dumps(value, ensure_ascii=False).encode()) // _BYTES + 1


def fitted(
    head: dict[str, Any], name: str, items: Iterable[Any], *, limit: int, total: int | None = None
) -> dict[str, Any]:
    """`head` with as many of the items, which come best first, as a number of tokens takes, `limit`.

    What is left out is told: of `total`, where items are dear to make and so not made to be counted. Something is
    always told: of a first item that is too large by itself what comes first of its texts and lists.
    """
    left = min(limit, MOST) - tokens(head) - _REST
    kept: list[Any] = []
    more = 0
    for item in items:
        if more:
            more += 1
            continue
        size = tokens(item)
        if size > left and kept:
            more = 1
            if total is not None:
                more = total - len(kept)
                break
            continue
        kept.append(item if size <= left else _shortened(item, left))
        left -= size
    told = {**head, name: kept}
    if more:
        told["left_out"] = f"{more} more; ask for more with max_tokens, or for less with a filter"
    return told


def _shortened(item: Any, limit: int) -> Any:
    """As much of it as fits, or little of it."""
    cut = item
    for characters, entries in _CUTS:
        cut = _cut(item, characters, entries)
        if tokens(cut) <= limit:
            break
    return cut


def _cut(value: Any, characters: int, entries: int) -> Any:
    if isinstance(value, str):
        return value if len(value) <= characters else value[:characters] + "…"
    if isinstance(value, dict):
        kept = {
            _cut(key, characters, entries): _cut(each, characters, entries)
            for key, each in islice(value.items(), entries)
        }
        return kept if len(value) <= entries else {**kept, "…": f"{len(value) - entries} more"}
    if isinstance(value, list):
        some = [_cut(each, characters, entries) for each in value[:entries]]
        return some if len(value) <= entries else [*some, f"… {len(value) - entries} more"]
    return value
