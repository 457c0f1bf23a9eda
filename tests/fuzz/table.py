"""Every target by its name."""

from __future__ import annotations

from typing import Final

from tests.fuzz import (
    answers,
    askside,
    clientside,
    clusterside,
    fileside,
    foreignside,
    harnessside,
    headers,
    simulatorside,
)
from tests.fuzz.target import Target

TARGETS: Final[dict[str, Target]] = {
    target.name: target
    for module in (
        clusterside,
        clientside,
        fileside,
        answers,
        headers,
        simulatorside,
        foreignside,
        askside,
        harnessside,
    )
    for target in module.TARGETS
}
