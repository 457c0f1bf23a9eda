"""Resume (PROTOCOL 15): what a client has missed, from memory or from the log, or why it has to begin anew.

What memory holds costs nothing, but for who watches by labels: there is no view yet of what was. What has to be read
from the log, or gone through for labels, is bounded in every respect: how far back, how many do it at once, how much of
it waits for sockets; past that a client gets the state, which all of them share.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import islice
from typing import Final, NamedTuple

from kstream.core.delivery.backlog import Backlog
from kstream.core.delivery.filters import Filter
from kstream.core.delivery.view import View, catch_up, caught_up
from kstream.core.errors import LogTrimmedError
from kstream.core.timeline.events import Event
from kstream.core.timeline.terms import reach
from kstream.delivery.hub import Hub
from kstream.delivery.member import Member
from kstream.logs.replay import ReplayLog
from kstream.ports import EventLog

_MOST: Final = 100_000  # events that a resume reads; further behind, a state is cheaper
_AT_ONCE: Final = 4  # clients whose missed events are in memory
_INLINE: Final = 1000  # events that are encoded on the spot
_WAITING: Final = 64 * 2**20  # bytes of frames that belong to few clients and are not yet on their way
_SHARED: Final = 4  # of what was gone through for labels: a herd comes back from one place
_LOOKS: Final = 20  # for an event that is in the log and not yet in memory
_BETWEEN: Final = 0.05  # seconds between two of them
_TOO_MANY: Final = "too many clients are catching up at once: the state is shared by all of them"
ELSEWHERE: Final = "the timeline went elsewhere meanwhile"


class Token(NamedTuple):
    """Where a client left off."""

    epoch: str
    term: str  # "" where the client has none: it knows less than it needs
    seq: int
    numbers: str = ""  # of a map


class Missed(NamedTuple):
    """What came after a token: `frames` up to `seq`, and from there on what the backlog holds."""

    seq: int
    frames: tuple[bytes, ...] = ()


Held = list[tuple[Backlog, View]]


class Resumes:
    """Of one server."""

    def __init__(self, hub: Hub, log: EventLog) -> None:
        self._hub = hub
        self._log = log
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._given: dict[Member, tuple[bytes, ...]] = {}  # who has perhaps not been sent its frames yet
        self._shared: dict[tuple[Filter, int, int], tuple[Backlog, Missed]] = {}

    @asynccontextmanager
    async def turn(self, token: Token | None, watched: Filter) -> AsyncIterator[Held]:
        """To be held from `look` to `give`: a place among the few who read the log, or go through memory for labels, if
        that has to be; and the views that `encode` needs until the client has them itself."""
        held: Held = []
        try:
            backlog = self._hub.backlog
            enough = backlog.head if watched.remembers else backlog.floor
            if token is None or token.epoch != self._log.epoch or token.seq >= enough:
                yield held
                return
            async with self._turns:
                yield held
        finally:
            for backlog, view in held:
                backlog.close(view)

    def vouched(self, token: Token) -> int | None:
        """The seq of a token that goes with another moment, where this log is the one that told it (PROTOCOL 15)."""
        log = self._log.recording if isinstance(self._log, ReplayLog) else self._log
        reached = reach(log.terms, token.term, head=log.head) if token.epoch == log.epoch else None
        return token.seq if reached is not None and token.seq <= reached else None

    async def look(self, token: Token, watched: Filter) -> tuple[Sequence[Event], str | None]:
        """The events after the token that are not in the backlog, or why they cannot be had."""
        backlog = self._hub.backlog
        seq, head = token.seq, backlog.head
        if token.epoch != self._log.epoch:
            return (), "another epoch: the history that the token belongs to is not this one"
        if seq > head:
            await self._come(seq)
            backlog = self._hub.backlog
            head = backlog.head
        if seq > head:
            return (), f"seq {seq} is ahead of this timeline, which is at {head}"
        reached = reach(self._log.terms, token.term, head=head)
        if reached is None:
            return (), "another term: the log does not know who told the token"
        if seq > reached:
            return (
                (),
                f"the log has lost the end of that term: it reaches to {reached} here, the token is at {seq}",
            )
        if watched.maps and (
            backlog.numbers is None or token.numbers != backlog.numbers.name or seq < backlog.numbers.since
        ):
            return (), "a map: its numbers are not those by which pods are known here"
        if watched.remembers and seq < head and self._waiting() > _WAITING:
            return (), _TOO_MANY
        if seq >= backlog.floor:
            # Nothing is read for the usual case: a herd that lost its connections a moment ago.
            return (), None
        if watched.remembers:
            # What the objects were before is told by memory only, and by which numbers.
            asked = "a label selector" if watched.labels is not None else "a map"
            return (), f"seq {seq} is no longer in memory: for {asked} the state is shorter than the log"
        if seq + 1 < self._log.oldest:
            return (), self._dropped(seq)
        if head - seq > _MOST:
            return (), f"seq {seq} is {head - seq} events behind: the state is shorter"
        if self._waiting() > _WAITING:
            return (), _TOO_MANY
        try:
            events = await self._log.read(seq, head)
        except LogTrimmedError:
            return (), self._dropped(seq)
        if self._hub.backlog is not backlog:
            return (), ELSEWHERE
        return events, None

    async def _come(self, seq: int) -> None:
        """Until that event is here, which another process told that follows the same log, or for a moment."""
        await self._log.refresh()
        for _ in range(_LOOKS):
            if self._hub.backlog.head >= seq or self._log.head < seq:
                break
            await self._hub.clock.sleep(_BETWEEN)

    def _dropped(self, seq: int) -> str:
        return f"seq {seq} is no longer kept: the log begins at {self._log.oldest}"

    async def encode(
        self, token: Token, events: Sequence[Event], watched: Filter, bits: int, held: Held
    ) -> Missed:
        """What `look` found as frames for a client that negotiated `bits`; much of it where that stops nobody."""
        if watched.remembers:
            return await self._remembered(token, watched, bits, held)
        if not events:
            return Missed(token.seq)
        last = events[-1]

        def frames() -> tuple[bytes, ...]:
            return catch_up(events, watched, head=last.seq, time=last.change.time, window_bits=bits)

        return Missed(last.seq, frames() if len(events) <= _INLINE else await asyncio.to_thread(frames))

    async def _remembered(self, token: Token, watched: Filter, bits: int, held: Held) -> Missed:
        """What memory holds, read where that stops nobody: a view by labels, or of a map, begins where it is opened."""
        backlog = self._hub.backlog
        view, upto = backlog.open(watched), backlog.head
        held.append((backlog, view))
        records = backlog.between(token.seq, upto)
        if not view.misses(token.seq) or not records or token.seq < backlog.floor:
            return Missed(token.seq)  # of what was dropped just now: the client falls off, and gets a state
        key = watched, token.seq, bits
        known = self._shared.get(key)
        if known is not None and known[0] is backlog and not view.misses(known[1].seq):
            return known[1]

        def frames() -> tuple[bytes, ...]:
            time = records[-1].event.change.time
            return caught_up(records, watched, head=upto, time=time, window_bits=bits)

        missed = Missed(upto, frames() if len(records) <= _INLINE else await asyncio.to_thread(frames))
        others = ((other, each) for other, each in self._shared.items() if other != key)
        self._shared = {key: (backlog, missed), **dict(islice(others, _SHARED - 1))}
        return missed

    def give(self, member: Member, missed: Missed) -> None:
        """Go on from there. Whatever was published since it was read is in the backlog."""
        if missed.frames:
            member.session.resume(missed.seq, missed.frames)
            self._given[member] = missed.frames
        else:
            member.session.catch_up(missed.seq)

    def _waiting(self) -> int:
        self._given = {
            member: frames for member, frames in self._given.items() if not member.gone and member.sending
        }
        return sum(
            sum(map(len, frames)) for frames in {id(each): each for each in self._given.values()}.values()
        )
