"""A feed that a test writes, for the glance without a server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from kstream.client import Link, Status
from kstream.core.client.state import ClientState, Json
from kstream.core.errors import KstreamError
from kstream.top.steering import Command
from tests import fake_stream_server

HELLO = fake_stream_server.HELLO | {
    "timestamp": "2026-01-24T10:00:00.000Z",
    "cluster": {"name": "tea", "version": "v1.36.0"},
}


def pod(
    name: str, status: str = "Running", *, node: str | None = "n1", namespace: str = "shop", **more: Any
) -> Json:
    owner = {"kind": "Deployment", "name": name.partition("-")[0]}
    return {
        "name": name,
        "uid": f"u-{name}",
        "namespace": namespace,
        "nodeName": node,
        "phase": "Running",
        "status": status,
        "containers": [{"name": "main", "image": "i", "ready": status == "Running", "restartCount": 2}],
        "labels": {},
        "creationTimestamp": "2026-01-24T09:59:00Z",
        "owner": owner,
        **more,
    }


def node(name: str, status: str = "Ready", *, zone: str = "z1") -> Json:
    labels = {"topology.kubernetes.io/zone": zone} if zone else {}
    return {
        "name": name,
        "uid": f"u-{name}",
        "status": status,
        "role": "worker",
        "conditions": [],
        "labels": labels,
    }


def state(nodes: list[Json], pods: list[Json], *, seq: int = 10) -> Json:
    spaces = [{"name": "shop", "uid": "u-shop", "status": "Active", "podCount": len(pods)}]
    return {
        "type": "initial_state",
        "seq": seq,
        "timestamp": "2026-01-24T10:00:00.000Z",
        "data": {"nodes": nodes, "pods": pods, "namespaces": spaces},
    }


def event(data: Json, action: str = "MODIFIED", *, kind: str = "pod", seq: int = 11) -> Json:
    return {
        "type": f"{kind}_event",
        "action": action,
        "seq": seq,
        "timestamp": "2026-01-24T10:00:01.000Z",
        "data": data,
    }


class Scripted:
    """Says what the test puts, and keeps what it is told."""

    def __init__(self, *messages: Mapping[str, Any], link: Link = Link.CONNECTED) -> None:
        self.state = ClientState()
        self.status = Status(link)
        self.commands: list[Command] = []
        self.asked: list[tuple[str, int | None]] = []
        self.past: list[Json] | KstreamError = []
        self._queue: asyncio.Queue[Mapping[str, Any] | KstreamError] = asyncio.Queue(maxsize=1000)
        for message in messages:
            self._queue.put_nowait(message)

    def say(self, message: Mapping[str, Any] | KstreamError) -> None:
        self._queue.put_nowait(message)

    async def messages(self) -> AsyncIterator[Json]:
        while True:
            message = await self._queue.get()
            if isinstance(message, KstreamError):
                raise message
            self.state.apply(message)
            yield dict(message)

    async def command(self, command: Command) -> None:
        self.commands.append(command)

    async def history(self, uid: str, upto: int | None) -> list[Json]:
        self.asked.append((uid, upto))
        if isinstance(self.past, KstreamError):
            raise self.past
        return self.past
