"""A simulation for a test, in one line: `with simulated("node-failure", at="1m") as server: …`.

For tests in Python of whatever speaks kstream's protocol; it needs nothing but kstream.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from kstream.core.errors import InvalidMessageError, UnreachableError

_COMMAND = "from simulator.commands import simulate; simulate()"
_PATIENCE = 60.0  # seconds for the cluster to be built


@dataclass(frozen=True)
class SimulatedServer:
    """A server that runs `kstream simulate` in a process of its own."""

    page: str  # http://127.0.0.1:PORT/
    websocket: str  # ws://127.0.0.1:PORT/ws

    def do(self, action: str, **arguments: Any) -> dict[str, Any]:
        """Act as `kstream sim do` does; returns how things are once all that came of it is committed.

        Raises InvalidMessageError for an action that makes no sense.
        """
        request = urllib.request.Request(
            f"{self.page}api/sim/do",
            data=json.dumps({"do": action, **arguments}).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:
                status: dict[str, Any] = json.load(answer)
        except urllib.error.HTTPError as refusal:
            said = json.load(refusal)["error"]
            raise InvalidMessageError(said["message"], said.get("details", "")) from None
        return status

    def step(self, by: str) -> dict[str, Any]:
        """Let so much simulated time pass, then stand still: `step("20s")`."""
        return self.do("step", by=by)

    def state(self) -> dict[str, Any]:
        """The data of an `initial_state` message: nodes, pods, namespaces."""
        with urllib.request.urlopen(f"{self.page}api/state", timeout=_PATIENCE) as answer:
            data: dict[str, Any] = json.load(answer)["data"]
        return data


@contextmanager
def simulated(
    scenario: str = "tour", *, at: str = "0s", paused: bool = True, options: tuple[str, ...] = ()
) -> Iterator[SimulatedServer]:
    """A server with a scenario at a moment, ready; `options` are further ones of `kstream simulate`.

    Raises UnreachableError when it does not get ready.
    """
    command = [
        sys.executable,
        "-c",
        _COMMAND,
        "--port",
        "0",
        "-o",
        "json",
        "--scenario",
        scenario,
        "--at",
        at,
    ]
    with subprocess.Popen(
        [*command, *(["--paused"] if paused else []), *options], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None, "the simulation is started with its stdout piped"
        try:
            line = process.stdout.readline()
            if not line:
                raise UnreachableError(
                    f"The simulation did not start (exit code {process.wait()}): its stderr says why"
                )
            address = json.loads(line)
            server = SimulatedServer(address["page"], address["websocket"])
            _wait_until_ready(server)
            yield server
        finally:
            process.send_signal(signal.SIGINT)


def _wait_until_ready(server: SimulatedServer) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            with urllib.request.urlopen(f"{server.page}readyz", timeout=_PATIENCE):
                return
        except urllib.error.HTTPError as refusal:
            refusal.close()
        if time.monotonic() > deadline:
            raise UnreachableError(f"The simulation at {server.page} is not ready after {_PATIENCE:.0f} s")
        time.sleep(0.02)
