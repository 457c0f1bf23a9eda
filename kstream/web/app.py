"""The application: routes, checks, and what is sent along with every page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

from kstream.config import VERSION, ServeSettings
from kstream.core.delivery.origins import allowed_hosts, allowed_origins
from kstream.core.delivery.tally import Recording
from kstream.core.errors import InvalidMessageError, KstreamError
from kstream.delivery.hub import Hub
from kstream.delivery.timelines import Timelines
from kstream.descriptors import open_files, waiting_room
from kstream.ports import EventLog, Played
from kstream.web.admission import ADMISSION, Admission, admit, error_response, tell_origin
from kstream.web.api import Api, Status
from kstream.web.bodies import MAX_BODY, json_body
from kstream.web.callers import CALLERS, Callers, attend
from kstream.web.metrics import Metrics, Visits, Whole
from kstream.web.neighbours import Alone, Neighbours
from kstream.web.playing import Playing
from kstream.web.seats import OwnSeats, Seats
from kstream.web.ws import WebSockets

STATIC = Path(__file__).parent / "static"
_ASSETS = tuple(sorted(asset.name for asset in STATIC.iterdir()))
CLIENT = f"/kstream-{VERSION}.js"
"""The client under the version that it is of: what this address answers never changes."""

Control = Callable[[dict[str, Any]], Awaitable[Mapping[str, Any]]]

_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_FOR_EVER = "public, max-age=31536000, immutable"  # a year, the longest that is of use


def make_app(
    hub: Hub,
    log: EventLog,
    settings: ServeSettings,
    *,
    recording: Recording,
    time: Callable[[], float],
    status: Status | None = None,
    control: Control | None = None,
    seats: Seats | None = None,
    whole: Whole | None = None,
    timeline: Played | None = None,
    neighbours: Neighbours | None = None,
) -> web.Application:
    """The server's application. `time` is that of the timeline, seconds since the Unix epoch. `control` takes the body
    of POST /api/sim/do, where there is a simulation; `timeline` is a recording that is played.

    `seats` and `whole` are of all who serve behind the same port, and `neighbours` are the others, where this process
    is not the only one.
    """
    visits = Visits()
    seats = seats or OwnSeats(settings.max_clients)
    neighbours = neighbours or Alone()
    timelines = Timelines(
        hub,
        log,
        time=time,
        most=settings.max_timelines,
        metrics_interval=settings.metrics_interval,
        prefix=neighbours.prefix,
    )
    sockets = WebSockets(
        hub,
        log,
        visits,
        seats=seats,
        timelines=timelines,
        neighbours=neighbours,
        faults=settings.fault,
    )
    app = web.Application(middlewares=[attend, admit], client_max_size=MAX_BODY)
    app[CALLERS] = Callers(waiting_room(settings.max_clients, limit=open_files()))
    app[ADMISSION] = Admission(
        bound=settings.host,
        origins=allowed_origins(settings.allow_origin),
        hosts=allowed_hosts(settings.allow_host),
    )
    app.router.add_get("/ws", sockets.handle)
    app.router.add_routes(Api(hub, log, recording, time=time, status=status).routes())
    app.router.add_routes(Playing(timelines.shared, timeline, time=time).routes())
    app.router.add_get("/metrics", Metrics(hub, log, recording, visits, status=status, whole=whole).handle)
    app.on_response_prepare.append(visits.note)
    app.on_response_prepare.append(tell_origin)
    app.router.add_get("/", _static("index.html"))
    for name in _ASSETS:
        app.router.add_get(f"/{name}", _static(name))
    app.router.add_get(CLIENT, _static("kstream.js", kept=_FOR_EVER))
    if control is not None:
        app.router.add_post("/api/sim/do", _controlled(control))
    app.router.add_route("*", "/{path:.*}", _unknown)

    async def stop(_: web.Application) -> None:
        await sockets.shutdown()

    app.on_shutdown.append(stop)
    return app


def _static(name: str, *, kept: str = "no-cache") -> Callable[[web.Request], Any]:
    async def serve(_: web.Request) -> web.StreamResponse:
        return web.FileResponse(STATIC / name, headers={**_PAGE_HEADERS, "Cache-Control": kept})

    return serve


def _controlled(control: Control) -> Callable[[web.Request], Any]:
    async def act(request: web.Request) -> web.StreamResponse:
        try:
            return web.json_response(await control(await json_body(request)))
        except KstreamError as error:
            details = error.details if isinstance(error, InvalidMessageError) else ""
            return error_response(400, "INVALID_MESSAGE", str(error), details)

    return act


async def _unknown(request: web.Request) -> web.StreamResponse:
    there = await _methods_at(request)
    if there:
        response = error_response(
            405,
            "METHOD_NOT_ALLOWED",
            "That is not how this address is asked",
            f"{request.method} {request.path[:200]}: use {' or '.join(there)}",
        )
        response.headers["Allow"] = ", ".join(there)
        return response
    return error_response(
        404, "NOT_FOUND", "There is nothing at that address", f"{request.method} {request.path[:200]}"
    )


async def _methods_at(request: web.Request) -> list[str]:
    """Those that the address answers to, sorted; none where nothing is."""
    found: set[str] = set()
    for resource in request.app.router.resources():
        _, methods = await resource.resolve(request)
        found |= methods
    return sorted(found - {"*"})
