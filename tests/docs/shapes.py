"""JSON as the pages show it: an example need not have the values of the real thing, but its fields and their types."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

# Maps whose keys are the user's, not ours.
_FREE = frozenset({"labels"})


def values(text: str) -> Iterator[Any]:
    """The JSON values of a text, one after another. Raises ValueError for what is none."""
    decoder, rest = json.JSONDecoder(), text.strip()
    while rest:
        value, end = decoder.raw_decode(rest)
        yield value
        rest = rest[end:].lstrip()


def differences(shown: Any, real: Any, place: str = "") -> Iterator[str]:
    """In what an example is not like the real thing: a field too many or too few, another type."""
    if isinstance(shown, dict) and isinstance(real, dict):
        if place.rpartition(".")[2] in _FREE:
            return
        for key in sorted({*shown, *real}):
            if key in shown and key in real:
                yield from differences(shown[key], real[key], f"{place}.{key}")
            else:
                yield f"{place}.{key}: {'is not there' if key in shown else 'is left out'}"
    elif isinstance(shown, list) and isinstance(real, list):
        # Each element is like some real one; where there is none, nothing is known.
        for number, item in enumerate(shown):
            nearest = min(
                (list(differences(item, other, f"{place}[{number}]")) for other in real), key=len, default=[]
            )
            yield from nearest
    elif _type(shown) != _type(real) and None not in (shown, real):
        yield f"{place}: {_type(shown)}, and {_type(real)} is real"


def _type(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, int | float) else type(value).__name__
