"""How much of an answer a reader with so many tokens can take."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

DEFAULT: Final = 2000  # tokens of an answer, unless more is asked for
MOST: Final = 50_000
_BYTES: Final = 3  # of JSON in a token, at the least: names and numbers are cut into small ones
_REST: Final = 40  # tokens for what tells that something is left out


def tokens(value: Any) -> int:
    """About how many a value takes as JSON, rather too many than too few."""
    return len(json.dumps(value, ensure_ascii=False).encode()) // _BYTES + 1


def fitted(head: dict[str, Any], name: str, items: Iterable[Any], *, limit: int) -> dict[str, Any]:
    """`head` with as many of the items, which come best first, as a number of tokens takes, `limit`.

    What is left out is told. An item that is too large by itself ends it, unless it is the first: something is always
    told.
    """
    left = min(limit, MOST) - tokens(head) - _REST
    kept: list[Any] = []
    more = 0
    for item in items:
        size = tokens(item)
        if more or (size > left and kept):
            more += 1
            continue
        left -= size
        kept.append(item)
    told = {**head, name: kept}
    if more:
        told["left_out"] = f"{more} more; ask for more with max_tokens, or for less with a filter"
    return told
