"""For every test: a blocking call of ours inside the event loop is an error."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import coverage
import pytest
from blockbuster import BlockBuster, blockbuster_ctx
from hypothesis import HealthCheck, settings

# How fast a machine is decides nothing: what hangs is ended by the time limit of every test (pyproject.toml).
# What is tried is the same in every run: a red one is ours. `pytest --hypothesis-profile search` tries what is new.
_SLOW_IS_FINE = [HealthCheck.too_slow]
settings.register_profile("search", deadline=None, suppress_health_check=_SLOW_IS_FINE)
settings.register_profile("kstream", deadline=None, suppress_health_check=_SLOW_IS_FINE, derandomize=True)
settings.load_profile("kstream")


def pytest_configure() -> None:
    """A shell that starts its commands in the background leaves them deaf to Ctrl-C, and what they start with them."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _untraced(request: pytest.FixtureRequest) -> Iterator[None]:
    """What plays the same lines thousands of times takes three times as long while they are counted."""
    measuring = coverage.Coverage.current() if request.node.get_closest_marker("untraced") else None
    if measuring is None:
        yield
        return
    measuring.stop()
    try:
        yield
    finally:
        measuring.start()


@pytest.fixture(autouse=True)
def _no_blocking_calls(_untraced: None) -> Iterator[BlockBuster]:
    # Inside the other: coverage binds a lock when it starts, and must not bind one that is watched.
    with blockbuster_ctx(scanned_modules=["kstream", "simulator"]) as blockbuster:
        yield blockbuster
