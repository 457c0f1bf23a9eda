"""Fixtures for pytest, which finds them by itself: `kstream_sim` and `kstream_replay` start what ends with the test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from os import PathLike
from typing import TYPE_CHECKING

import pytest

# Whoever has kstream installed has this loaded by every run of pytest: nothing is imported before a test asks for it.
if TYPE_CHECKING:
    from simulator.testing import Play, ReplayedServer, Simulate, SimulatedServer


@pytest.fixture
def kstream_sim() -> Iterator[Simulate]:
    """Starts simulations: `server = kstream_sim("node-failure", at="1m")`, as `simulator.testing.simulated` does."""
    from simulator.testing import simulated

    with ExitStack() as started:

        def start(
            scenario: str = "tour",
            *,
            at: str = "0s",
            paused: bool = True,
            options: tuple[str, ...] = (),
        ) -> SimulatedServer:
            return started.enter_context(simulated(scenario, at=at, paused=paused, options=options))

        yield start


@pytest.fixture
def kstream_replay() -> Iterator[Play]:
    """Starts replays: `server = kstream_replay("incident.db")`, as `simulator.testing.replayed` does."""
    from simulator.testing import replayed

    with ExitStack() as started:

        def start(
            log: str | PathLike[str], *, paused: bool = True, options: tuple[str, ...] = ()
        ) -> ReplayedServer:
            return started.enter_context(replayed(log, paused=paused, options=options))

        yield start
