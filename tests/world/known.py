"""Which switches are on in the run of new seeds, and what is found and not mended: a switch and a seed each
(docs/findings.md).

The switches of what is not mended are off in that run. When one is mended, the story of its seed is kept (kept.py).
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Open(NamedTuple):
    number: int  # in docs/findings.md
    switch: str
    seed: int
    kind: str  # of what is found


OPEN: Final[tuple[Open, ...]] = ()

ON: Final = (
    frozenset[str](),
    frozenset({"put back"}),
    frozenset({"lost tail", "warming"}),
    frozenset({"put back", "lost tail"}),
    frozenset({"denied"}),
    frozenset({"restored"}),
    frozenset({"narrow"}),
    frozenset({"file", "put back", "lost tail"}),
    frozenset({"put back", "lost tail", "denied", "warming", "restored", "narrow"}),
)
"""Switches of what is mended: new seeds are played with each of these."""
