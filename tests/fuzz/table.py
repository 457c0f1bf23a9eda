"""Every target by its name."""

from __future__ import annotations

from typing import Final

from tests.fuzz import clientside, clusterside
from tests.fuzz.target import Target

TARGETS: Final[dict[str, Target]] = {
    target.name: target for target in (*clusterside.TARGETS, *clientside.TARGETS)
}
