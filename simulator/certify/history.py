"""What is true: the log of a small cluster, who wrote which part of it, and what a filter shows of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from kstream.core.timeline.timepoint import timestamp

Json = dict[str, Any]
View = dict[str, dict[str, Json]]  # nodes, pods, namespaces → uid → object
Filter = frozenset[str]  # namespaces; none is everything

KINDS: Final = {"node_event": "nodes", "pod_event": "pods", "namespace_event": "namespaces"}
_BEGIN: Final = 1_737_712_800.0  # 2025-01-24T10:00:00Z
_PHASES: Final = ("Pending", "Running", "Succeeded", "Failed")
_REMARK: Final = 'ünïcode \u2028 "quoted" \\ 🙂 </script>'  # whoever escapes what comes has to read this


class Token(NamedTuple):
    """From where a client wants to go on (PROTOCOL 15)."""

    epoch: str | None
    term: str | None
    seq: int


def seconds(seq: int) -> str:
    """When the event of this number was, as messages say it: a second for each."""
    return timestamp(_BEGIN + seq)


class History:
    """Events from number 1 on, and the terms in which they were written."""

    def __init__(self) -> None:
        self._made = 0  # epochs, terms and objects so far: no name is used twice
        self.epoch = ""
        self.events: list[Json] = []
        self._terms: list[tuple[str, int]] = []  # who wrote after which number
        self.begin()

    @property
    def head(self) -> int:
        return len(self.events)

    @property
    def term(self) -> str:
        return self._terms[-1][0]

    def begin(self) -> None:
        """Another log, with a node and two namespaces in it."""
        self.epoch = self._named("epoch")
        self.events, self._terms = [], [(self._named("term"), 0)]
        self.add("node", "node-1", "")
        self.add("namespace", "a", "")
        self.add("namespace", "b", "")

    def another_term(self, *, lost: int = 0) -> None:
        """Somebody else writes from here on, or from before the last `lost` events, which are gone."""
        del self.events[max(self.head - lost, 3) :]
        self._terms = [each for each in self._terms if each[1] <= self.head]
        self._terms.append((self._named("term"), self.head))

    def refuses(self, token: Token) -> str:
        """Why a client cannot go on from there; "" when it can."""
        if token.epoch != self.epoch:
            return "The log is another one"
        for (term, _), (_, end) in zip(self._terms, [*self._terms[1:], ("", self.head)], strict=True):
            if term == token.term:
                return "" if token.seq <= end else "The end of that term is lost"
        return "The log does not have that term"

    # What happens

    def add(self, kind: str, name: str, namespace: str) -> bool:
        """False where it is there already."""
        if self.find(kind, name, namespace) is not None:
            return False
        self._append(kind, "ADDED", _made(kind, name, namespace, self._named(name)))
        return True

    def modify(self, kind: str, name: str, namespace: str) -> bool:
        before = self.find(kind, name, namespace)
        if before is None:
            return False
        self._append(kind, "MODIFIED", _changed(kind, before, self.head))
        return True

    def delete(self, kind: str, name: str, namespace: str) -> bool:
        before = self.find(kind, name, namespace)
        if before is None:
            return False
        if kind == "namespace":  # with all that is in it, as the control plane does it
            for pod in list(self.view(frozenset())["pods"].values()):
                if pod["namespace"] == name:
                    self.delete("pod", pod["name"], name)
        self._append(kind, "DELETED", gone(before))
        return True

    def find(self, kind: str, name: str, namespace: str) -> Json | None:
        held = self.view(frozenset())[f"{kind}s"].values()
        return next(
            (each for each in held if each["name"] == name and each.get("namespace", "") in ("", namespace)),
            None,
        )

    def never(self) -> Json:
        """What DELETED says of a pod that there never was."""
        return {"uid": self._named("never"), "name": "never", "namespace": "a"}

    def _append(self, kind: str, action: str, data: Json) -> None:
        seq = self.head + 1
        event = {
            "type": f"{kind}_event",
            "action": action,
            "seq": seq,
            "data": data,
            "timestamp": seconds(seq),
        }
        self.events.append(event)

    def _named(self, name: str) -> str:
        self._made += 1
        return f"{name}-{self._made}"

    # What a client is due

    def view(self, shown: Filter, upto: int | None = None) -> View:
        """What the filter lets through, as it was after the event of that number."""
        view = fresh()
        for event in self.events[:upto]:
            if lets(shown, event):
                fold(view, event)
        return view

    def since(self, shown: Filter, seq: int, upto: int | None = None) -> list[Json]:
        return [event for event in self.events[seq:upto] if lets(shown, event)]


def fresh() -> View:
    return {"nodes": {}, "pods": {}, "namespaces": {}}


def fold(view: View, event: Json) -> None:
    """One event of a client's messages; what it does not know changes nothing (PROTOCOL 5)."""
    kind = KINDS.get(event["type"])
    if kind is None:
        return
    data = event["data"]
    if event["action"] == "DELETED":
        view[kind].pop(data["uid"], None)
    elif event["action"] in ("ADDED", "MODIFIED"):
        view[kind][data["uid"]] = data


def lets(shown: Filter, event: Json) -> bool:
    if not shown or event["type"] == "node_event":
        return True
    data = event["data"]
    return (data["namespace"] if event["type"] == "pod_event" else data["name"]) in shown


def coalesced(events: Iterable[Json]) -> list[Json]:
    """As a batch has them: one for an object, the latest; nothing of what came and went (PROTOCOL 6)."""
    last: dict[str, Json] = {}
    for event in events:
        uid = event["data"]["uid"]
        before = last.pop(uid, None)
        if before is None or before["action"] != "ADDED":
            last[uid] = event
        elif event["action"] != "DELETED":
            last[uid] = {**event, "action": "ADDED"}
    return sorted(last.values(), key=lambda event: int(event["seq"]))


def parts(items: list[Json], most: int) -> list[list[Json]]:
    """In so many parts at most, none of which is empty."""
    each = max(-(-len(items) // max(most, 1)), 1)
    return [items[begin : begin + each] for begin in range(0, len(items), each)]


def gone(body: Json) -> Json:
    """What DELETED says of it (PROTOCOL 5)."""
    return {name: body[name] for name in ("uid", "name", "namespace") if name in body}


def _made(kind: str, name: str, namespace: str, uid: str) -> Json:
    if kind == "namespace":
        return {"name": name, "uid": uid, "status": "Active", "podCount": 0}
    began = {"labels": {"app": name}, "creationTimestamp": seconds(0)}
    if kind == "node":
        ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": _REMARK}
        capacity = {"cpu": "4000m", "memory": "8Gi", "pods": "110"}
        node: Json = {"name": name, "uid": uid, "status": "Ready", "role": "worker", "capacity": capacity}
        return {**node, "conditions": [ready], **began}
    container = {"name": "main", "image": f"shop/{name}:1.0", "ready": False}
    pod: Json = {"name": name, "uid": uid, "namespace": namespace, "nodeName": None, "phase": "Pending"}
    return {**pod, "status": "ContainerCreating", "containers": [container], **began}


def _changed(kind: str, before: Json, number: int) -> Json:
    """No body is like another: what is not taken over is seen."""
    if kind == "namespace":
        return {**before, "status": "Terminating", "podCount": number}
    labels = {**before["labels"], "change": str(number)}
    if kind == "node":
        return {
            **before,
            "status": ("NotReady", "Ready,SchedulingDisabled", "Ready")[number % 3],
            "labels": labels,
        }
    phase = _PHASES[number % 4]
    return {**before, "nodeName": "node-1", "phase": phase, "status": phase, "labels": labels}
