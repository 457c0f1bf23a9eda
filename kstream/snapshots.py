"""Snapshots for those who come: made once for all who wait for the same, where making them stops nobody."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable

from kstream.core import snapshot
from kstream.core.backlog import Backlog
from kstream.core.filters import Filter
from kstream.core.state import ClusterState
from kstream.member import Member

_INLINE = 256 * 1024  # bytes of bodies up to which a snapshot is encoded on the spot
_FRESH = 500  # events that a finished snapshot may be behind and still be handed out, at most
_WORTH = 1000  # bytes of a snapshot for each event that it may be behind: what follows stays small beside it
_KEPT = 4  # finished snapshots: a herd comes with few filters

_Key = tuple[Filter, int]  # what is watched, and the deflate window


class Snapshots:
    """Of one timeline. `serve` is called with each member that was given its snapshot."""

    def __init__(
        self,
        state: ClusterState,
        backlog: Backlog,
        *,
        time: Callable[[], float],
        serve: Callable[[Member], None],
    ) -> None:
        self._state = state
        self._backlog = backlog
        self._time = time
        self._serve = serve
        self._waiting: dict[_Key, dict[Member, None]] = {}
        self._wanted = asyncio.Event()
        self._ready: dict[_Key, snapshot.Snapshot] = {}

    def want(self, member: Member) -> None:
        """Give it one, at once if there is one that the backlog still continues."""
        key = _key_of(member)
        ready = self._ready.get(key)
        backlog = self._backlog
        if ready is not None and backlog.floor <= ready.seq >= backlog.head - _allowance(ready):
            member.session.give(ready)
            self._serve(member)
            return
        self._waiting.setdefault(key, {})[member] = None
        self._wanted.set()

    def forget(self, member: Member) -> None:
        """It left."""
        for waiting in self._waiting.values():
            waiting.pop(member, None)

    def jump(self, state: ClusterState, backlog: Backlog) -> None:
        """The timeline is elsewhere: what was made before is of no use."""
        self._state, self._backlog = state, backlog
        self._ready.clear()

    async def run(self) -> None:
        """Make what is wanted, one after the other, until cancelled."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            while self._waiting:
                key = next(iter(self._waiting))
                made = await self._make(*key)
                members = self._waiting.pop(key, {})
                if made is not None:
                    others = ((other, ready) for other, ready in self._ready.items() if other != key)
                    self._ready = {key: made, **dict(itertools.islice(others, _KEPT - 1))}
                for member in members:
                    session = member.session
                    if made is not None and session.wants_snapshot and _key_of(member) == key:
                        session.give(made)
                    # Whoever wants another one by now asks for it again.
                    self._serve(member)
                await asyncio.sleep(0)

    async def _make(self, watched: Filter, window_bits: int) -> snapshot.Snapshot | None:
        """None when the timeline has jumped or run away meanwhile."""
        backlog = self._backlog
        taken = snapshot.capture(self._state, watched)
        time = self._time()
        if _size(taken) <= _INLINE:
            return snapshot.encode(taken, time=time, window_bits=window_bits)
        made = await asyncio.to_thread(snapshot.encode, taken, time=time, window_bits=window_bits)
        return made if backlog is self._backlog and made.seq >= backlog.floor else None


def _allowance(ready: snapshot.Snapshot) -> int:
    return min(sum(map(len, ready.frames)) // _WORTH, _FRESH)


def _key_of(member: Member) -> _Key:
    return member.session.view.filter, member.session.window_bits


def _size(taken: snapshot.Capture) -> int:
    """Bytes, about: of many pods the first thousand speak for all."""
    pods = len(taken.pods)
    sample = sum(map(len, itertools.islice(taken.pods, 1000)))
    return sample * max(pods, 1000) // 1000 + sum(map(len, taken.nodes))
