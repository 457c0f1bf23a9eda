"""What one client checks of all it is sent: the order, the limits, the shape of batches, and the state at the end.

Pure: it takes each message with the instant at which it came, so that it can be tested without a server.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from kstream.core.client.state import ClientState

Json = dict[str, Any]

MAX_MESSAGE = 10_000_000  # bytes
_AT_ONCE = 50
_PER_MINUTE = 1000
_EVENTS = ("node_event", "pod_event", "namespace_event")


class ContractError(Exception):
    """The server broke the contract; `str()` says how."""


class CheckedStream:
    """The messages of one connection after another, folded and checked."""

    def __init__(self, namespaces: frozenset[str] | None = None, *, prompt: bool = True) -> None:
        """`prompt`: every message is taken as soon as it comes, so that its arrival says when it was sent."""
        self._prompt = prompt
        self.state = ClientState()
        self.messages = 0
        self._namespaces = namespaces
        self._stamps: deque[float] = deque()
        self.states = 0  # that were sent, whole
        self._covered = 0
        self._first = True
        self._stateless = True

    def connected(self) -> None:
        """A new connection: the limits and the order of messages begin anew; the state is kept for a resume."""
        self.state.disconnected()
        self._stamps.clear()
        self._first = True
        self._stateless = True

    def take(self, message: Json, *, now: float, size: int) -> None:
        """Fold a message in. Raises ContractError; what breaks a limit is folded in all the same."""
        self.messages += 1
        kind = message.get("type")
        if self._first and kind != "connection":
            raise ContractError(f"the first message is {kind!r}, not 'connection'")
        if self._first and message.get("resumed") is True:
            self._stateless = False
        self._first = False
        if "timestamp" not in message:
            raise ContractError(f"a {kind} message has no timestamp")
        events: list[Json] = []
        if self._stateless and (kind in _EVENTS or kind == "batch"):
            raise ContractError(f"a {kind} came before the state that it belongs to")
        if kind == "initial_state":
            self._stateless = False
            self._covered = message.get("seq", 0)
        elif kind in _EVENTS:
            events = [message]
            self._advance(message["seq"])
        elif kind == "batch":
            events = message["data"]
            self._batch(message)
        for event in events:
            self._belongs(event)
        self.state.apply(message)
        self.states += kind == "initial_state"
        self.folded(message, events, now)
        self._limits(now, size)

    def folded(self, message: Json, events: Sequence[Json], now: float) -> None:
        """For those who check more: a message, and the events in it, that `state` has in it by now."""

    def _limits(self, now: float, size: int) -> None:
        if size > MAX_MESSAGE:
            raise ContractError(f"a message of {size} bytes")
        if not self._prompt:
            return
        stamps = self._stamps
        stamps.append(now)
        while stamps[0] <= now - 60.0:
            stamps.popleft()
        if len(stamps) > _PER_MINUTE:
            raise ContractError(f"{len(stamps)} messages within 60 s")
        # What a client reads at one instant may have been sent over a while; a window is what it can judge.
        burst = sum(1 for stamp in stamps if stamp > now - 0.001)
        if burst > _AT_ONCE + _PER_MINUTE // 10:
            raise ContractError(f"{burst} messages at once")

    def _advance(self, seq: int) -> None:
        if seq <= self._covered:
            raise ContractError(f"event {seq} came after {self._covered}")
        self._covered = seq

    def _batch(self, message: Json) -> None:
        seqs = [event["seq"] for event in message["data"]]
        uids = [event["data"]["uid"] for event in message["data"]]
        if len(set(uids)) != len(uids):
            raise ContractError("a batch holds two events for one object")
        if seqs != sorted(seqs):
            raise ContractError("a batch is not in the order of the log")
        if seqs and seqs[0] <= self._covered:
            raise ContractError(f"event {seqs[0]} came in a batch after {self._covered}")
        if "seq" in message:
            if seqs and seqs[-1] > message["seq"]:
                raise ContractError("a batch covers less than it holds")
            if message["seq"] < self._covered:
                raise ContractError(f"a batch up to {message['seq']} came after {self._covered}")
            self._covered = message["seq"]

    def _belongs(self, event: Mapping[str, Any]) -> None:
        if self._namespaces is None or event["type"] == "node_event":
            return
        data = event["data"]
        name = data.get("namespace") if event["type"] == "pod_event" else data["name"]
        if name not in self._namespaces:
            raise ContractError(
                f"an event of namespace {name!r} to one who watches {sorted(self._namespaces)}"
            )

    def differences(self, answer: Json) -> list[str]:
        """How what is held differs from `/api/state` with the same filter; empty when it does not."""
        found = []
        for kind, held in self.state.view().items():
            have = {item["uid"]: item for item in held}
            want = {item["uid"]: item for item in answer["data"][kind]}
            found += [
                f"{kind} {uid}: {have.get(uid)} instead of {want.get(uid)}"
                for uid in have.keys() | want.keys()
                if have.get(uid) != want.get(uid)
            ]
        return found
