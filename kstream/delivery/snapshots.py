"""Snapshots for those who come: made once for all who wait for the same, where making them stops nobody."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterable
from functools import partial
from inspect import ismethod
from weakref import WeakMethod

from kstream.core.delivery import snapshot
from kstream.core.delivery.backlog import BEHIND, Backlog
from kstream.core.delivery.filters import Filter
from kstream.core.delivery.wire import SubscribeId
from kstream.core.timeline.state import ClusterState
from kstream.delivery.maps import Maps
from kstream.delivery.member import Member
from kstream.delivery.turn import Turn
from kstream.ports import Clock

_INLINE = 256 * 1024  # bytes of bodies up to which a snapshot is encoded on the spot
_FRESH = 500  # events that a finished snapshot may be behind and still be handed out, at most
_WORTH = 1000  # bytes of a snapshot for each event that it may be behind: what follows stays small beside it
_WORTH_OF_MAP = 400  # the same of a map
_KEPT = 4  # finished snapshots: a herd comes with few filters
_MOST = 256 * 2**20  # bytes of snapshots that clients have yet to read, before more large ones are made
_AGAIN = 0.1  # seconds until that is looked at again: who reads nothing is closed in the end

_Key = tuple[
    Filter, int, SubscribeId
]  # what is watched, the deflate window, and the `subscribe` that it answers


def _weakly(serve: Callable[[Member], None]) -> Callable[[], Callable[[Member], None] | None]:
    return WeakMethod(serve) if ismethod(serve) else lambda: serve


class _Made:
    """A finished snapshot, and who was given it."""

    __slots__ = ("allowance", "members", "size", "snapshot")

    def __init__(self, made: snapshot.Snapshot, *, maps: bool = False) -> None:
        self.snapshot = made
        self.size = sum(map(len, made.frames))
        self.members: dict[Member, None] = {}
        # The events that it may be behind and still be handed out. Those of a map are small, and it is dear.
        self.allowance = min(self.size // _WORTH_OF_MAP, BEHIND) if maps else min(self.size // _WORTH, _FRESH)

    def held(self) -> bool:
        """Somebody has yet to read it."""
        self.members = dict.fromkeys(member for member in self.members if member.sending)
        return bool(self.members)


class Snapshots:
    """Of one timeline. `serve` is called with each member that was given its snapshot."""

    def __init__(
        self,
        state: ClusterState,
        backlog: Backlog,
        *,
        clock: Clock,
        time: Callable[[], float],
        serve: Callable[[Member], None],
    ) -> None:
        self._state = state
        self._backlog = backlog
        self._clock = clock
        self._time = time
        self._serve = _weakly(serve)  # whose this is: what comes and goes shall be no circle
        self._waiting: dict[_Key, dict[Member, None]] = {}
        self._wanted = asyncio.Event()
        self._ready: dict[_Key, _Made] = {}
        self._maps = Maps()
        self._held: list[_Made] = []  # those that are perhaps not read yet

    def want(self, member: Member) -> None:
        """Give it one, at once if there is one that the backlog still continues."""
        key = _key_of(member)
        ready = self._ready.get(key)
        backlog = self._backlog
        if (
            ready is not None
            and _continued(member, ready, backlog)
            and ready.snapshot.seq >= backlog.head - ready.allowance
        ):
            self._give(member, ready)
            return
        self._waiting.setdefault(key, {})[member] = None
        self._wanted.set()

    def _served(self, member: Member) -> None:
        if (serve := self._serve()) is not None:
            serve(member)

    def forget(self, member: Member) -> None:
        """It left."""
        for waiting in self._waiting.values():
            waiting.pop(member, None)
        for made in (*self._ready.values(), *self._held):
            made.members.pop(member, None)

    def jump(self, state: ClusterState, backlog: Backlog) -> None:
        """The timeline is elsewhere: what was made before is of no use."""
        self._state, self._backlog = state, backlog
        self._ready.clear()
        self._maps = Maps()

    async def run(self) -> None:
        """Make what is wanted, one after the other, until cancelled."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            postponed = 0
            while self._waiting:
                if postponed >= len(self._waiting):
                    postponed = 0
                    await self._clock.sleep(_AGAIN)
                    continue
                key = next(iter(self._waiting))
                wanting = {member: None for member in self._waiting[key] if _wants(member, key)}
                self._waiting[key] = wanting
                if not wanting:
                    del self._waiting[key]  # whoever wanted it has left, or wants something else by now
                    continue
                backlog = self._backlog
                taken = snapshot.capture(self._state, key[0])
                large = _size(taken) > _INLINE
                if large and not self._room():
                    # Others may want less. This one waits until those before it have read, or are closed.
                    self._waiting[key] = self._waiting.pop(key)
                    postponed += 1
                    continue
                if key[0].maps:
                    made = _Made(await self._map(taken, key), maps=True)
                else:
                    made = await self._make(taken, key, large=large)
                members = self._waiting.pop(key, {})
                if backlog is self._backlog and made.snapshot.seq >= backlog.floor:
                    self._keep(key, made)
                await self._hand_out(members, made, key, backlog)

    async def _make(self, taken: snapshot.Capture, key: _Key, *, large: bool) -> _Made:
        _, window_bits, answers = key
        encode = partial(snapshot.encode, taken, time=self._time(), window_bits=window_bits, answers=answers)
        return _Made(await asyncio.to_thread(encode) if large else encode())

    async def _map(self, taken: snapshot.Capture, key: _Key) -> snapshot.Snapshot:
        watched, window_bits, answers = key
        state, backlog, time = self._state, self._backlog, self._time()
        return await self._maps.make(
            state, backlog, watched, taken, time=time, window_bits=window_bits, answers=answers
        )

    def _keep(self, key: _Key, made: _Made) -> None:
        if made.size > _INLINE:
            self._held.append(made)
        if key[2] is not None:
            return  # one that answers a client is of no use to others
        others = ((other, ready) for other, ready in self._ready.items() if other != key)
        self._ready = {key: made, **dict(itertools.islice(others, _KEPT - 1))}

    async def _hand_out(self, members: Iterable[Member], made: _Made, key: _Key, backlog: Backlog) -> None:
        turn = Turn(self._clock)
        for member in members:
            await turn.rest()
            # The timeline may have jumped or run away meanwhile, and the client may watch something else by now.
            current = backlog is self._backlog and _continued(member, made, backlog)
            if current and _wants(member, key):
                self._give(member, made)
            else:
                self._served(member)  # it asks again
        await asyncio.sleep(0)

    def _give(self, member: Member, made: _Made) -> None:
        member.session.give(made.snapshot)
        made.members[member] = None
        self._served(member)

    def _room(self) -> bool:
        """Whether clients have read enough of what was made for them."""
        self._held = [made for made in self._held if made.held()]
        return sum(made.size for made in self._held) <= _MOST


def _continued(member: Member, made: _Made, backlog: Backlog) -> bool:
    """Whether what came after it is still there, for what the member watches."""
    seq = made.snapshot.seq
    return seq >= backlog.floor and not member.session.view.misses(seq)


def _wants(member: Member, key: _Key) -> bool:
    return not member.gone and member.session.wants_snapshot and _key_of(member) == key


def _key_of(member: Member) -> _Key:
    session = member.session
    return session.view.filter.looking_at(()), session.window_bits, session.answers


def _size(taken: snapshot.Capture) -> int:
    """Bytes, about: of many pods the first thousand speak for all."""
    pods = len(taken.pods)
    sample = sum(map(len, itertools.islice(taken.pods, 1000)))
    return sample * max(pods, 1000) // 1000 + sum(map(len, taken.nodes))
