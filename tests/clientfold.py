"""What a client that knows only the protocol makes of messages; strict about what must not happen."""

from __future__ import annotations

from typing import Any

from tests.said import said

Objects = dict[str, dict[str, Any]]


class ClientFold:
    """Folds messages; raises AssertionError for a message that no server should send."""

    def __init__(self, objects: Objects | None = None, seq: int | None = None) -> None:
        self.objects: Objects = dict(objects or {})
        self.seq = seq  # the resume token
        self.states = 0
        self._cut = False

    def take(self, message: dict[str, Any]) -> None:
        match said(message)["type"]:
            case "initial_state":
                self.objects = {
                    item["uid"]: item
                    for kind in ("nodes", "pods", "namespaces")
                    for item in message["data"][kind]
                }
                self.states += 1
                self.seq = message.get("seq")
                self._cut = "seq" not in message
            case "batch":
                uids = [event["data"]["uid"] for event in message["data"]]
                assert len(uids) == len(set(uids)), "a batch holds an object once"
                seqs = [event["seq"] for event in message["data"]]
                assert seqs == sorted(seqs), "a batch is in log order"
                for event in message["data"]:
                    self._event(event)
                if "seq" in message:
                    self._advance(message["seq"])
                    self._cut = False
            case "node_event" | "pod_event" | "namespace_event":
                self._event(message)
                self._advance(message["seq"])

    def _advance(self, seq: int) -> None:
        assert self.seq is None or seq > self.seq or self._cut, "no event comes twice"
        self.seq = seq

    def _event(self, event: dict[str, Any]) -> None:
        data = event["data"]
        match event["action"]:
            case "ADDED":
                assert data["uid"] not in self.objects, "what is added was not there"
                self.objects[data["uid"]] = data
            case "MODIFIED":
                assert data["uid"] in self.objects, "what is modified was there"
                self.objects[data["uid"]] = data
            case "DELETED":
                assert data["uid"] in self.objects, "what is deleted was there"
                del self.objects[data["uid"]]
