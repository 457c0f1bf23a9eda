"""The users of the load test: each is a client of its own kind, and checks all that it gets.

What goes into Locust's statistics: `connect` (until the first message), `state` (until `initial_state`), `event` (from
the commit of an event to its arrival, by the clocks of one machine), `ping` (until its pong), `same state` (the check
at the end). A broken promise is a failure of the request that it belongs to.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

import gevent
import msgspec
import requests
from locust import User, task
from locust.env import Environment
from websocket import (
    WebSocket,
    WebSocketBadStatusException,
    WebSocketConnectionClosedException,
    WebSocketTimeoutException,
    create_connection,
)

from loadtest.stream import CheckedStream, ContractError
from loadtest.viewing import instant

_SETTLE = 15.0  # seconds in which a client must have got all there is, once nothing happens any more


class Run:
    """What all users of a run share."""

    def __init__(self, *, faulty: bool = False) -> None:
        """`faulty`: the server cuts connections, as it was asked to, so that a lost one is no broken promise."""
        self.faulty = faulty
        self.quiet = False  # the cluster has been stopped so that states can be compared
        self.viewing: str | None = (
            None  # "alone" while all are held in the present, "beside" while viewers are away
        )
        self.timelines: dict[str, object] = {}  # private ones, by id, and who moves them
        self.behind = float("inf")  # seconds that the timeline is behind this machine's clock

    def saw(self, stamp: str, now: float) -> None:
        """The server's time as a `connection` told it: the one that came fastest is nearest to the truth."""
        self.behind = min(self.behind, now - instant(stamp))


class StreamUser(User):
    """Connects, reads and checks; what the kinds do differently is in `live`."""

    abstract = True
    namespaces: tuple[str, ...] = ()
    prompt = True  # it reads all the time
    tells_lateness = True  # the time of an event is that of the machine
    family = ""  # under which name it is counted; its own where there is none

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self._random = random.Random(id(self))
        self._stream = self.stream()
        self._socket: WebSocket | None = None
        self._resumable = False

    def stream(self) -> CheckedStream:
        return CheckedStream(frozenset(self.namespaces) or None, prompt=self.prompt)

    @property
    def watched(self) -> dict[str, str]:
        """The parameters of its filter."""
        return {"namespaces": ",".join(self.namespaces)} if self.namespaces else {}

    # The connection

    def connect(self, *, resume: bool = False, elsewhere: Mapping[str, str] | None = None) -> bool:
        """`elsewhere`: the parameters of another timeline. False: there is no connection."""
        token = self._stream.state.resume if resume and not elsewhere else None
        query = {**self.watched, **(elsewhere or {})}
        if token is not None:
            query |= {"epoch": token.epoch, "term": str(token.term), "seq": str(token.seq)}
        began = time.perf_counter()
        self.close()
        try:
            host = str(self.host).replace("http", "ws", 1)
            url = f"{host}/ws?{urlencode(query)}"
            self._socket = create_connection(url, timeout=10, skip_utf8_validation=True)
            before = self._stream.states
            self._stream.connected()
            first = self.read(10)
            self.report("connect", began, None if first else ContractError("no message within 10 s"))
            if first is None or (token is not None and first.get("resumed")):
                return first is not None
            while self._stream.states == before and time.perf_counter() - began < 20:
                self.read(1)
        except WebSocketBadStatusException as refused:
            # As many timelines as there may be, or `--fault refuse`: both say when to come again.
            expected = refused.status_code == 503 and (elsewhere or self.run_state.faulty)
            why = ContractError(f"{refused.status_code} for {query}: {str(refused.resp_body)[:200]}")
            self.report("refused" if expected else "connect", began, None if expected else why)
            gevent.sleep(float((refused.resp_headers or {}).get("retry-after", "1")))
            return False
        except (OSError, WebSocketTimeoutException, WebSocketConnectionClosedException) as error:
            self.ended(error, name="connect")
            return False
        late = None if self._stream.states > before else ContractError("no initial_state within 20 s")
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
            if not self.tells_lateness:
                break
            late = now - instant(event["timestamp"]) - self.run_state.behind
            self.fire("event", late * 1000, None, len(text))
            if self.run_state.viewing is not None:
                self.fire(f"event, {self.run_state.viewing}", late * 1000, None, len(text))
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
            request_type=self.family or type(self).__name__,
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
        if self._socket is None and not self.come():
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

    def come(self) -> bool:
        """Connect, after a loss from where it was. False: not yet."""
        return self.connect(resume=self._resumable)

    def live(self) -> None:
        self.read_for(5)

    def ended(self, error: Exception, *, name: str = "stream") -> None:
        """The server, or the network, ended the connection. Where it was asked to, this one comes back."""
        if self.run_state.faulty and not isinstance(error, ContractError):
            self.fire("lost", 0.0, None)
            self._resumable = True
        else:
            self.fire(name, 0.0, error)
        if self._socket is not None:
            self._socket.shutdown()  # it may have been a request beside it that failed
            self._socket = None

    def compare(self) -> None:
        """After everything has arrived, what is held must be the server's state."""
        began = time.perf_counter()
        wrong: list[str] = []
        while time.perf_counter() - began < _SETTLE:
            while self.read(0.5 + self._random.random() / 2) is not None:
                pass
            answer = requests.get(f"{self.host}/api/state", params=self.watched, timeout=10).json()
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
            told = None if limited or self.run_state.faulty else ContractError("closed without a word")
            self.report("flood", began, told)
            self._socket = None
            gevent.sleep(5)
            return
        if not self.quiet:
            self.report("flood", began, ContractError("never closed"))

    def ended(self, error: Exception, *, name: str = "stream") -> None:
        """The end of the run may come before that of a flood, which is closed a moment later."""
        if self.quiet and isinstance(error, WebSocketConnectionClosedException):
            self.fire("flood", 0.0, None)
            self._socket = None
        else:
            super().ended(error, name=name)
