"""How bad the state of an object is, by the STATUS that kubectl prints of it; the page calls it "not well".

Bad is what nobody waits for: CrashLoopBackOff, Error, ImagePullBackOff, Evicted, Unknown, NotReady. What passes by
itself is not: Pending, ContainerCreating, Init:1/2, Terminating. A pod that is Pending for hours is not bad either: one
version does not tell since when, and an answer must not depend on how much of the past is kept.

The index of a log holds what was judged (docs/log-format.md): another answer to whether something is bad is another
format. The page (viewer-model.js) is held to the same answers by fixtures/statuses.json.
"""

from __future__ import annotations

import re
from enum import IntEnum
from functools import lru_cache
from typing import Final


class Badness(IntEnum):
    """How much somebody should care; from PRESSED on it is bad."""

    NONE = 0
    WAITING = 1  # on its way, or waiting for room: bad when it lasts
    PRESSED = 2  # it was told to go, is held back, or goes on short of something
    FAILING = 3


TOLD_TO_GO: Final = frozenset({"Evicted", "Preempting", "Shutdown", "NodeShutdown", "Terminated"})
"""What is said of a pod that made room on its node."""
_WORDS: Final = {
    **dict.fromkeys(("Running", "Completed", "Succeeded", "Ready", "Active"), Badness.NONE),
    **dict.fromkeys(("Pending", "ContainerCreating", "PodInitializing", "Terminating"), Badness.WAITING),
    "SchedulingDisabled": Badness.WAITING,
    **dict.fromkeys((*TOLD_TO_GO, "SchedulingGated", "NotReady"), Badness.PRESSED),
}
_INIT: Final = re.compile(r"Init:\d+/\d+", re.ASCII)
_FIELD: Final = '"status":"'
RUNNING: Final = '"status":"Running"'
"""What the body of nearly every pod has: quicker to look for than to read what it has."""


@lru_cache(1024)  # there are few, and very many bodies
def badness(status: str) -> Badness:
    """Of a pod, a node or a namespace: that of the worst word. Reasons are without number: an unknown one fails."""
    if not status:
        return Badness.WAITING  # nothing is known of it yet
    return max(
        Badness.WAITING if _INIT.fullmatch(word) else _WORDS.get(word, Badness.FAILING)
        for word in status.split(",")
    )


def is_bad(status: str) -> bool:
    """Whether nobody waits for that."""
    return badness(status) >= Badness.PRESSED


def is_unwell(body: str) -> bool:
    """The same of a resource, which is compact JSON. Its own status is the first in it (docs/resources.md)."""
    start = body.find(_FIELD)
    if start < 0:
        return False
    start += len(_FIELD)
    return is_bad(body[start : body.find('"', start)])
