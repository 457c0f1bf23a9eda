"""Where an agent's answers come from: the file of a log, or the HTTP reads of a running server (PROTOCOL 32)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Final, NamedTuple, Protocol
from urllib.parse import urlencode

import aiohttp
import msgspec

from kstream.connecting import why_not
from kstream.core.errors import KstreamError, UnreachableError, UsageError
from kstream.core.timeline.events import Event, Kind, ObjectKey, Verb, WatchEvent
from kstream.core.timeline.state import ClusterState
from kstream.logs.places import known_place, moment_of, past, time_of
from kstream.logs.sqlite import SqliteLog

_AT_ONCE: Final = 2000  # events in memory
_MOST: Final = 10_000  # that a server tells in one answer
_TIMEOUT: Final = aiohttp.ClientTimeout(total=120)
_KINDS: Final = {"node_event": Kind.NODE, "pod_event": Kind.POD, "namespace_event": Kind.NAMESPACE}


class Moment(NamedTuple):
    """Right after an event."""

    seq: int
    time: float  # seconds since the Unix epoch


class Reads(Protocol):
    """History, read. Raises KstreamError for what cannot be read, UsageError for a point that is none."""

    @property
    def page(self) -> str:
        """Where people look at it; "" where nobody knows."""
        ...

    async def cluster(self) -> str:
        """What it is of."""
        ...

    async def moment(self, point: str | None, *, end: bool) -> Moment:
        """Where a point is; without one the beginning, or the end."""
        ...

    async def state(self, seq: int) -> ClusterState:
        """The state right after an event."""
        ...

    def events(self, after: int, upto: int) -> AsyncIterator[Sequence[Event]]:
        """Those with after < seq <= upto, some at a time."""
        ...


class LogReads:
    """A log file, which may be written meanwhile."""

    def __init__(self, log: SqliteLog, *, page: str = "") -> None:
        self.page = page
        self._log = log

    async def cluster(self) -> str:
        known = self._log.cluster
        return known.name if known is not None else self._log.path.name

    async def moment(self, point: str | None, *, end: bool) -> Moment:
        log = self._log
        await log.refresh()
        lower, upper = log.oldest - 1, log.head
        seq = upper if end else lower
        if point is None:
            return Moment(seq, await time_of(log, seq))
        if past(log, point):
            raise UsageError(f"{point}: the log ends with seq:{upper}")
        seq, time = await known_place(log, point, field="at")
        return Moment(seq, await moment_of(log, seq, time))

    async def state(self, seq: int) -> ClusterState:
        return await self._log.state_at(seq)

    async def events(self, after: int, upto: int) -> AsyncIterator[Sequence[Event]]:
        for start in range(after, upto, _AT_ONCE):
            yield await self._log.read(start, min(start + _AT_ONCE, upto))


class _Data(msgspec.Struct):
    nodes: list[msgspec.Raw]
    pods: list[msgspec.Raw]
    namespaces: list[msgspec.Raw]


class _State(msgspec.Struct):
    seq: int
    data: _Data
    timestamp: str


class _Told(msgspec.Struct):
    type: str
    cursor: str | None = None
    action: str = ""
    seq: int = 0
    data: msgspec.Raw = msgspec.Raw(b"{}")
    timestamp: str = ""


class _Named(msgspec.Struct):
    name: str
    uid: str
    namespace: str = ""


class _Status(msgspec.Struct):
    class _Cluster(msgspec.Struct):
        name: str = ""

    cluster: _Cluster | None = None
    oldest: int = 1


class _Why(msgspec.Struct):
    message: str = ""
    details: str = ""


class _Refusal(msgspec.Struct):
    error: _Why = msgspec.field(default_factory=_Why)


class ServerReads:
    """A running server, whatever it serves."""

    def __init__(self, http: aiohttp.ClientSession, page: str) -> None:
        """`page` is its HTTP address, without a slash at the end."""
        self.page = page
        self._http = http

    async def cluster(self) -> str:
        status = msgspec.json.decode(await self._get("/api/status"), type=_Status)
        return status.cluster.name if status.cluster is not None else self.page

    async def moment(self, point: str | None, *, end: bool) -> Moment:
        if point is None and not end:
            status = msgspec.json.decode(await self._get("/api/status"), type=_Status)
            point = f"seq:{status.oldest - 1}"
        told = await self._state(point or "", kinds="namespaces")  # the smallest answer that says where it is
        return Moment(told.seq, _seconds(told.timestamp))

    async def state(self, seq: int) -> ClusterState:
        told = await self._state(f"seq:{seq}")
        time = _seconds(told.timestamp)
        bodies = (
            (Kind.NODE, told.data.nodes),
            (Kind.POD, told.data.pods),
            (Kind.NAMESPACE, told.data.namespaces),
        )
        changes = (
            WatchEvent(Verb.ADDED, _key(kind, bytes(body)), "", time, bytes(body))
            for kind, some in bodies
            for body in some
        )
        state = ClusterState()
        state.load(changes, seq=told.seq, time=time)
        return state

    async def events(self, after: int, upto: int) -> AsyncIterator[Sequence[Event]]:
        cursor: str | None = f"seq:{after}"
        while cursor is not None and after < upto:
            raw = await self._get("/api/events", cursor=cursor, until=f"seq:{upto}", limit=str(_MOST))
            *lines, last = raw.splitlines()
            events = [_event(line) for line in lines]
            cursor = msgspec.json.decode(last, type=_Told).cursor
            if events:
                after = events[-1].seq
                yield events

    async def _state(self, point: str, **query: str) -> _State:
        return msgspec.json.decode(await self._get("/api/state", at=point, **query), type=_State)

    async def _get(self, path: str, **query: str) -> bytes:
        wanted = urlencode({name: value for name, value in query.items() if value})
        url = f"{self.page}{path}{'?' if wanted else ''}{wanted}"
        try:
            async with self._http.get(
                url, headers={"Accept": "application/x-ndjson, application/json"}, timeout=_TIMEOUT
            ) as answer:
                body = await answer.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise UnreachableError(f"{self.page}: {why_not(error)}; is a server running there?") from error
        if answer.status == 200:
            return body
        try:
            refused = msgspec.json.decode(body, type=_Refusal).error
        except msgspec.DecodeError:
            refused = _Why(f"HTTP {answer.status}", "no answer of kstream")
        kind = UsageError if answer.status in (400, 410) else KstreamError
        raise kind(f"{self.page}{path}: {refused.message}: {refused.details}")


def _event(line: bytes) -> Event:
    told = msgspec.json.decode(line, type=_Told)
    body = bytes(told.data)
    key = _key(_KINDS[told.type], body)
    return Event(told.seq, WatchEvent(Verb(told.action), key, "", _seconds(told.timestamp), body))


def _key(kind: Kind, body: bytes) -> ObjectKey:
    named = msgspec.json.decode(body, type=_Named)
    return ObjectKey(kind, named.namespace, named.name, named.uid)


def _seconds(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()
