"""What the blocks are tried against: one cluster that is played, and one simulation that is served."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator.testing import SimulatedServer, simulated


@pytest.fixture(scope="session")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Of a fake API server that runs."""
    path = tmp_path_factory.mktemp("cluster") / "config"
    with subprocess.Popen(
        [
            *(sys.executable, "-c", "from kstream.cli import main; main()"),
            *("fake-apiserver", "--kubeconfig-out", str(path)),
        ],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert "http://" in process.stdout.readline()
        yield path
        process.send_signal(signal.SIGINT)


@pytest.fixture(scope="session")
def server() -> Iterator[SimulatedServer]:
    """The tour, half a minute in. It goes on, and tests may have a hand in it."""
    with simulated("tour", at="30s", paused=False, options=("--metrics-interval", "0.5")) as running:
        yield running
