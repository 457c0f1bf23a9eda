"""What an agent is answered of a running server: its HTTP reads (PROTOCOL 32), and what is no answer of one."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Final, TypeVar
from urllib.parse import quote

import aiohttp
import msgspec

from kstream.agents.reads import INTERVALS, Lived
from kstream.asking import Refusal, ask, refusal, understood
from kstream.core.conditions.condition import Condition
from kstream.core.conditions.intervals import Interval, Moment
from kstream.core.errors import KstreamError, UsageError
from kstream.core.timeline.events import Event, Kind, ObjectKey, Verb, WatchEvent
from kstream.core.timeline.reference import Named
from kstream.core.timeline.state import ClusterState
from kstream.logs.searching import Found

_T = TypeVar("_T")
_MOST: Final = 10_000  # that a server tells in one answer
_LARGEST: Final = 1 << 30  # bytes of an answer: a state of 150,000 pods has a tenth of that
_PATIENCE: Final = 120.0  # seconds for each
_KINDS: Final = {"node_event": Kind.NODE, "pod_event": Kind.POD, "namespace_event": Kind.NAMESPACE}


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


class _Life(msgspec.Struct):
    name: str = ""
    versions: list[dict[str, Any]] = []
    cursor: str | None = None


class _Place(msgspec.Struct):
    seq: int
    time: str

    def moment(self) -> Moment:
        return Moment(self.seq, _seconds(self.time))


class _Interval(msgspec.Struct):
    kind: Kind
    name: str
    uid: str
    since: _Place = msgspec.field(name="from")
    until: _Place | None
    earlier: bool
    namespace: str = ""

    def interval(self) -> Interval:
        key = ObjectKey(self.kind, self.namespace, self.name, self.uid)
        until = self.until.moment() if self.until is not None else None
        return Interval(key, self.since.moment(), until, self.earlier)


class _Undecided(msgspec.Struct):
    count: int
    why: str


class _When(msgspec.Struct):
    intervals: list[_Interval]
    more: int
    undecided: _Undecided
    cursor: str | None

    def found(self) -> Found:
        reached = int(self.cursor.removeprefix("seq:")) if self.cursor is not None else None
        intervals = [each.interval() for each in self.intervals]
        return Found(intervals, reached, self.more, self.undecided.count, self.undecided.why)


class _Status(msgspec.Struct):
    class _Cluster(msgspec.Struct):
        name: str = ""

    cluster: _Cluster | None = None
    oldest: int = 1


class ServerReads:
    """A running server, whatever it serves."""

    def __init__(self, http: aiohttp.ClientSession, page: str) -> None:
        """`page` is its HTTP address, without a slash at the end."""
        self.page = page
        self._http = http

    async def cluster(self) -> str:
        status = await self._ask(_Status, "/api/status")
        return status.cluster.name if status.cluster is not None else self.page

    async def moment(self, point: str | None, *, end: bool) -> Moment:
        if point is None and not end:
            status = await self._ask(_Status, "/api/status")
            point = f"seq:{status.oldest - 1}"
        told = await self._state(point or "", kinds="namespaces")  # the smallest answer that says where it is
        with self._understood("/api/state"):
            return Moment(told.seq, _seconds(told.timestamp))

    async def state(self, seq: int) -> ClusterState:
        told = await self._state(f"seq:{seq}")
        bodies = (
            (Kind.NODE, told.data.nodes),
            (Kind.POD, told.data.pods),
            (Kind.NAMESPACE, told.data.namespaces),
        )
        state = ClusterState()
        with self._understood("/api/state"):
            time = _seconds(told.timestamp)
            changes = (
                WatchEvent(Verb.ADDED, _key(kind, bytes(body)), "", time, bytes(body))
                for kind, some in bodies
                for body in some
            )
            state.load(changes, seq=told.seq, time=time)
        return state

    async def events(self, after: int, upto: int) -> AsyncIterator[Sequence[Event]]:
        cursor: str | None = f"seq:{after}"
        while cursor is not None and after < upto:
            raw = await self._get("/api/events", cursor=cursor, until=f"seq:{upto}", limit=str(_MOST))
            with self._understood("/api/events"):
                *lines, last = raw.splitlines()
                events = [_event(line) for line in lines]
                cursor = msgspec.json.decode(last, type=_Told).cursor
            if events:
                after = events[-1].seq
                yield events

    async def history(self, meant: Named | str, after: int, upto: int) -> Lived:
        uids = [meant] if isinstance(meant, str) else await self._uids(meant, after, upto)
        there, versions = False, list[dict[str, Any]]()
        for uid in uids:
            told = await self._life(uid, after, upto)
            # Of an object that nobody knows in that span no name is told.
            began = bool(told.versions) and told.versions[0]["action"] == Verb.ADDED
            there = there or (bool(told.name) and not began)
            versions += told.versions
        return Lived(there, sorted(versions, key=lambda each: int(each["seq"])))

    async def _life(self, uid: str, after: int, upto: int) -> _Life:
        path, told = f"/api/objects/{quote(uid, safe='')}/history", _Life(cursor=f"seq:{after}")
        while told.cursor is not None:
            more = await self._ask(_Life, path, cursor=told.cursor, until=f"seq:{upto}", limit=str(_MOST))
            told = _Life(told.name or more.name, [*told.versions, *more.versions], more.cursor)
        return told

    async def _uids(self, meant: Named, after: int, upto: int) -> Sequence[str]:
        """Those that had that name. No read is by name, but a condition can be, and SQLite looks for it."""
        variable = meant.kind.value
        where = f"{variable}.name == {_quoted(meant.name)}"
        if meant.namespace:
            where += f" && {variable}.namespace == {_quoted(meant.namespace)}"
        told = await self._when(where, after, upto)
        return list(dict.fromkeys(each.key.uid for each in told.intervals))

    async def when(self, condition: Condition, start: Moment, upto: int) -> Found:
        return await self._when(condition.text, start.seq, upto)

    async def _when(self, where: str, after: int, upto: int) -> Found:
        found = await self._intervals(where, upto, INTERVALS, **{"from": f"seq:{after}"})
        while found.cursor is not None and (room := INTERVALS - len(found.intervals)) > 0:
            more = await self._intervals(where, upto, room, cursor=f"seq:{found.cursor}")
            found = more.after(found)
        return found

    async def _intervals(self, where: str, upto: int, limit: int, **begin: str) -> Found:
        told = await self._ask(_When, "/api/when", where=where, to=f"seq:{upto}", limit=str(limit), **begin)
        with self._understood("/api/when"):
            return told.found()

    async def _state(self, point: str, **query: str) -> _State:
        return await self._ask(_State, "/api/state", at=point, **query)

    async def _ask(self, type: type[_T], path: str, **query: str) -> _T:
        raw = await self._get(path, **query)
        with self._understood(path):
            return msgspec.json.decode(raw, type=type)

    def _understood(self, path: str) -> AbstractContextManager[None]:
        return understood(self.page, path)

    async def _get(self, path: str, **query: str) -> bytes:
        given = {name: value for name, value in query.items() if value}
        status, body = await ask(self._http, self.page, path, given, largest=_LARGEST, seconds=_PATIENCE)
        if status == 200:
            return body
        try:
            refused = refusal(body)
        except msgspec.DecodeError:
            refused = Refusal(f"HTTP {status}", "no answer of kstream")
        kind = UsageError if status in (400, 410) else KstreamError
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


def _quoted(text: str) -> str:
    """As a text of CEL."""
    return json.dumps(text, ensure_ascii=False)
