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


OPEN: Final[tuple[Open, ...]] = ()

ON: Final = (
    frozenset[str](),
    frozenset({"put back"}),
    frozenset({"lost tail", "warming"}),
    frozenset({"put back", "lost tail"}),
    frozenset({"denied"}),
    frozenset({"restored"}),
    frozenset({"put back", "lost tail", "denied", "warming", "restored"}),
)
"""Switches of what is mended: new seeds are played with each of these."""

PUT_BACK: Final = frozenset({"put back"})
LOST_TAIL: Final = frozenset({"lost tail"})
DENIED: Final = frozenset({"denied"})
RESTORED: Final = frozenset({"restored"})
WARMING: Final = frozenset({"warming"})
MENDED: Final = (
    (3, ON[0]),
    (7, ON[0]),
    (24, ON[0]),
    (60, ON[0]),
    (249, ON[0]),
    (9, PUT_BACK),
    (15, LOST_TAIL),
    (55233836, DENIED),
    (0, DENIED),
    (510955364, DENIED),
    (12, RESTORED),
    (16, RESTORED),
    (24, RESTORED),
    (711851030, RESTORED),
    (5027, RESTORED),
    (5091, RESTORED),
    (7153, RESTORED),
    (1, WARMING),
)
"""Seeds that once found something."""
