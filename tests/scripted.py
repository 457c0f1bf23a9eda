"""A Kubernetes API server that says what it was told to, and remembers what it was asked."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from kstream.clock import VirtualClock

Reply = Callable[[web.Request], Awaitable[web.StreamResponse]]

VERSION = {"major": "1", "minor": "29", "gitVersion": "v1.29.0"}


def meta(kind: str, name: str, *, uid: str = "", version: str = "1", namespace: str = "") -> dict[str, Any]:
    """An object with as little in it as an API server could send."""
    metadata = {"name": name, "uid": uid or f"uid-{name}", "resourceVersion": version}
    if namespace:
        metadata["namespace"] = namespace
    return {"kind": kind, "metadata": metadata}


def pod(
    name: str, version: str = "1", *, uid: str = "", namespace: str = "default", **status: Any
) -> dict[str, Any]:
    return {
        **meta("Pod", name, uid=uid, version=version, namespace=namespace),
        "spec": {"containers": []},
        "status": {"phase": "Running", **status},
    }


def listed(items: list[dict[str, Any]], version: str, *, more: str = "") -> Reply:
    metadata = {"resourceVersion": version, **({"continue": more} if more else {})}
    return answer(json.dumps({"kind": "List", "metadata": metadata, "items": items}).encode())


def answer(body: bytes = b"", *, status: int = 200, headers: dict[str, str] | None = None) -> Reply:
    async def reply(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, body=body, headers=headers, content_type="application/json")

    return reply


def refused(code: int, reason: str, message: str = "", *, headers: dict[str, str] | None = None) -> Reply:
    status = {
        "kind": "Status",
        "status": "Failure",
        "code": code,
        "reason": reason,
        "message": message or reason,
    }
    return answer(json.dumps(status).encode(), status=code, headers=headers)


def line(type_: str, item: dict[str, Any]) -> bytes:
    return json.dumps({"type": type_, "object": item}).encode() + b"\n"


def bookmark(version: str) -> bytes:
    return line("BOOKMARK", {"kind": "Pod", "metadata": {"resourceVersion": version}})


def error(code: int, reason: str, *, retry_after: int | None = None) -> bytes:
    status = {"kind": "Status", "code": code, "reason": reason, "message": reason.lower()}
    details = {} if retry_after is None else {"details": {"retryAfterSeconds": retry_after}}
    return line("ERROR", status | details)


def hang() -> Reply:
    """Accept, and never say a word."""

    async def reply(request: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    return reply


class Stream:
    """A watch that is open: the test writes into it."""

    def __init__(self) -> None:
        self._chunks: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._cut = False
        self.request: web.Request | None = None
        self.opened = asyncio.Event()

    def send(self, *chunks: bytes) -> None:
        for chunk in chunks:
            self._chunks.put_nowait(chunk)

    def end(self) -> None:
        self._chunks.put_nowait(None)

    def cut(self) -> None:
        self._cut = True
        self._chunks.put_nowait(None)

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.request = request
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        self.opened.set()
        while (chunk := await self._chunks.get()) is not None:
            await response.write(chunk)
        if self._cut and request.transport is not None:
            request.transport.abort()
            return response
        await response.write_eof()
        return response


class ScriptedServer:
    """Replies by path and kind of request: scripted ones in order, else quiet defaults."""

    def __init__(self) -> None:
        self.requests: list[str] = []  # "list pods", "watch pods/shop?resourceVersion=7", …
        self.queries: list[dict[str, str]] = []
        self.tokens: list[str] = []
        self.impersonated: list[tuple[tuple[str, str], ...]] = []
        self._scripts: dict[str, deque[Reply]] = {}
        self.url = ""
        self.port = 0

    def on(self, what: str, *replies: Reply) -> None:
        """`what` is "list pods", "watch pods", "list pods/shop", "get /version"."""
        self._scripts.setdefault(what, deque()).extend(replies)

    def forget(self, *what: str) -> None:
        """What is asked from now on gets the quiet default."""
        for each in what:
            self._scripts.pop(each, None)

    def asked(self, what: str) -> list[dict[str, str]]:
        """The queries of the requests of this kind, in order."""
        return [query for name, query in zip(self.requests, self.queries, strict=True) if name == what]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        what = _name(request)
        self.requests.append(what)
        self.queries.append(dict(request.query))
        self.tokens.append(request.headers.get("Authorization", ""))
        self.impersonated.append(
            tuple((name, value) for name, value in request.headers.items() if name.startswith("Impersonate-"))
        )
        script = self._scripts.get(what)
        if script:
            return await script.popleft()(request)
        return await _default(what)(request)

    @asynccontextmanager
    async def running(
        self, port: int = 0, *, tls: ssl.SSLContext | None = None
    ) -> AsyncIterator[ScriptedServer]:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port, ssl_context=tls)
        await site.start()
        self.port = runner.addresses[0][1]
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}"
        try:
            yield self
        finally:
            await runner.cleanup()


def _name(request: web.Request) -> str:
    path = request.path
    if not path.startswith("/api/v1/") or path.endswith("/namespaces/kube-system"):
        return f"{request.method.lower()} {path}"
    parts = path.removeprefix("/api/v1/").split("/")
    if len(parts) == 2:
        return f"get {parts[0]}/{parts[1]}"
    resource = f"{parts[2]}/{parts[1]}" if len(parts) == 3 else parts[0]
    return f"{'watch' if 'watch' in request.query else 'list'} {resource}"


def _default(what: str) -> Reply:
    if what == "get /version":
        return answer(json.dumps(VERSION).encode())
    if what == "get /api/v1/namespaces/kube-system":
        return answer(json.dumps(meta("Namespace", "kube-system", uid="the-cluster")).encode())
    if what.startswith("get namespaces/"):
        return answer(json.dumps(meta("Namespace", what.removeprefix("get namespaces/"))).encode())
    if what.startswith("list"):
        return listed([], "1")
    return Stream()


def kubeconfig(
    path: Path, server: str, *, user: dict[str, Any] | None = None, cluster: dict[str, Any] | None = None
) -> Path:
    """Write a kubeconfig with one context."""
    path.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "here",
                "clusters": [{"name": "my-cluster", "cluster": {"server": server, **(cluster or {})}}],
                "users": [{"name": "me", "user": user or {"token": "good"}}],
                "contexts": [{"name": "here", "context": {"cluster": "my-cluster", "user": "me"}}],
            }
        )
    )
    return path


def trusting(authority: str) -> dict[str, Any]:
    """What a cluster entry needs for a server whose certificate this authority (PEM) has signed."""
    return {"certificate-authority-data": base64.b64encode(authority.encode()).decode()}


async def until(
    condition: Callable[[], bool], clock: VirtualClock | None = None, *, step: float = 0.0
) -> None:
    """Let sockets do their work until it holds; with `step`, virtual seconds pass meanwhile."""
    while not condition():
        if clock is not None and step:
            await clock.advance(step)
        await asyncio.sleep(0.0)
