"""Objects, stores and requests for the tests of the fake API server."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, TypeVar

import aiohttp

from kstream.clock import VirtualClock
from kstream.core.timeline.events import Kind, Verb
from simulator.apiserver.server import FakeApiServer
from simulator.apiserver.store import Store
from simulator.cluster.objects import Change

T = TypeVar("T")


class Writer:
    """Writes to a store with versions that count up."""

    def __init__(self, store: Store | None = None) -> None:
        self.store = store or Store()
        self._versions = itertools.count(self.store.version + 1)

    def pod(
        self,
        name: str,
        *,
        namespace: str = "shop",
        verb: Verb = Verb.ADDED,
        labels: dict[str, str] | None = None,
        node: str = "",
        time: float = 0.0,
    ) -> int:
        """Write a pod; returns its version."""
        spec = {"containers": [{"name": "main", "image": "nginx"}], **({"nodeName": node} if node else {})}
        return self.write(Kind.POD, name, namespace=namespace, verb=verb, labels=labels, spec=spec, time=time)

    def namespace(self, name: str, *, verb: Verb = Verb.ADDED, time: float = 0.0) -> int:
        return self.write(Kind.NAMESPACE, name, verb=verb, status={"phase": "Active"}, time=time)

    def node(self, name: str, *, verb: Verb = Verb.ADDED) -> int:
        return self.write(Kind.NODE, name, verb=verb)

    def write(
        self,
        kind: Kind,
        name: str,
        *,
        namespace: str = "",
        verb: Verb = Verb.ADDED,
        labels: dict[str, str] | None = None,
        time: float = 0.0,
        **parts: dict[str, Any],
    ) -> int:
        version = next(self._versions)
        metadata: dict[str, Any] = {
            "name": name,
            "uid": f"uid-{name}",
            "resourceVersion": str(version),
            "creationTimestamp": "2025-01-24T10:00:00Z",
        }
        if namespace:
            metadata["namespace"] = namespace
        if labels:
            metadata["labels"] = labels
        self.store.apply(Change(time, verb, kind, {"metadata": metadata, **parts}))
        return version


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: str

    def json(self) -> Any:
        return json.loads(self.body)

    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.body.splitlines()]


class Client:
    """Asks a server, in its virtual time."""

    def __init__(self, server: FakeApiServer, session: aiohttp.ClientSession, clock: VirtualClock) -> None:
        self.server = server
        self.session = session
        self.clock = clock

    async def get(
        self,
        path: str,
        *,
        accept: str = "application/json",
        token: str = "",
        method: str = "GET",
        body: str = "",
    ) -> Answer:
        """The whole answer; time passes until it is there. Raises aiohttp.ClientError if it is cut."""
        return await self.passing(self.ask(path, accept=accept, token=token, method=method, body=body))

    async def passing(self, work: Coroutine[Any, Any, T], *, step: float = 0.5) -> T:
        """Let virtual time pass until `work` is done."""
        task = asyncio.create_task(work)
        try:
            while not task.done():
                await self.clock.advance(step)
            return await task
        finally:
            task.cancel()

    async def ask(
        self,
        path: str,
        *,
        accept: str = "application/json",
        token: str = "",
        method: str = "GET",
        body: str = "",
    ) -> Answer:
        """The whole answer, while someone else lets time pass."""
        headers = {"Accept": accept, **({"Authorization": f"Bearer {token}"} if token else {})}
        async with self.session.request(
            method, f"{self.server.url}{path}", headers=headers, data=body or None
        ) as answer:
            names = {key.lower(): value for key, value in answer.headers.items()}
            return Answer(answer.status, names, (await answer.read()).decode())


@asynccontextmanager
async def serving(store: Store, **options: Any) -> AsyncIterator[Client]:
    """A server on virtual time and a client for it. `options` are those of FakeApiServer."""
    clock = VirtualClock()
    async with (
        FakeApiServer(store, clock=clock, **options) as server,
        aiohttp.ClientSession() as session,
    ):
        yield Client(server, session, clock)
