"""What Locust is started with: the users, KSTREAM_VIEWERS of them viewers, and the shape that KSTREAM_SHAPE names."""

from __future__ import annotations

import os

from locust import events
from locust.env import Environment

from loadtest.shapes import SHAPES
from loadtest.users import Flooder, Herd, Narrow, Normal, Run, SlowReader
from loadtest.viewers import Follower, LabelledRewinder, NarrowRewinder, Rewinder, Viewer


def _share(viewers: int, *kinds: type[Viewer]) -> None:
    """As many of each kind as of the others, or one more."""
    for place, kind in enumerate(kinds):
        kind.fixed_count = (viewers + len(kinds) - 1 - place) // len(kinds)
        kind.weight = 1 if kind.fixed_count else 0


_share(int(os.environ.get("KSTREAM_VIEWERS", "0")), Rewinder, NarrowRewinder, Follower, LabelledRewinder)

__all__ = [
    "Flooder", "Follower", "Herd", "LabelledRewinder", "Narrow", "NarrowRewinder", "Normal", "Rewinder", "SlowReader",
]  # fmt: skip


class Shape(SHAPES[os.environ.get("KSTREAM_SHAPE", "ramp")]):  # type: ignore[misc]  # chosen when it is started
    """The one of this run."""


@events.init.add_listener
def prepare(environment: Environment, **_: object) -> None:
    # Locust's place for what a run shares
    environment.shared = Run(faulty="KSTREAM_FAULTY" in os.environ)  # type: ignore[attr-defined]
