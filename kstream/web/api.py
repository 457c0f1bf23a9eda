"""The HTTP reads: is it alive, is it ready, which version, and the state as one message."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from kstream.config import VERSION
from kstream.core.delivery import snapshot
from kstream.core.delivery.tally import Recording
from kstream.core.delivery.wire import PROTOCOL_VERSION
from kstream.delivery.hub import Hub
from kstream.ports import EventLog
from kstream.web.admission import error_response
from kstream.web.reads import FILTER, Reads, answered, check_names, watched_by
from kstream.web.sending import sent

_AT_ONCE = 2  # states in memory, each of which belongs to one request: the others wait

Status = Callable[[], Awaitable[Mapping[str, Any]]]
"""What the source knows of itself, for /api/status; perhaps asked of another process."""


class Api:
    """The handlers; `status` adds what the source knows about its watches."""

    def __init__(
        self,
        hub: Hub,
        log: EventLog,
        recording: Recording,
        *,
        time: Callable[[], float],
        status: Status | None = None,
    ) -> None:
        self._hub = hub
        self._log = log
        self._recording = recording
        self._time = time
        self._status = status
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._reads = Reads(log, time=time)

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            web.get("/livez", self.livez),
            web.get("/readyz", self.readyz),
            web.get("/version", self.version),
            web.get("/api/state", self.state),
            web.get("/api/status", self.status),
            *self._reads.routes(),
        ]

    async def livez(self, _: web.Request) -> web.Response:
        """The process serves."""
        return web.Response(text="ok\n")

    async def readyz(self, _: web.Request) -> web.Response:
        """There is a state, and it is fresh; otherwise 503 and what is wrong."""
        health = self._hub.health
        if health.fresh:
            return web.Response(text="ok\n")
        why = (
            "the state is stale: not all of it follows the cluster"
            if health.synced
            else "there is no state yet"
        )
        wrong = [
            f"{fault.code}: {fault.message} {fault.details}".rstrip() for fault in health.faults.values()
        ]
        return web.Response(status=503, text="\n".join([why, *wrong]) + "\n")

    async def version(self, _: web.Request) -> web.Response:
        return web.json_response({"name": "kstream", "version": VERSION, "protocol": PROTOCOL_VERSION})

    async def state(self, request: web.Request) -> web.StreamResponse:
        """The `initial_state` message, never cut; `?namespaces=`, `?kinds=` and `?labels=` as on the socket.

        `?at=`: as it was then.
        """
        return await answered(self._state)(request)

    async def _state(self, request: web.Request) -> web.StreamResponse:
        check_names(request, "at", *FILTER)
        watched = watched_by(request)
        if not self._hub.health.synced:
            return error_response(503, "CLUSTER_UNREACHABLE", "There is no state yet", "See /readyz")
        async with self._turns:
            state, time = self._hub.state, self._time()
            if request.query.get("at"):
                at = await self._reads.place(request, "at", otherwise=0)
                state, time = await self._log.state_at(at.seq), at.time
            return await self._send_state(request, snapshot.capture(state, watched), time)

    async def _send_state(self, request: web.Request, taken: snapshot.Capture, time: float) -> web.Response:
        # A hundred megabytes are joined where that stops nobody.
        (message,) = await asyncio.to_thread(snapshot.messages, taken, time=time, limit=None)
        return await sent(request, web.Response(body=message, content_type="application/json"))

    async def status(self, _: web.Request) -> web.Response:
        """Freshness in numbers: where the timeline is, and what each watch has heard and when."""
        hub = self._hub
        health = hub.health
        body: dict[str, Any] = {
            "epoch": hub.epoch,
            "term": self._log.terms[-1].id,
            "seq": hub.state.seq,
            "protocol": PROTOCOL_VERSION,
            "oldest": self._log.oldest,
            "dropped": self._log.oldest - 1,
            "source": hub.source,
            "cluster": {"name": health.cluster.name, "version": health.cluster.version},
            "synced": health.synced,
            "stale": health.stale,
            "clients": len(hub),
            "timelines": len(hub.branches),
            "recorded": self._recording.events,
            "suppressed": self._recording.suppressed,
            "faults": [
                {
                    "fault": fault.subject,
                    "code": fault.code,
                    "message": fault.message,
                    "details": fault.details,
                    "stale": fault.stale,
                }
                for fault in health.faults.values()
            ],
        }
        if self._status is not None:
            body.update(await self._status())
        return web.json_response(body)
