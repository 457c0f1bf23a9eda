"""A simulation or a recording for a test, in one line: `with simulated("node-failure", at="1m") as server: …`.

For tests in Python of whatever speaks kstream's protocol; it needs nothing but kstream. In pytest the fixtures
`kstream_sim` and `kstream_replay` do the same and end with the test (`fixtures`).
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from typing import Any, Final, Protocol

from kstream.core.errors import InvalidMessageError, UnreachableError

_COMMAND: Final = "from kstream.cli import main; main()"
_PATIENCE: Final = 60.0  # seconds for the cluster to be built


@dataclass(frozen=True)
class _Server:
    """A server that runs in a process of its own."""

    page: str  # http://127.0.0.1:PORT/
    websocket: str  # ws://127.0.0.1:PORT/ws

    def state(self) -> dict[str, Any]:
        """The data of an `initial_state` message: nodes, pods, namespaces."""
        data: dict[str, Any] = self._ask("api/state")["data"]
        return data

    def _ask(self, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Raises InvalidMessageError for what is refused."""
        request = urllib.request.Request(
            self.page + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:
                said: dict[str, Any] = json.load(answer)
        except urllib.error.HTTPError as refusal:
            error = json.load(refusal)["error"]
            raise InvalidMessageError(error["message"], error.get("details", "")) from None
        return said


class SimulatedServer(_Server):
    """A server that runs `kstream simulate`."""

    def do(self, action: str, **arguments: Any) -> dict[str, Any]:
        """Act as `kstream sim do` does; returns how things are once all that came of it is committed.

        Raises InvalidMessageError for an action that makes no sense.
        """
        return self._ask("api/sim/do", {"do": action, **arguments})

    def step(self, by: str) -> dict[str, Any]:
        """Let so much simulated time pass, then stand still: `step("20s")`."""
        return self.do("step", by=by)


class ReplayedServer(_Server):
    """A server that runs `kstream replay`. Each command returns how the timeline is played then (PROTOCOL 27)."""

    def seek(self, at: str) -> dict[str, Any]:
        """Go to a moment: RFC 3339, `seq:N`, or `+90s` and `-5m` from where it is. Raises InvalidMessageError."""
        return self._drive({"action": "seek", "at": at})

    def step(self) -> dict[str, Any]:
        """Show one event more, then stand still."""
        return self._drive({"action": "step"})

    def play(self, speed: float | None = None) -> dict[str, Any]:
        """Go on; `speed`: recorded seconds for a second, from here on."""
        return self._drive({"action": "play"} | ({} if speed is None else {"speed": speed}))

    def pause(self) -> dict[str, Any]:
        """Stand still."""
        return self._drive({"action": "pause"})

    def _drive(self, command: Mapping[str, Any]) -> dict[str, Any]:
        data: dict[str, Any] = self._ask("api/playback", command)["data"]
        return data


class Simulate(Protocol):
    """What the fixture `kstream_sim` is: it takes what `simulated` takes, and the server ends with the test."""

    def __call__(
        self, scenario: str = "tour", *, at: str = "0s", paused: bool = True, options: tuple[str, ...] = ()
    ) -> SimulatedServer: ...


class Play(Protocol):
    """What the fixture `kstream_replay` is: it takes what `replayed` takes, and the server ends with the test."""

    def __call__(
        self, log: str | PathLike[str], *, paused: bool = True, options: tuple[str, ...] = ()
    ) -> ReplayedServer: ...


@contextmanager
def simulated(
    scenario: str = "tour", *, at: str = "0s", paused: bool = True, options: tuple[str, ...] = ()
) -> Iterator[SimulatedServer]:
    """A server with a scenario at a moment, ready; `options` are further ones of `kstream simulate`.

    Raises UnreachableError when it does not get ready.
    """
    words = ["simulate", "--scenario", scenario, "--at", at, *(["--paused"] if paused else []), *options]
    with _served(words) as address:
        yield SimulatedServer(*address)


@contextmanager
def replayed(
    log: str | PathLike[str], *, paused: bool = True, options: tuple[str, ...] = ()
) -> Iterator[ReplayedServer]:
    """A server with a recording at its beginning, ready; `options` are further ones of `kstream replay`.

    Raises UnreachableError when it does not get ready.
    """
    words = ["replay", str(log), *(["--start-paused"] if paused else []), *options]
    with _served(words) as address:
        yield ReplayedServer(*address)


@contextmanager
def _served(words: list[str]) -> Iterator[tuple[str, str]]:
    # It ends when its stdin does, so also when this process is killed.
    command = [sys.executable, "-c", _COMMAND, *words, "--port", "0", "-o", "json", "--end-with-stdin"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None, "it is started with its stdin piped"
        assert process.stdout is not None, "it is started with its stdout piped"
        try:
            line = process.stdout.readline()
            if not line:
                raise UnreachableError(
                    f"kstream {words[0]} did not start (exit code {process.wait()}): its stderr says why"
                )
            address = json.loads(line)
            _wait_until_ready(address["page"])
            yield address["page"], address["websocket"]
        finally:
            process.stdin.close()


def _wait_until_ready(page: str) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            with urllib.request.urlopen(f"{page}readyz", timeout=_PATIENCE):
                return
        except urllib.error.HTTPError as refusal:
            refusal.close()
        if time.monotonic() > deadline:
            raise UnreachableError(f"kstream at {page} is not ready after {_PATIENCE:.0f} s")
        time.sleep(0.02)
