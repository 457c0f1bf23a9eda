"""What a reflector asks for and what it says: the words between the pure state machine and its adapter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from kstream.core.timeline.events import Kind, WatchEvent

PAGE: Final = 500  # objects (LISTWATCH 1)
PAGE_WITHIN: Final = 60.0  # seconds for a page (LISTWATCH 9)
HEADERS_WITHIN: Final = 30.0  # seconds for the head of a watch


class Moment(NamedTuple):
    """Now, on both clocks: deadlines count on the first, events are dated with the second."""

    monotonic: float
    time: float  # seconds since the Unix epoch


class Stream(NamedTuple):
    """What is listed and watched."""

    kind: Kind
    namespace: str = ""  # "" is the whole cluster
    only: frozenset[str] = frozenset()  # names of namespace objects to keep; empty keeps all

    @property
    def resource(self) -> str:
        """As in a URL and as RBAC calls it."""
        return f"{self.kind}s"

    @property
    def name(self) -> str:
        """The key of its version in the log. Another filter is another stream: it has missed other events."""
        scope = self.namespace or ",".join(sorted(self.only))
        return f"{self.resource}/{scope}" if scope else self.resource

    @property
    def path(self) -> str:
        scope = f"namespaces/{self.namespace}/" if self.namespace else ""
        return f"/api/v1/{scope}{self.resource}"


class Get(NamedTuple):
    """Send this request; `within` seconds for the response headers, for a list for the whole page."""

    path: str
    query: Mapping[str, str]
    watch: bool
    within: float


def list_get(stream: Stream, *, paged: bool, token: str) -> Get:
    """LISTWATCH 1: a limit and no resourceVersion; later pages have only `continue` besides."""
    query = {"limit": str(PAGE)} if paged else {}
    return Get(stream.path, query | ({"continue": token} if token else {}), watch=False, within=PAGE_WITHIN)


def watch_get(stream: Stream, version: str, *, timeout: int) -> Get:
    """LISTWATCH 2; without a version the WatchList of LISTWATCH 4. `timeout`: seconds."""
    query = {"watch": "true", "allowWatchBookmarks": "true", "timeoutSeconds": str(timeout)}
    if version:
        query["resourceVersion"] = version
    else:
        query |= {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}
    return Get(stream.path, query, watch=True, within=HEADERS_WITHIN)


class Wait(NamedTuple):
    """Ask again in so many seconds."""

    seconds: float


class Failure(StrEnum):
    """How a request can end without a response, or with half of one."""

    UNREACHED = "unreached"  # refused, no such host, TLS: nothing was sent
    LATE = "late"  # no headers, or not the whole page, in time
    CUT = "cut"  # the connection broke
    SILENT = "silent"  # no byte of a watch for as long as `Reflector.patience`


class InTouch(NamedTuple):
    """The stream is complete and up to date, and hears from the cluster."""


class Answered(NamedTuple):
    """The API server itself has spoken, if only to refuse: the cluster was reached."""


class Allowed(NamedTuple):
    """200: what was asked for may be asked for."""

    verb: str  # "list" or "watch"


class OutOfTouch(NamedTuple):
    """The stream does not hear from the cluster; it goes on trying."""

    cause: str


class Unauthorized(NamedTuple):
    """401: the credentials are to be refreshed before the next request (LISTWATCH 11)."""


class Forbidden(NamedTuple):
    """403: kept as it is, and asked for again (LISTWATCH 12)."""

    verb: str  # "list" or "watch"
    cause: str
    holds: bool = False  # something of it was seen before, is shown, and is kept up to date by nobody


class Broken(NamedTuple):
    """A watch or a list ended in an error that a relist has to repair (PROTOCOL 8, WATCH_ERROR)."""

    cause: str


Note = InTouch | Answered | Allowed | OutOfTouch | Unauthorized | Forbidden | Broken


class Output(NamedTuple):
    """What comes of one input. `version` is committed together with the events; "" says: list first."""

    events: Sequence[WatchEvent] = ()
    version: str | None = None
    notes: Sequence[Note] = ()
    close: bool = False  # the rest of the response is of no interest: ask for the next request


class Freshness(NamedTuple):
    """How fresh a stream is. Times are seconds since the Unix epoch, 0.0 for never."""

    stream: str
    state: str  # "listing", "watching", "waiting", "denied"
    last_byte: float
    last_event: float
    version: str  # the resourceVersion it would watch on from; "" when it has to list
    objects: int
    events: int  # handed on
    suppressed: int  # repetitions of a version that was known
    lists: int
    restarts: int  # watches after the first
    failures: int  # in a row
    lag: float = 0.0  # seconds from the socket to the commit, of the last delivery that was committed


@dataclass(slots=True)
class Tally:
    """What a reflector counts, and when it has heard something."""

    last_byte: float = 0.0
    heard: float = float("-inf")  # the same by the monotonic clock, seconds
    last_event: float = 0.0
    events: int = 0
    suppressed: int = 0
    lists: int = 0
    watches: int = 0

    def hear(self, now: Moment) -> None:
        self.last_byte, self.heard = now.time, now.monotonic

    def freshness(
        self, stream: Stream, *, state: str, version: str, objects: int, failures: int
    ) -> Freshness:
        return Freshness(
            stream=stream.name,
            state=state,
            last_byte=self.last_byte,
            last_event=self.last_event,
            version=version,
            objects=objects,
            events=self.events,
            suppressed=self.suppressed,
            lists=self.lists,
            restarts=max(0, self.watches - 1),
            failures=failures,
        )
