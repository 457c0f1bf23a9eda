"""What the scripted server says, as messages: those of the protocol, and some that no client knows. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from kstream.core.visible import shortened
from simulator.certify.history import History, Json, View, seconds

_SHOWN: Final = 300  # characters of a message in a report
LARGEST: Final = 10_000_000  # bytes of a message (PROTOCOL 18)


def connection(history: History, *, found: bool, resumed: bool | None = None, reason: str = "") -> Json:
    """`resumed` None: not the first of its connection (PROTOCOL 3)."""
    status = "connected" if found else "reconnecting"
    cluster = {"name": "certify", "version": "v1.36.0"}
    message: Json = {
        "type": "connection",
        "status": status,
        "timestamp": seconds(history.head),
        "cluster": cluster,
    }
    message |= {"epoch": history.epoch, "term": history.term, "source": "simulate"}
    if resumed is not None:
        message |= {"resumed": resumed, "limits": {"messagesPerMinute": 1000, "burst": 50}}
    return {**message, "reason": reason} if reason else message


def initial_state(view: View, pods: Iterable[Json], seq: int | None, at: int) -> Json:
    """`seq` None: the other pods follow (PROTOCOL 4)."""
    counts: dict[str, int] = {}
    for pod in view["pods"].values():
        counts[pod["namespace"]] = counts.get(pod["namespace"], 0) + 1
    spaces = [{**space, "podCount": counts.get(space["name"], 0)} for space in view["namespaces"].values()]
    data = {"nodes": list(view["nodes"].values()), "pods": list(pods), "namespaces": spaces}
    return {"type": "initial_state", "data": data, "timestamp": seconds(at), **_numbered(seq)}


def large(message: Json) -> Json:
    """As many bytes as a message may have, by a field that nobody knows."""
    return {**message, "padding": "x" * (LARGEST - 20_000)}


def batch(events: Sequence[Json], seq: int | None, at: int) -> Json:
    """`seq` None: there is more to it (PROTOCOL 6)."""
    return {"type": "batch", "data": list(events), "timestamp": seconds(at), **_numbered(seq)}


def added(pods: Iterable[Json], at: int) -> list[Json]:
    return [{"type": "pod_event", "action": "ADDED", "data": pod, "timestamp": seconds(at)} for pod in pods]


def error(code: str, at: int, **more: Any) -> Json:
    """`more`: `fault`, where it lasts; `retryAfter`, in seconds."""
    told = {"code": code, "message": "It is a test", "details": "Nothing is wrong", **more}
    return {"type": "error", "error": told, "timestamp": seconds(at)}


def cleared(fault: str, at: int) -> Json:
    return {"type": "cleared", "fault": fault, "timestamp": seconds(at)}


def metrics(view: View, at: int, as_of: str) -> Json:
    """Of the whole cluster (PROTOCOL 7, 29)."""
    phases = [pod["phase"] for pod in view["pods"].values()]
    ready = sum(node["status"].split(",")[0] == "Ready" for node in view["nodes"].values())
    data = {"totalNodes": len(view["nodes"]), "readyNodes": ready, "totalPods": len(phases)}
    data |= {f"{phase.lower()}Pods": phases.count(phase) for phase in ("Running", "Pending", "Failed")}
    return {"type": "metrics", "data": data, "timestamp": seconds(at), "asOf": as_of}


def playback(at: int) -> Json:
    """How the timeline that all share is played (PROTOCOL 28)."""
    data = {"state": "playing", "speed": 1, "at": seconds(at), "start": seconds(0), "end": seconds(at)}
    return {"type": "playback", "data": data, "timestamp": seconds(at)}


# What no client knows, and has to let pass


def unknown_type(at: int) -> Json:
    return {"type": "weather", "data": {"pods": [], "nodes": []}, "seq": at + 1000, "timestamp": seconds(at)}


def unknown_action(body: Json, seq: int) -> Json:
    data = {**body, "phase": "Failed", "status": "Touched"}
    return {"type": "pod_event", "action": "TOUCHED", "seq": seq, "data": data, "timestamp": seconds(seq)}


def unknown_event(seq: int) -> Json:
    data = {"uid": f"job-{seq}", "name": "job", "namespace": "a"}
    return {"type": "job_event", "action": "ADDED", "seq": seq, "data": data, "timestamp": seconds(seq)}


def ghost(seq: int) -> Json:
    """A pod that is not there."""
    pod = {"uid": "ghost", "name": "ghost", "namespace": "a", "phase": "Running", "status": "Running"}
    return {**added([pod], seq)[0], "seq": seq}


def unknown_fields(event: Json) -> Json:
    more = {"colour": "red", "nested": {"deep": [1, None, {"type": "pod_event"}]}}
    return {**event, **more, "data": {**event["data"], **more}}


def shown(message: Mapping[str, Any]) -> str:
    """A message as a report has it, of bounded length: of a state, what is in it by name."""
    if message["type"] == "initial_state":
        data = {
            kind: [f"{each['name']} ({each['uid']})" for each in held]
            for kind, held in message["data"].items()
        }
        message = {"type": "initial_state", **_numbered(message.get("seq")), "data": data}
    return shortened(json.dumps(message, ensure_ascii=False), _SHOWN)


def _numbered(seq: int | None) -> Json:
    return {} if seq is None else {"seq": seq}
