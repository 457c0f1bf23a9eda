"""The HTTP reads of history (PROTOCOL 32): what there was, what is different, what happened, and to one object.

Each is bounded: in how many are answered at once, until they are read; in the events that are looked at, and in what an
answer holds, in number and bytes. Where there is more, `cursor` goes on. What is made of events is made in a thread.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from kstream.core.conditions.condition import Condition
from kstream.core.conditions.intervals import Moment
from kstream.core.delivery.filters import Filter
from kstream.core.delivery.records import Record
from kstream.core.errors import InvalidMessageError, LogError, LogTrimmedError
from kstream.core.timeline.comparison import Biography, compared, key_as_json
from kstream.core.timeline.events import Event
from kstream.core.timeline.timepoint import timestamp
from kstream.logs.lives import life
from kstream.logs.places import known_place, moment_of, time_of
from kstream.logs.searching import when
from kstream.logs.timelines import MOST, timeline
from kstream.ports import EventLog
from kstream.processlog.lines import say
from kstream.web.admission import error_response
from kstream.web.sending import Pieces, sent

_log = logging.getLogger(__name__)
NDJSON: Final = "application/x-ndjson"
_AT_ONCE: Final = 2  # answers that are being made
_SPAN: Final = 2000  # events that are read at once
_LOOKED_AT: Final = 100_000  # events that one request looks at
LIMIT: Final = 1000  # events of an answer, unless it is said
MOST_EVENTS: Final = 10_000
BUCKETS: Final = 100
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
            web.get("/api/diff", answered(self._kept(self.diff))),
            web.get("/api/events", answered(self._kept(self.events))),
            web.get("/api/objects/{uid}/history", answered(self._kept(self.history))),
            web.get("/api/timeline", answered(self._kept(self.timeline))),
            web.get("/api/when", answered(self._kept(self.when))),
        ]

    async def place(self, request: web.Request, name: str, *, otherwise: int) -> Place:
        """The moment that a parameter names, within what is kept; `otherwise` where it is left out.

        Raises InvalidMessageError, also for an event that is not there yet, and LogTrimmedError.
        """
        log, point = self._log, request.query.get(name)
        if point:
            seq, time = await known_place(log, point, field=name, now=self._time())
        else:
            seq, time = otherwise, await time_of(log, otherwise)
        if log.head == 0:
            time = self._time()  # nothing has happened yet: no other moment is known
        return Place(seq, await moment_of(log, seq, time))

    async def diff(self, request: web.Request) -> web.StreamResponse:
        """Which objects came, went and changed between two moments, and in what."""
        check_names(request, "from", "to", *FILTER)
        watched = watched_by(request)
        first, last = await self._between(request, "from", "to")
        async with self._turns:
            before, after = await self._log.state_at(first.seq), await self._log.state_at(last.seq)

            def body() -> bytes:
                head = _json({"type": "diff", "from": first.as_json(), "to": last.as_json()})[:-1]
                changes = [
                    _json(change.as_json()) for change in compared(before, after, watched.lets_through)
                ]
                return b'%b,"changes":[%b]}' % (head, b",".join(changes))

            return await _sent(request, await asyncio.to_thread(body))

    async def events(self, request: web.Request) -> web.StreamResponse:
        """What happened, as the messages of the socket; with `Accept: application/x-ndjson` one a line."""
        check_names(request, *_SPAN_OF, *FILTER)
        watched, limit = watched_by(request), _limit(request)
        first, last = await self._span(request)
        async with self._turns:
            # What the objects were before tells which of them begin to match, and which cease to.
            state = await self._log.state_at(first) if watched.labels is not None else None

            def told(event: Event) -> bytes | None:
                previous = state.apply(event) if state is not None else None
                seen = Record(event, previous).seen_by(watched)
                return seen.message if seen is not None else None

            pieces = Pieces(limit)
            cursor = await self._gather(pieces, first, last, told)
            if NDJSON in request.headers.get(hdrs.ACCEPT, ""):
                end = _json({"type": "end", "cursor": cursor})
                lines = b"\n".join(filter(None, (pieces.joined(b"\n"), end))) + b"\n"
                return await _sent(request, lines, NDJSON)
            head = _json({"type": "events", "cursor": cursor})[:-1]
            return await _sent(request, b'%b,"data":[%b]}' % (head, pieces.joined(b",")))

    async def history(self, request: web.Request) -> web.StreamResponse:
        """What happened to one object, from version to version, and what changed each time, by path."""
        check_names(request, *_SPAN_OF)
        uid, limit = request.match_info["uid"], _limit(request)
        first, last = await self._span(request)
        async with self._turns:
            known, events = await life(self._log, uid, after=first, upto=last, most=limit + 1)
            goes_on = request.query.get("cursor") or request.query.get("since")
            if known is None and not events and not goes_on:
                return error_response(
                    404,
                    "NOT_FOUND",
                    "Nothing is recorded of that object",
                    f"{uid[:100]!r}; `uid` is that of a resource",
                )
            biography, pieces = Biography([known] if known is not None else []), Pieces(limit)

            def told(event: Event) -> bytes:
                return _json(biography.tell(event))

            reached = await asyncio.to_thread(pieces.take, events, told, last)
            cursor = f"seq:{reached}" if events and reached < events[-1].seq else None
            key = known.key if known is not None else events[0].change.key if events else None
            of = key_as_json(key) if key is not None else {"uid": uid}
            head = _json({"type": "history", **of, "cursor": cursor})[:-1]
            return await _sent(request, b'%b,"versions":[%b]}' % (head, pieces.joined(b",")))

    async def timeline(self, request: web.Request) -> web.StreamResponse:
        """How much happened and how much was bad, from one moment to another, in buckets."""
        check_names(request, "from", "to", "buckets", *FILTER)
        watched, count = watched_by(request), _number(request, "buckets", otherwise=BUCKETS, most=MOST)
        first, last = await self._between(request, "from", "to")
        async with self._turns:
            found = await timeline(self._log, watched, first, last, count)

            def body() -> bytes:
                head = _json({"type": "timeline", "from": first.as_json(), "to": last.as_json()})[:-1]
                return b'%b,"buckets":[%b]}' % (head, b",".join(_json(bucket.as_json()) for bucket in found))

            return await _sent(request, await asyncio.to_thread(body))

    async def when(self, request: web.Request) -> web.StreamResponse:
        """From when to when a condition was true of which object (docs/inspecting.md)."""
        check_names(request, "where", "from", "to", "limit", "cursor")
        condition, limit = Condition.parse(request.query.get("where", "")), _limit(request)
        goes_on = bool(request.query.get("cursor"))
        first, last = await self._between(request, "cursor" if goes_on else "from", "to")
        async with self._turns:
            found = await when(
                self._log, condition, start=Moment(*first), upto=last.seq, limit=limit, goes_on=goes_on
            )

            def body() -> bytes:
                return _json(
                    {"type": "when", "from": first.as_json(), "to": last.as_json(), **found.as_json()}
                )

            return await _sent(request, await asyncio.to_thread(body))

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

    async def _gather(
        self, pieces: Pieces, after: int, upto: int, told: Callable[[Event], bytes | None]
    ) -> str | None:
        """What is `told` of the events with after < seq <= upto, as many as one request may look at; where to go on."""
        reached, most = after, min(upto, after + _LOOKED_AT)
        while reached < most and not pieces.full:
            end = min(reached + _SPAN, most)
            events = await self._log.read(reached, end)
            reached = await asyncio.to_thread(pieces.take, events, told, end)
        return None if reached >= upto else f"seq:{reached}"

    def _kept(self, handler: Handler) -> Handler:
        """`handler`, again where the log began elsewhere meanwhile: of what is left out, what is kept is meant."""

        async def answer(request: web.Request) -> web.StreamResponse:
            while True:
                oldest = self._log.oldest
                try:
                    return await handler(request)
                except LogTrimmedError:
                    if self._log.oldest == oldest:
                        raise

        return answer


def answered(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> Handler:
    """What is wrong with a request, or with the log, as an answer (PROTOCOL 14)."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except InvalidMessageError as invalid:
            return error_response(400, "INVALID_MESSAGE", str(invalid), invalid.details)
        except LogTrimmedError as gone:
            return error_response(
                410, "NO_LONGER_KEPT", "That part of the history is no longer kept", str(gone)
            )
        except LogError as unreadable:
            say(_log, logging.ERROR, "log not read", path=request.path, message=str(unreadable))
            return error_response(503, "LOG_UNREADABLE", "The log cannot be read now", str(unreadable))

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
    return _number(request, "limit", otherwise=LIMIT, most=MOST_EVENTS)


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


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


async def _sent(request: web.Request, body: bytes, content_type: str = "application/json") -> web.Response:
    return await sent(request, web.Response(body=body, content_type=content_type))
