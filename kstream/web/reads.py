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

from kstream.core.conditions.condition import Condition
from kstream.core.conditions.intervals import Moment
from kstream.core.delivery.filters import Filter
from kstream.core.delivery.records import Record
from kstream.core.errors import InvalidMessageError, LogTrimmedError
from kstream.core.timeline.comparison import Biography, compared, key_as_json
from kstream.core.timeline.events import Event
from kstream.core.timeline.timepoint import timestamp
from kstream.logs.lives import life
from kstream.logs.places import past, place, time_of
from kstream.logs.searching import when
from kstream.logs.timelines import MOST, timeline
from kstream.ports import EventLog
from kstream.web.admission import error_response

NDJSON: Final = "application/x-ndjson"
_AT_ONCE: Final = 2  # answers that are being made
_SPAN: Final = 2000  # events that are read at once
_LOOKED_AT: Final = 100_000  # events that one request looks at
_LIMIT: Final = 1000  # events of an answer, unless it is said
_MOST: Final = 10_000
_BUCKETS: Final = 100


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
            web.get("/api/timeline", answered(self.timeline)),
            web.get("/api/when", answered(self.when)),
        ]

    async def place(self, request: web.Request, name: str, *, otherwise: int) -> Place:
        """The moment that a parameter names, within what is kept; `otherwise` where it is left out.

        Raises InvalidMessageError, also for an event that is not there yet, and LogTrimmedError.
        """
        log, point = self._log, request.query.get(name)
        if not point:
            return Place(otherwise, await time_of(log, otherwise))
        if past(log, point):
            raise InvalidMessageError(
                "That event is not there yet", f"{name}: {point[:40]!r}: the last one is seq:{log.head}"
            )
        span = await time_of(log, log.oldest - 1), self._time()
        found = Place(*await place(log, point, span, field=name, otherwise=(0, 0.0)))
        if point.strip().startswith("seq:") and found.seq > int(point.strip()[4:]):
            raise LogTrimmedError(f"{name}: {point[:40]!r} is no longer kept: the log begins at {log.oldest}")
        return found

    async def diff(self, request: web.Request) -> web.Response:
        """Which objects came, went and changed between two moments, and in what."""
        watched = watched_by(request)
        first = await self.place(request, "from", otherwise=self._log.oldest - 1)
        last = await self.place(request, "to", otherwise=self._log.head)
        async with self._turns:
            before, after = await self._log.state_at(first.seq), await self._log.state_at(last.seq)

            def body() -> bytes:
                changes = [change.as_json() for change in compared(before, after, watched.lets_through)]
                whole = {"type": "diff", "from": first.as_json(), "to": last.as_json(), "changes": changes}
                return json.dumps(whole, separators=(",", ":")).encode()

            return _json(await asyncio.to_thread(body))

    async def events(self, request: web.Request) -> web.Response:
        """What happened, as the messages of the socket; with `Accept: application/x-ndjson` one a line."""
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
        uid, limit = request.match_info["uid"], _limit(request)
        first, last = await self._span(request)
        async with self._turns:
            known, events = await life(self._log, uid, after=first, upto=last, most=limit + 1)
        cursor = f"seq:{events[limit - 1].seq}" if len(events) > limit else None
        if known is None and not events:
            return error_response(
                404,
                "NOT_FOUND",
                "Nothing is recorded of that object",
                f"{uid[:100]!r}; `uid` is that of a resource",
            )
        biography = Biography([known] if known is not None else [])
        versions = [biography.tell(event) for event in events[:limit]]
        told = key_as_json(known.key if known is not None else events[0].change.key)
        return web.json_response({"type": "history", **told, "versions": versions, "cursor": cursor})

    async def timeline(self, request: web.Request) -> web.Response:
        """How much happened and how much was bad, from one moment to another, in buckets."""
        watched, count = watched_by(request), _number(request, "buckets", otherwise=_BUCKETS, most=MOST)
        first = await self.place(request, "from", otherwise=self._log.oldest - 1)
        last = await self.place(request, "to", otherwise=self._log.head)
        if last < first:
            raise InvalidMessageError("The span ends before it begins", "to: it is before `from`")
        async with self._turns:
            found = await timeline(self._log, watched, first, last, count)

            def body() -> bytes:
                buckets = [bucket.as_json() for bucket in found]
                whole = {
                    "type": "timeline",
                    "from": first.as_json(),
                    "to": last.as_json(),
                    "buckets": buckets,
                }
                return json.dumps(whole, separators=(",", ":")).encode()

            return _json(await asyncio.to_thread(body))

    async def when(self, request: web.Request) -> web.Response:
        """From when to when a condition was true of which object (docs/inspecting.md)."""
        condition, limit = Condition.parse(request.query.get("where", "")), _limit(request)
        goes_on = bool(request.query.get("cursor"))
        name = "cursor" if goes_on else "from"
        first = await self.place(request, name, otherwise=self._log.oldest - 1)
        last = await self.place(request, "to", otherwise=self._log.head)
        if last < first:
            raise InvalidMessageError("The span ends before it begins", "to: it is before `from`")
        async with self._turns:
            found = await when(
                self._log, condition, start=Moment(*first), upto=last.seq, limit=limit, goes_on=goes_on
            )

            def body() -> bytes:
                whole = {"type": "when", "from": first.as_json(), "to": last.as_json(), **found.as_json()}
                return json.dumps(whole, separators=(",", ":")).encode()

            return _json(await asyncio.to_thread(body))

    async def _span(self, request: web.Request) -> tuple[int, int]:
        """After and up to which event; where `cursor` is given it goes on from there."""
        name = "cursor" if request.query.get("cursor") else "since"
        first = await self.place(request, name, otherwise=self._log.oldest - 1)
        return first.seq, (await self.place(request, "until", otherwise=self._log.head)).seq

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


def watched_by(request: web.Request) -> Filter:
    """The filter that a query asks for (PROTOCOL 14, 30). Raises InvalidMessageError."""
    return Filter.of_query(lambda name: request.query.getall(name, []))


def _limit(request: web.Request) -> int:
    return _number(request, "limit", otherwise=_LIMIT, most=_MOST)


def _number(request: web.Request, name: str, *, otherwise: int, most: int) -> int:
    text = request.query.get(name, "")
    if not text:
        return otherwise
    if not (text.isascii() and text.isdigit() and 0 < int(text[:9]) <= most):
        raise InvalidMessageError(
            f"That is no number of {name}" if name != "limit" else "That is no limit",
            f"{name}: {text[:40]!r} must be a number from 1 to {most}",
        )
    return int(text)


def _json(body: bytes) -> web.Response:
    response = web.Response(body=body, content_type="application/json")
    response.enable_compression()
    return response
