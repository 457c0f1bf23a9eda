"""How much a busy process lets events gather before it sends again: fewer and larger batches, never a backlog of work.

As long as flushes are short there is no pause and every event leaves at once. When a flush takes long, or the event
loop is late, the next flush waits as long as that: half of the time stays for everything else, all clients are late
by the same, and what gathered meanwhile costs one write for each of them.
"""

from __future__ import annotations

_SHORT = 0.02  # seconds that a flush may take, or the loop be late, without a pause
LONGEST = 0.25  # seconds of pause at most: what a client is late by is bounded


def pause_after(took: float, lag: float) -> float:
    """Seconds to wait after a flush that took `took` seconds, in a loop that is `lag` seconds late."""
    strain = max(took, lag)
    return 0.0 if strain < _SHORT else min(strain, LONGEST)
