"""What the world has found and what is not mended yet: a switch and a seed each (docs/findings.md).

The switches are off in the run of new seeds. When one is mended, its seed becomes an ordinary one, and its switch is
on in every run.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Open(NamedTuple):
    number: int  # in docs/findings.md
    switch: str
    seed: int
    kind: str  # of what is found


OPEN: Final = (
    Open(1, "put back", 9, "untrue"),
    Open(1, "lost tail", 15, "untrue"),
    Open(2, "denied", 0, "untrue"),
    Open(3, "warming", 1, "untrue"),
    Open(5, "restored", 0, "untrue"),
)

MENDED: Final = (7, 24, 60, 249)
"""Seeds that once found something without a switch."""
