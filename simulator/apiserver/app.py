"""The HTTP side: from a request to its answer, through access and faults."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

import msgspec
from aiohttp import web

from kstream.ports import Clock
from simulator.apiserver import discovery, listing, selectors, statuses
from simulator.apiserver.access import Access, read_review, review, rules
from simulator.apiserver.faults import Answer, Restore, Rule
from simulator.apiserver.rendering import Rendering, choose
from simulator.apiserver.requests import Ask, Seen, parse
from simulator.apiserver.statuses import StatusError
from simulator.apiserver.store import Store
from simulator.apiserver.streamfaults import StreamFaults
from simulator.apiserver.streaming import stream
from simulator.apiserver.tls import certified_user
from simulator.apiserver.watching import Watch

_JSON = "application/json"


class Served(Protocol):
    """What the HTTP side needs to know of the server that it belongs to."""

    @property
    def store(self) -> Store: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def access(self) -> Access: ...
    @property
    def git_version(self) -> str: ...
    @property
    def bookmark_interval(self) -> float: ...

    def cluster_time(self) -> float: ...
    def log(self, request: web.Request, user: str, ask: Ask | None) -> Seen: ...
    def faults_of(self, seen: Seen, *, page: int) -> Sequence[Rule]: ...
    def restart(self, down: float) -> None: ...
    def put_back(self, action: Restore) -> None: ...


def make_app(served: Served) -> web.Application:
    """The application; it answers every path, and knows an error for each that is not there."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await _answer(served, request)
        except StatusError as error:
            return _failure(error)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    return app


async def _answer(served: Served, request: web.Request) -> web.StreamResponse:
    shown = request.transport.get_extra_info("peercert") if request.transport is not None else None
    user = served.access.user(request.headers.get("Authorization", ""), certified=certified_user(shown))
    ask = parse(request.method, request.path, request.query)
    seen = served.log(request, user or "", ask)
    page = listing.page_number(served.store, ask) if ask is not None and ask.verb == "list" else 0
    faults = served.faults_of(seen, page=page)
    for rule in faults:
        if not rule.in_stream and (response := await _misbehave(served, request, rule, seen)) is not None:
            return response
    if user is None:
        raise statuses.unauthorized()
    if ask is None:
        return await _other(served, request, user)
    if not served.access.allows(user, verb=ask.verb, resource=ask.resource.plural, namespace=_reach(ask)):
        raise statuses.forbidden(
            user=user, verb=ask.verb, resource=ask.resource.plural, namespace=ask.namespace, name=ask.name
        )
    rendering = choose(
        request.headers.get("Accept", ""),
        ask.resource,
        now=served.cluster_time,
        include=ask.query.get("includeObject", ""),
    )
    if rendering is None:
        raise StatusError(406, "NotAcceptable", f"only the following media types are accepted: {_JSON}")
    if ask.verb == "watch":
        return await _watch(served, request, ask, rendering, faults)
    return _json(_read(served, ask, rendering))


def _reach(ask: Ask) -> str:
    """The namespace that a request reaches into; a single namespace is within itself."""
    return ask.name if ask.resource.plural == "namespaces" else ask.namespace


def _read(served: Served, ask: Ask, rendering: Rendering) -> bytes:
    if ask.verb == "get":
        entry = served.store.get(ask.resource.kind, ask.namespace, ask.name)
        if entry is None:
            raise statuses.not_found(resource=ask.resource.plural, name=ask.name)
        return rendering.one(entry)
    page = listing.page(served.store, ask, selectors.parse(ask))
    meta: dict[str, Any] = {"resourceVersion": str(page.version)}
    if page.next:
        meta["continue"] = page.next
    if page.remaining is not None:
        meta["remainingItemCount"] = page.remaining
    return rendering.many(page.entries, msgspec.json.encode(meta))


async def _watch(
    served: Served, request: web.Request, ask: Ask, rendering: Rendering, faults: Sequence[Rule]
) -> web.StreamResponse:
    watch = Watch(
        served.store,
        ask,
        selectors.parse(ask),
        rendering,
        now=served.clock.monotonic(),
        bookmark_interval=served.bookmark_interval,
    )
    return await stream(request, watch, store=served.store, clock=served.clock, faults=StreamFaults(faults))


async def _other(served: Served, request: web.Request, user: str) -> web.Response:
    """Everything that is no object: discovery, health, reviews."""
    path = request.path.rstrip("/")
    if path.startswith("/apis/authorization.k8s.io/v1/self") and request.method == "POST":
        kind = discovery.REVIEWS.get(path.rpartition("/")[2])
        if kind is not None:
            body = read_review(await request.read(), request.content_type)
            tell = review if kind == "SelfSubjectAccessReview" else rules
            return _json(msgspec.json.encode(tell(served.access, user, body)), status=201)
    if request.method not in ("GET", "HEAD"):
        known = parse("GET", request.path, {}) is not None or discovery.document(
            path, git_version="v1.0", address=""
        )
        raise statuses.method_not_allowed() if known else statuses.not_found_path()
    if path in discovery.HEALTH:
        return web.Response(text="ok")
    if not path:
        return _json(msgspec.json.encode(discovery.paths()))
    document = discovery.document(path, git_version=served.git_version, address=request.host)
    if document is None:
        raise statuses.not_found_path()
    return _json(msgspec.json.encode(document))


async def _misbehave(served: Served, request: web.Request, rule: Rule, seen: Seen) -> web.Response | None:
    """Do what a rule says to a request; the answer if that is the end of it."""
    match rule.do.kind:
        case "status":
            return _made_up(rule.do.status) if rule.do.status is not None else None
        case "unauthorized":
            raise statuses.unauthorized()
        case "expire_token":
            served.access.expire(seen.user)
            raise statuses.unauthorized()
        case "forbidden":
            raise statuses.forbidden(
                user=seen.user,
                verb=seen.verb,
                resource=seen.resource,
                namespace=seen.namespace,
                name=seen.name,
            )
        case "delay":
            await served.clock.sleep(rule.do.delay or 0.0)
        case "black_hole":
            await asyncio.Event().wait()  # until the client goes, which cancels us
        case "drop":
            return _cut(request)
        case "compact":
            served.store.compact()
        case "restart":
            served.restart(rule.do.restart.down if rule.do.restart is not None else 0.0)
            return _cut(request)
        case "restore":
            served.put_back(rule.do.restore or Restore())
            return _cut(request)
    return None


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()  # into a connection that is no more


def _made_up(answer: Answer) -> web.Response:
    details = {"retryAfterSeconds": answer.retry_after} if answer.retry_after is not None else None
    error = StatusError(
        answer.code, answer.reason, answer.message, details=details, retry_after=answer.retry_after
    )
    if answer.body is None:
        return _failure(error)
    headers = {"Content-Type": answer.content_type or "text/plain; charset=utf-8", **_retry(error)}
    return web.Response(status=answer.code, body=answer.body.encode(), headers=headers)


def _failure(error: StatusError) -> web.Response:
    return _json(error.body(), status=error.code, headers=_retry(error))


def _retry(error: StatusError) -> dict[str, str]:
    return {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}


def _json(body: bytes, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    always = {"Content-Type": _JSON, "Cache-Control": "no-cache, private"}
    return web.Response(status=status, body=body, headers={**always, **(headers or {})})
