"""How many users there are when, and when the cluster is stopped so that all can compare what they hold."""

from __future__ import annotations

import os

import requests
from locust import LoadTestShape

from loadtest.users import Run

QUIET = 20.0  # seconds at the end in which nothing happens


class QuietEnd(LoadTestShape):
    """`users_at` for `seconds`, then the cluster is paused for QUIET seconds, then the end."""

    abstract = True
    # The part of the time in which all viewers are in the present, and the one in which they are compared with that:
    # there are as many users in both.
    alone = (0.55, 0.75)
    beside = (0.75, 1.0)

    def __init__(self) -> None:
        super().__init__()
        self.users = int(os.environ.get("KSTREAM_USERS", "200"))
        self.seconds = float(os.environ.get("KSTREAM_SECONDS", "60"))

    def users_at(self, part: float) -> float:
        """The part of the users that there is to be when this part of the time is over."""
        raise NotImplementedError

    def viewing(self, part: float) -> str | None:
        """See `Run.viewing`."""
        for name, (begins, ends) in (("alone", self.alone), ("beside", self.beside)):
            if begins <= part < ends:
                return name
        return None

    def tick(self) -> tuple[int, float] | None:
        now = self.get_run_time()
        assert self.runner is not None
        environment = self.runner.environment
        shared: Run = environment.shared  # type: ignore[attr-defined]  # see locustfile.py
        shared.viewing = self.viewing(now / self.seconds)
        if now > self.seconds + QUIET:
            return None
        if now > self.seconds:
            if not shared.quiet:
                answer = requests.post(f"{environment.host}/api/sim/do", json={"do": "pause"}, timeout=10)
                answer.raise_for_status()
                shared.quiet = True
            return self._count(1.0)
        return self._count(now / self.seconds)

    def _count(self, part: float) -> tuple[int, float]:
        count = max(1, round(self.users * self.users_at(part)))
        # Users share one process: to let all come in one instant would measure how long that takes to say hello.
        return count, max(10.0, self.users / 5)


class Ramp(QuietEnd):
    """Up in the first half, then all."""

    def users_at(self, part: float) -> float:
        return min(1.0, part * 2)


class Spike(QuietEnd):
    """A fifth, then in the middle third all at once, then a fifth again."""

    alone = (0.4, 0.52)
    beside = (0.52, 0.66)

    def users_at(self, part: float) -> float:
        return 1.0 if 1 / 3 <= part < 2 / 3 else 0.2


class Soak(QuietEnd):
    """All, from the start."""

    def users_at(self, part: float) -> float:
        return 1.0


SHAPES = {"ramp": Ramp, "spike": Spike, "soak": Soak}
