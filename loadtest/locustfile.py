"""What Locust is started with: the users, and the shape that KSTREAM_SHAPE names."""

from __future__ import annotations

import os

from locust import events
from locust.env import Environment

from loadtest.shapes import SHAPES
from loadtest.users import Flooder, Herd, Narrow, Normal, Run, SlowReader

__all__ = ["Flooder", "Herd", "Narrow", "Normal", "SlowReader"]


class Shape(SHAPES[os.environ.get("KSTREAM_SHAPE", "ramp")]):  # type: ignore[misc]  # chosen when it is started
    """The one of this run."""


@events.init.add_listener
def prepare(environment: Environment, **_: object) -> None:
    environment.shared = Run()  # type: ignore[attr-defined]  # Locust's place for what a run shares
