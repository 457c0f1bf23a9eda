"""The HTTP side as OpenAPI 3.1 (PROTOCOL 32): the reads, the probes, and the operator's playback."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kstream.core.conditions.tokens import MAX_LENGTH
from kstream.core.delivery.messages import UNIONS, InitialStateMessage, PlaybackMessage
from kstream.core.delivery.selectors import MAX_SELECTOR
from kstream.core.delivery.wire import PROTOCOL_VERSION
from kstream.logs.timelines import MOST
from kstream.schemas.messages import said_by_clients
from kstream.schemas.shapes import Schema, Shapes
from kstream.web import answers
from kstream.web.reads import BUCKETS, LIMIT, MOST_EVENTS, NDJSON

_REFS: Final = "#/components/schemas/"
_ANSWERS: Final = (
    *(InitialStateMessage, PlaybackMessage, answers.Refusal, answers.Diff, answers.Events, answers.EventsEnd),
    *(answers.History, answers.Timeline, answers.When, answers.Status, answers.Program),
)


def openapi(*, closed: bool) -> Schema:
    """The document. `closed` as in messages.py, of answers: what it does not know of a command the server ignores."""
    shapes = Shapes(UNIONS, refs=_REFS, closed=closed)
    shapes.all_of(_ANSWERS)
    command = said_by_clients(refs=_REFS, closed=False)["PlaybackCommand"]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "kstream",
            "version": str(PROTOCOL_VERSION),
            "description": "The past and the present of a cluster, read over HTTP. The stream itself is the WebSocket "
            "/ws: /asyncapi.json, docs/protocol.md.",
        },
        "paths": _PATHS,
        "components": {
            "parameters": _PARAMETERS,
            "responses": _REFUSALS,
            "schemas": shapes.defs | {"PlaybackCommand": _for_all(command)},
        },
    }


def _for_all(command: Schema) -> Schema:
    """As the socket's, but nobody comes home to the timeline that is shared, and there is one thing to say."""
    actions = [each for each in command["properties"]["action"]["enum"] if each != "live"]
    properties = command["properties"] | {"action": {"type": "string", "enum": actions}}
    return command | {"properties": properties, "required": ["action"]}


def _json(name: str, kind: str = "application/json") -> Schema:
    return {kind: {"schema": {"$ref": f"{_REFS}{name}"}}}


def _refusals(*names: str) -> dict[str, Schema]:
    """By status; whatever else is refused (docs/protocol.md) has the same shape."""
    named = {name.rpartition("_")[2]: {"$ref": f"#/components/responses/{name}"} for name in names}
    return named | {"default": {"$ref": "#/components/responses/refused"}}


def _refused(what: str) -> Schema:
    return {"description": what, "content": _json("Refusal")}


_TEXT: Final = {"text/plain": {"schema": {"type": "string"}}}
_REFUSALS: Final = {
    "refused_400": {
        "description": "INVALID_MESSAGE: a parameter is wrong, or there is none of that name; `details` says which. In "
        "text where it is no HTTP, or its first line has more than 8190 bytes: the parser refuses it.",
        "content": _json("Refusal") | _TEXT,
    },
    "refused_403": _refused("ORIGIN_NOT_ALLOWED: pages of this server only"),
    "refused_404": _refused("NOT_FOUND: nothing is recorded of that object"),
    "refused_410": _refused("NO_LONGER_KEPT: retention has dropped it"),
    "refused_503": _refused("LOG_UNREADABLE, or no state yet"),
    "refused": _refused("HOST_NOT_ALLOWED, ORIGIN_NOT_ALLOWED and whatever else is refused"),
}


def _query(name: str, what: str, *, required: bool = False, example: str = "", **schema: Any) -> Schema:
    described = {
        "name": name,
        "in": "query",
        "required": required,
        "schema": schema or {"type": "string"},
        "description": what,
    }
    return described | ({"example": example} if example else {})


def _point(name: str, what: str) -> Schema:
    forms = "RFC 3339, `seq:N`, `-5m` (before now) or `+90s` (after the first event that is kept)"
    return _query(name, f"{what}: {forms}", example="-5m")


def _number(name: str, what: str, most: int, otherwise: int) -> Schema:
    return _query(name, what, type="integer", minimum=1, maximum=most, default=otherwise)


_PARAMETERS: Final = {
    "namespaces": _query(
        "namespaces", "Pods and namespaces of these names only, joined by commas; nodes always"
    ),
    "kinds": _query("kinds", "Of `pods,nodes,namespaces` these only"),
    "labels": _query(
        "labels",
        "Pods that this Kubernetes label selector matches",
        example="app=web",
        type="string",
        maxLength=MAX_SELECTOR,
    ),
    "limit": _number("limit", "How many at most", MOST_EVENTS, LIMIT),
    "cursor": _query("cursor", "Where the last answer ended"),
}
_FILTER: Final = ("namespaces", "kinds", "labels")
_PAGE: Final = ("limit", "cursor")


def _shared(*names: str) -> list[Schema]:
    return [{"$ref": f"#/components/parameters/{name}"} for name in names]


def _read(
    summary: str, answer: str, what: str, parameters: list[Schema], *refused: str, **more: Any
) -> Schema:
    """A read that looks into the log."""
    answered = {"description": what, "content": _json(answer) | more}
    refusals = _refusals("refused_400", *refused, "refused_410", "refused_503")
    return {"get": {"summary": summary, "parameters": parameters, "responses": {"200": answered} | refusals}}


def _told(summary: str, answer: str, what: str) -> Schema:
    """A read of what is known without the log."""
    return {
        "get": {
            "summary": summary,
            "responses": {"200": {"description": what, "content": _json(answer)}} | _refusals(),
        }
    }


def _text(summary: str, what: str, **others: str) -> Schema:
    told = {"200": what} | {status.removeprefix("_"): other for status, other in others.items()}
    responses = {status: {"description": said, "content": _TEXT} for status, said in told.items()}
    return {"get": {"summary": summary, "responses": responses | _refusals()}}


_SPAN: Final = [_point("since", "After this"), _point("until", "Up to this")]
_BETWEEN: Final = [_point("from", "From"), _point("to", "To")]
_UID: Final = {"name": "uid", "in": "path", "required": True, "schema": {"type": "string"}}
_LINES: Final = {
    NDJSON: {
        "schema": {
            "type": "string",
            "description": "An EventMessage a line; the last line is an EventsEnd.",
        }
    }
}
_PLAYBACK: Final = _told("How the timeline that all share is played", "PlaybackMessage", "As on the socket")
_MOVED: Final = {
    "summary": "Move the timeline of a replay, for everyone",
    "requestBody": {"required": True, "content": _json("PlaybackCommand")},
    "responses": {"200": {"description": "How it is played now", "content": _json("PlaybackMessage")}}
    | _refusals("refused_400", "refused_403"),
}
_PATHS: Final[Mapping[str, Schema]] = {
    "/api/state": _read(
        "The state now, or at a moment",
        "InitialStateMessage",
        "As the `initial_state` message, never cut",
        [_point("at", "Then"), *_shared(*_FILTER)],
    ),
    "/api/diff": _read(
        "What is different between two moments",
        "Diff",
        "Which objects came, went and changed, and in what, by path",
        [_point("from", "The earlier"), _point("to", "The later"), *_shared(*_FILTER)],
    ),
    "/api/events": _read(
        "What happened",
        "Events",
        "As the messages of the socket",
        [*_SPAN, *_shared(*_PAGE, *_FILTER)],
        **_LINES,
    ),
    "/api/objects/{uid}/history": _read(
        "What happened to one object",
        "History",
        "From version to version, and what changed each time, by path",
        [_UID, *_SPAN, *_shared(*_PAGE)],
        "refused_404",
    ),
    "/api/timeline": _read(
        "How much happened, and how much was bad",
        "Timeline",
        "In buckets, for a scrubber",
        [*_BETWEEN, _number("buckets", "How many", MOST, BUCKETS), *_shared(*_FILTER)],
    ),
    "/api/when": _read(
        "From when to when a condition was true, of which object",
        "When",
        "Intervals, with the events that prove them",
        [
            _query(
                "where",
                "A CEL expression about `pod`, `node` or `namespace`",
                required=True,
                example='pod.status == "CrashLoopBackOff"',
                type="string",
                maxLength=MAX_LENGTH,
            ),
            *_BETWEEN,
            *_shared(*_PAGE),
        ],
    ),
    "/api/playback": _PLAYBACK | {"post": _MOVED},
    "/api/status": _told("Where the timeline is, and how fresh", "Status", "In numbers"),
    "/version": _told("What serves here", "Program", "Name, version, protocol"),
    "/livez": _text("Whether the process serves", "It does"),
    "/readyz": _text("Whether there is a fresh state", "There is", _503="There is not, and why"),
    "/metrics": _text("What Prometheus reads", "docs/metrics.md"),
}
