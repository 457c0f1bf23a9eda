"""The HTTP reads of history (PROTOCOL 32): what there was, what is different, what happened, and to one object.

Each is bounded: in how many are answered at once, in the events that are looked at, and in what an answer holds. Where
there is more, `cursor` goes on.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, Final, NamedTuple

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from kstream.core.delivery.filters import Filter
from kstream.core.delivery.records import Record
from kstream.core.errors import InvalidMessageError, LogTrimmedError
from kstream.core.timeline.comparison import Biography, compared, key_as_json
from kstream.core.timeline.events import Event
from kstream.core.timeline.timepoint import timestamp
from kstream.logs.places import known_place, moment_of, time_of
from kstream.ports import EventLog
from kstream.web.admission import error_response

NDJSON: Final = "application/x-ndjson"
_AT_ONCE: Final = 2  # answers that are being made
_SPAN: Final = 2000  # events that are read at once
_LOOKED_AT: Final = 100_000  # events that one request looks at
_LIMIT: Final = 1000  # events of an answer, unless it is said
_MOST: Final = 10_000
FILTER: Final = ("namespaces", "kinds", "labels")
_SPAN_OF: Final = ("since", "until", "limit", "cursor")


class Place(NamedTuple):
    """A moment of the timeline: right after event `seq`."""

    seq: int
    time: float  # seconds since the Unix epoch

    def as_json(self) -> dict[str, Any]:
        return {"seq": self.seq, "time": timestamp(self.time)}


class Reads:
    """The handlers. `time` is that of the timeline, seconds since the Unix epoch."""

    def __init__(self, log: EventLog, *, time: Callable[[], float]) -> None:
        self._log = log
        self._time = time
        self._turns = asyncio.Semaphore(_AT_ONCE)

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            web.get("/api/diff", answered(self.diff)),
            web.get("/api/events", answered(self.events)),
            web.get("/api/objects/{uid}/history", answered(self.history)),
        ]

    async def place(self, request: web.Request, name: str, *, otherwise: int) -> Place:
        """The moment that a parameter names, within what is kept; `otherwise` where it is left out.

        Raises InvalidMessageError, also for an event that is not there yet, and LogTrimmedError.
        """
        log, point = self._log, request.query.get(name)
        if not point:
            return Place(otherwise, await time_of(log, otherwise))
        seq, time = await known_place(log, point, field=name, now=self._time())
        return Place(seq, await moment_of(log, seq, time))

    async def diff(self, request: web.Request) -> web.Response:
        """Which objects came, went and changed between two moments, and in what."""
        check_names(request, "from", "to", *FILTER)
        watched = watched_by(request)
        first, last = await self._between(request, "from", "to")
        async with self._turns:
            before, after = await self._log.state_at(first.seq), await self._log.state_at(last.seq)

            def body() -> bytes:
                changes = [change.as_json() for change in compared(before, after, watched.lets_through)]
                whole = {"type": "diff", "from": first.as_json(), "to": last.as_json(), "changes": changes}
                return json.dumps(whole, separators=(",", ":")).encode()

            return _json(await asyncio.to_thread(body))

    async def events(self, request: web.Request) -> web.Response:
        """What happened, as the messages of the socket; with `Accept: application/x-ndjson` one a line."""
        check_names(request, *_SPAN_OF, *FILTER)
        watched, limit = watched_by(request), _limit(request)
        first, last = await self._span(request)
        found: list[bytes] = []
        async with self._turns, aclosing(self._seen(watched, first, last)) as seen:
            reached = first
            async for seq, message in seen:
                reached = seq
                if message is not None:
                    found.append(message)
                if len(found) == limit:
                    break
        cursor = None if reached >= last else f"seq:{reached}"
        if NDJSON in request.headers.get(hdrs.ACCEPT, ""):
            end = json.dumps({"type": "end", "cursor": cursor}).encode()
            return web.Response(body=b"\n".join([*found, end, b""]), content_type=NDJSON)
        head = json.dumps({"type": "events", "cursor": cursor})[:-1].encode()
        return _json(b'%b, "data": [%b]}' % (head, b",".join(found)))

    async def history(self, request: web.Request) -> web.Response:
        """What happened to one object, from version to version, and what changed each time, by path."""
        check_names(request, *_SPAN_OF)
        uid, limit = request.match_info["uid"], _limit(request)
        first, last = await self._span(request)
        async with self._turns:
            known = [entry for entry in await self._log.state_at(first) if entry.key.uid == uid]
            life, key = Biography(known), known[0].key if known else None
            versions: list[dict[str, Any]] = []
            reached = first
            async with aclosing(self._read(first, last)) as events:
                async for event in events:
                    reached = event.seq
                    if event.change.key.uid == uid:
                        key = event.change.key
                        versions.append(life.tell(event))
                    if len(versions) == limit:
                        break
        cursor = None if reached >= last else f"seq:{reached}"
        if key is None and cursor is None:
            return error_response(
                404,
                "NOT_FOUND",
                "Nothing is recorded of that object",
                f"{uid[:100]!r}; `uid` is that of a resource",
            )
        told = key_as_json(key) if key is not None else {"uid": uid}
        return web.json_response({"type": "history", **told, "versions": versions, "cursor": cursor})

    async def _span(self, request: web.Request) -> tuple[int, int]:
        """After and up to which event; where `cursor` is given it goes on from there."""
        name = "cursor" if request.query.get("cursor") else "since"
        first, last = await self._between(request, name, "until")
        return first.seq, last.seq

    async def _between(self, request: web.Request, start: str, end: str) -> tuple[Place, Place]:
        """The moments that two parameters name. Raises InvalidMessageError where the second one is earlier."""
        first = await self.place(request, start, otherwise=self._log.oldest - 1)
        last = await self.place(request, end, otherwise=self._log.head)
        said = bool(request.query.get(start) and request.query.get(end))
        if last.seq < first.seq or (said and last.seq == first.seq and last.time < first.time):
            raise InvalidMessageError(
                "That ends before it begins",
                f"{end}: seq:{last.seq} is before {start}, which is seq:{first.seq}",
            )
        return first, last

    async def _read(self, after: int, upto: int) -> AsyncGenerator[Event, None]:
        """As many as one request may look at."""
        upto = min(upto, after + _LOOKED_AT)
        for start in range(after, upto, _SPAN):
            for event in await self._log.read(start, min(start + _SPAN, upto)):
                yield event

    async def _seen(
        self, watched: Filter, after: int, upto: int
    ) -> AsyncGenerator[tuple[int, bytes | None], None]:
        """Each event's number, and what it is to one with that filter; None where it is nothing."""
        # What the objects were before tells which of them begin to match, and which cease to.
        state = await self._log.state_at(after) if watched.labels is not None else None
        async with aclosing(self._read(after, upto)) as events:
            async for event in events:
                previous = state.apply(event) if state is not None else None
                seen = Record(event, previous).seen_by(watched)
                yield event.seq, seen.message if seen is not None else None


def answered(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> Handler:
    """What is wrong with a request, as an answer (PROTOCOL 14)."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except InvalidMessageError as invalid:
            return error_response(400, "INVALID_MESSAGE", str(invalid), invalid.details)
        except LogTrimmedError as gone:
            return error_response(
                410, "NO_LONGER_KEPT", "That part of the history is no longer kept", str(gone)
            )

    return answer


def check_names(request: web.Request, *known: str) -> None:
    """Raises InvalidMessageError for a parameter that there is not: what it says would pass for heeded."""
    for name in request.query:
        if name not in known:
            raise InvalidMessageError(
                "There is no such parameter", f"{name[:40]!r}: {request.path} takes {', '.join(known)}"
            )


def watched_by(request: web.Request) -> Filter:
    """The filter that a query asks for (PROTOCOL 14, 30). Raises InvalidMessageError."""
    return Filter.of_query(lambda name: request.query.getall(name, []))


def _limit(request: web.Request) -> int:
    text = request.query.get("limit", "")
    if not text:
        return _LIMIT
    if not (text.isascii() and text.isdigit() and 0 < int(text[:9]) <= _MOST):
        raise InvalidMessageError(
            "That is no limit", f"limit: {text[:40]!r} must be a number from 1 to {_MOST}"
        )
    return int(text)


def _json(body: bytes) -> web.Response:
    response = web.Response(body=body, content_type="application/json")
    response.enable_compression()
    return response
