"""What each message claims, looked at in the moment in which a client reads it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tests.world.clients import Client
from tests.world.cluster import Cluster, Shown
from tests.world.judging import forbidden, passes
from tests.world.loop import LoopClock

_ROUNDED = 0.001  # seconds: what a timestamp does not tell
Message = Mapping[str, Any]


class Witness:
    """Hears every message of every client; `found` is the first that says what is not so, "" for none."""

    def __init__(self, cluster: Cluster, clock: LoopClock) -> None:
        self._cluster = cluster
        self._clock = clock
        self.found = ""

    def before(self, client: Client, message: Message) -> None:
        """What it held is still what it was."""
        match message["type"]:
            case "batch":
                self._events(client, message["data"])
            case "node_event" | "pod_event" | "namespace_event":
                self._events(client, [message])
            case "initial_state":
                self._pod_counts(client, message["data"])

    def after(self, client: Client, message: Message) -> None:
        """The message is taken in."""
        if "asOf" in message and client.holding.settled and not client.elsewhere:
            # A message may be read long after it was made, and the clock set meanwhile.
            settings = self._clock.settings(_seconds(message["timestamp"]))
            until = _seconds(message["asOf"])
            self._as_of(client, until - max(settings, default=self._clock.wall))

    def _accuse(self, what: str) -> None:
        self.found = self.found or what

    def _events(self, client: Client, events: list[Message]) -> None:
        """The verb is true of what the client holds (PROTOCOL 6): nothing comes twice, nothing is left out."""
        held = client.holding.objects
        there: dict[str, Shown | None] = {}
        for event in events:
            uid, action = event["data"]["uid"], event["action"]
            before = there[uid] if uid in there else held.get(uid)
            if (action == "ADDED") != (before is None):
                knows = "does not hold" if before is None else "holds"
                self._accuse(
                    f"verb: {client.name} is told {action} of {event['data']['name']} ({uid}), which it {knows}"
                )
            there[uid] = None if action == "DELETED" else event["data"]

    def _pod_counts(self, client: Client, data: Message) -> None:
        pods = Counter(pod["namespace"] for pod in data["pods"])
        for namespace in data["namespaces"]:
            # None where it is shown no pods.
            count = namespace.get("podCount", 0)
            if count != pods[namespace["name"]]:
                self._accuse(
                    f"podCount: {client.name} is told of {count} pods in {namespace['name']}"
                    f" and gets {pods[namespace['name']]}"
                )

    def _as_of(self, client: Client, until: float) -> None:
        """Nothing that it holds was over by then, and nothing that was so by then and still is is missing."""
        if until > self._clock.monotonic():
            self._accuse(f"asOf: {client.name} is told of {until:.3f} s at {self._clock.monotonic():.3f} s")
        client.as_of = max(client.as_of, until)
        held = client.holding.objects
        for uid, shown in held.items():
            if not any(
                truth.shown == shown and truth.until > until - _ROUNDED
                for truth in self._cluster.history.get(uid, [])
            ):
                self._accuse(
                    f"asOf: {client.name} is complete up to {until:.3f} s and holds {shown['name']} ({uid})"
                )
        for uid, told in self._cluster.history.items():
            truth = told[-1]
            wanted = truth.until == float("inf") and passes(client.watched, truth.shown)
            if (
                wanted
                and truth.since < until
                and uid not in held
                and not forbidden(client.faults, truth.shown)
            ):
                self._accuse(
                    f"asOf: {client.name} is complete up to {until:.3f} s and lacks {truth.shown['name']} ({uid})"
                )


def _seconds(timestamp: str) -> float:
    return datetime.fromisoformat(timestamp).timestamp()
