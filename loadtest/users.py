"""The users of the load test: each is a client of its own kind, and checks all that it gets.

What goes into Locust's statistics: `connect` (until the first message), `state` (until `initial_state`), `event` (from
the commit of an event to its arrival, by the clocks of one machine), `ping` (until its pong), `same state` (the check
at the end). A broken promise is a failure of the request that it belongs to.
"""

from __future__ import annotations

import json
import random
import time
from contextlib import suppress
from datetime import datetime
from typing import Any

import gevent
import msgspec
import requests
from locust import User, task
from locust.env import Environment
from websocket import (
    WebSocket,
    WebSocketConnectionClosedException,
    WebSocketTimeoutException,
    create_connection,
)

from loadtest.stream import CheckedStream, ContractError

_SETTLE = 15.0  # seconds in which a client must have got all there is, once nothing happens any more


class Run:
    """What all users of a run share."""

    def __init__(self) -> None:
        self.quiet = False  # the cluster has been stopped so that states can be compared
        self.behind = float("inf")  # seconds that the timeline is behind this machine's clock

    def saw(self, stamp: str, now: float) -> None:
        """The server's time as a `connection` told it: the one that came fastest is nearest to the truth."""
        self.behind = min(self.behind, now - _seconds(stamp))


class StreamUser(User):
    """Connects, reads and checks; what the kinds do differently is in `live`."""

    abstract = True
    namespaces: tuple[str, ...] = ()
    prompt = True  # it reads all the time

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self._random = random.Random(id(self))
        self._stream = CheckedStream(frozenset(self.namespaces) or None, prompt=self.prompt)
        self._socket: WebSocket | None = None
        self._resumable = False

    # The connection

    def connect(self, *, resume: bool = False) -> bool:
        query = f"?namespaces={','.join(self.namespaces)}" if self.namespaces else ""
        token = self._stream.state.resume if resume else None
        if token is not None:
            query += f"{'&' if query else '?'}epoch={token.epoch}&term={token.term}&seq={token.seq}"
        began = time.perf_counter()
        try:
            host = str(self.host).replace("http", "ws", 1)
            self._socket = create_connection(f"{host}/ws{query}", timeout=10, skip_utf8_validation=True)
            self._stream.connected()
            first = self.read(10)
        except (OSError, WebSocketTimeoutException, WebSocketConnectionClosedException) as error:
            self.report("connect", began, error)
            return False
        self.report("connect", began, None if first else ContractError("no message within 10 s"))
        if first is None or (token is not None and first.get("resumed")):
            return first is not None
        while not self._stream.state.loaded and time.perf_counter() - began < 20:
            self.read(1)
        late = None if self._stream.state.loaded else ContractError("no initial_state within 20 s")
        self.report("state", began, late)
        return True

    def close(self) -> None:
        if self._socket is not None:
            with suppress(OSError, WebSocketConnectionClosedException):
                self._socket.close(timeout=1)
            self._socket = None

    def read(self, seconds: float) -> dict[str, Any] | None:
        """The next message, checked and folded; None when there is none for so long."""
        assert self._socket is not None
        self._socket.settimeout(max(seconds, 0.001))
        try:
            text = self._socket.recv()
        except WebSocketTimeoutException:
            return None
        if not text:
            raise WebSocketConnectionClosedException("the server closed the connection")
        now = time.time()
        message: dict[str, Any] = msgspec.json.decode(text)
        try:
            self._stream.take(message, now=time.perf_counter(), size=len(text))
        except ContractError as broken:
            self.fire("stream", 0.0, broken)
        kind = message["type"]
        if kind == "connection":
            self.run_state.saw(message["timestamp"], now)
        # Of a batch the oldest one that is in it waited longest; what it replaced is told by none.
        for event in (
            [message] if kind.endswith("_event") else message.get("data", ())[:1] if kind == "batch" else ()
        ):
            late = now - _seconds(event["timestamp"]) - self.run_state.behind
            self.fire("event", late * 1000, None, len(text))
        return message

    def read_for(self, seconds: float) -> None:
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0 and not self.quiet:
            self.read(left)

    # Reporting

    def report(self, name: str, began: float, error: Exception | None) -> None:
        self.fire(name, (time.perf_counter() - began) * 1000, error)

    def fire(self, name: str, milliseconds: float, error: Exception | None, size: int = 0) -> None:
        self.environment.events.request.fire(
            request_type=type(self).__name__,
            name=name,
            response_time=max(milliseconds, 0.0),
            response_length=size,
            exception=error,
            context={},
        )

    # A life

    @property
    def run_state(self) -> Run:
        shared: Run = self.environment.shared  # type: ignore[attr-defined]  # see locustfile.py
        return shared

    @property
    def quiet(self) -> bool:
        return self.run_state.quiet

    @task
    def run_once(self) -> None:
        """One life: connect, do what this kind does until the cluster is stopped, compare."""
        if self._socket is None and not self.connect(resume=self._resumable):
            gevent.sleep(1 + self._random.random())
            return
        try:
            if not self.quiet:
                self.live()
            else:
                self.compare()
                while self.quiet:
                    self.read(5)
        except (OSError, WebSocketConnectionClosedException, ContractError) as error:
            self.ended(error)

    def live(self) -> None:
        self.read_for(5)

    def ended(self, error: Exception) -> None:
        """The server, or the network, ended the connection."""
        self.fire("stream", 0.0, error)
        self._socket = None

    def compare(self) -> None:
        """After everything has arrived, what is held must be the server's state."""
        began = time.perf_counter()
        query = f"?namespaces={','.join(self.namespaces)}" if self.namespaces else ""
        wrong: list[str] = []
        while time.perf_counter() - began < _SETTLE:
            while self.read(0.5 + self._random.random() / 2) is not None:
                pass
            answer = requests.get(f"{self.host}/api/state{query}", timeout=10).json()
            wrong = self._stream.differences(answer)
            if not wrong:
                break
        failure = ContractError(f"{len(wrong)} objects differ: {wrong[0][:200]}") if wrong else None
        self.report("same state", began, failure)

    def on_stop(self) -> None:
        self.close()


class Normal(StreamUser):
    """A page that shows the cluster, and pings as the contract says, though more often."""

    weight = 10

    def live(self) -> None:
        self.read_for(2 + self._random.random())
        if self.quiet:
            return
        assert self._socket is not None
        began = time.perf_counter()
        self._socket.send(json.dumps({"type": "ping", "timestamp": str(began)}))
        while (message := self.read(5)) is not None:
            if message["type"] == "pong":
                self.report("ping", began, None)
                return
        self.report("ping", began, ContractError("no pong within 5 s"))


class Narrow(Normal):
    """Watches one namespace."""

    weight = 4
    namespaces = ("default",)


class SlowReader(StreamUser):
    """Reads nothing for a while, then all of it: it must lose nothing, and cost the others nothing."""

    weight = 2
    prompt = False

    def live(self) -> None:
        # Not 10 s: who answers no ping for so long is gone, as far as the server can tell (contract, "Heartbeat").
        end = time.perf_counter() + 3 + self._random.random() * 6
        while time.perf_counter() < end and not self.quiet:
            gevent.sleep(0.5)
        self.read_for(3)


class Herd(StreamUser):
    """Loses its connection with all the others of its kind, and comes back with a resume token."""

    weight = 2

    def live(self) -> None:
        period = 10.0
        self.read_for(period - time.time() % period)
        if not self.quiet:
            self.close()
            self._resumable = True


class Flooder(StreamUser):
    """Sends far past the limit: it must be told, then closed with 1008, and cost the others nothing."""

    weight = 1

    def live(self) -> None:
        assert self._socket is not None
        limited = False
        began = time.perf_counter()
        try:
            while time.perf_counter() - began < 15 and not self.quiet:
                for _ in range(10):
                    self._socket.send('{"type":"ping"}')
                wait = 0.05
                while (message := self.read(wait)) is not None:
                    wait = 0.001  # all that is there, so that it has read the word before the close
                    limited = limited or (
                        message["type"] == "error" and message["error"]["code"] == "RATE_LIMITED"
                    )
        except (OSError, WebSocketConnectionClosedException):
            told = None if limited else ContractError("closed without a word")
            self.report("flood", began, told)
            self._socket = None
            gevent.sleep(5)
            return
        if not self.quiet:
            self.report("flood", began, ContractError("never closed"))


def _seconds(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()
