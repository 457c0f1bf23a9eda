"""Whether an object is in a bad state, by the STATUS that kubectl prints of it; the page calls it "not well".

Bad is what nobody waits for: CrashLoopBackOff, Error, ImagePullBackOff, Evicted, Unknown, a node's NotReady. What
passes by itself is not: Pending, ContainerCreating, Init:1/2, Terminating. A pod that is Pending for hours is not bad
either: one version does not tell since when, and an answer must not depend on how much of the past is kept.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

# As viewer-model.js has them, so that a scrubber and the table under it mean the same.
_FINE: Final = frozenset(
    {
        *("Running", "Completed", "Succeeded", "Ready", "Active"),
        *("Pending", "ContainerCreating", "PodInitializing", "Terminating", "SchedulingDisabled"),
    }
)
_INIT: Final = re.compile(r"Init:\d+/\d+", re.ASCII)
_FIELD: Final = '"status":"'
RUNNING: Final = '"status":"Running"'
"""What the body of nearly every pod has: quicker to look for than to read what it has."""


def is_bad(status: str) -> bool:
    """Of a pod, a node or a namespace; nothing is known of one without a status."""
    return bool(status) and not all(
        word in _FINE or _INIT.fullmatch(word) is not None for word in status.split(",")
    )


def is_unwell(body: str) -> bool:
    """The same of a resource, which is compact JSON. Its own status is the first in it (docs/resources.md)."""
    start = body.find(_FIELD)
    if start < 0:
        return False
    start += len(_FIELD)
    return _is_bad(body[start : body.find('"', start)])


_is_bad: Final = lru_cache(1024)(is_bad)  # there are few, and very many bodies
