"""`/api/playback`: how the timeline is played, for everyone; and its operator's commands (PROTOCOL 28, 32)."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import hdrs, web

from kstream.core.delivery.wire import PlaybackCommand, parse
from kstream.core.errors import InvalidMessageError
from kstream.core.timeline.timepoint import timestamp
from kstream.delivery.driving import drive
from kstream.ports import Played
from kstream.web.admission import ADMISSION, error_response
from kstream.web.bodies import json_body
from kstream.web.reads import answered


class Playing:
    """The handlers. `timeline`: a recording that is played here; None: the timeline is that of a cluster."""

    def __init__(
        self,
        told: Callable[[], Awaitable[Mapping[str, Any]]],
        timeline: Played | None,
        *,
        time: Callable[[], float],
    ) -> None:
        """`told` has the data of a `playback` message; `time` is that of the timeline, seconds since the Unix epoch."""
        self._told = told
        self._timeline = timeline
        self._time = time

    def routes(self) -> list[web.AbstractRouteDef]:
        return [web.get("/api/playback", answered(self.tell)), web.post("/api/playback", answered(self.do))]

    async def tell(self, _: web.Request) -> web.Response:
        """As a `playback` message; of a live timeline, too."""
        return web.json_response(await self._message())

    async def do(self, request: web.Request) -> web.Response:
        """One command for the timeline that all share: pause, play, step, seek. From pages of this server only."""
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is not None and not request.app[ADMISSION].same_origin(
            origin, request.headers.get(hdrs.HOST, "")
        ):
            return error_response(
                403,
                "ORIGIN_NOT_ALLOWED",
                "Only pages of this server may move its timeline",
                f"Origin: {origin[:200]!r}",
            )
        if self._timeline is None:
            raise InvalidMessageError(
                "This timeline is live: it cannot be moved",
                "POST /api/playback is for `kstream replay`; a client goes to another moment by itself, with"
                " /ws?at=-5m",
            )
        command = await _command(request)
        if command.action == "live":
            raise InvalidMessageError(
                "A recording is played here", "action: 'live' is for a timeline of one's own"
            )
        await drive(self._timeline, command)
        await self._timeline.obeyed()  # who reads the state next reads what came of it
        return web.json_response(await self._message())

    async def _message(self) -> Mapping[str, Any]:
        data = await self._told()
        return {"type": "playback", "data": data, "timestamp": timestamp(self._time())}


async def _command(request: web.Request) -> PlaybackCommand:
    """What is asked for; `type` may be left out. Raises InvalidMessageError."""
    given = await json_body(request, wanted="Send a JSON object, with `action`")
    command = parse(json.dumps({"type": "playback"} | given).encode())
    if not isinstance(command, PlaybackCommand):
        raise InvalidMessageError(
            "That is no command for a timeline", f"type: {command.type!r} must be 'playback'"
        )
    return command
