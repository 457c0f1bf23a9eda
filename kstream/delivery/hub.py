"""One timeline and the sessions on it: fold what is committed, keep the backlog, send each client what is due.

A flush goes through the clients that an event concerns, one write each. Nobody is awaited: a client that does not
read is skipped and looked at again shortly, and falls behind in the log meanwhile.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from kstream.core.delivery import wire
from kstream.core.delivery.backlog import Backlog
from kstream.core.delivery.filters import Filter
from kstream.core.delivery.frames import pong_frame
from kstream.core.delivery.lane import FOREVER
from kstream.core.delivery.limits import Limits
from kstream.core.delivery.pacing import pause_after
from kstream.core.delivery.session import Close, Session
from kstream.core.delivery.tally import Tally
from kstream.core.delivery.timers import Timers
from kstream.core.delivery.urgent import Word
from kstream.core.timeline.events import Event
from kstream.core.timeline.health import Health, Report
from kstream.core.timeline.state import ClusterState
from kstream.delivery.crowd import Crowd, Party
from kstream.delivery.figures import offer_metrics
from kstream.delivery.member import Member, Outlet, broadcast
from kstream.delivery.notices import Notices
from kstream.delivery.pulse import Pulse
from kstream.delivery.snapshots import Snapshots
from kstream.delivery.turn import Turn
from kstream.ports import Clock, Timeline

_SLOW_POLL = 0.02  # seconds between looks at a client whose socket is full


class Hub:
    """See the module. All methods are called from the event loop's thread."""

    def __init__(
        self,
        *,
        epoch: str,
        term: Callable[[], str],
        source: str,
        state: ClusterState,
        health: Health,
        clock: Clock,
        time: Callable[[], float],
        watermark: Callable[[], tuple[float, int] | None],
        limits: Limits,
        metrics_interval: float,
    ) -> None:
        """`watermark`: (up to when, with events up to which seq) the log is known to be complete (PROTOCOL 29)."""
        self.epoch = epoch
        self.source = source
        self.state = state
        self.health = health
        self.limits = limits
        self._notices = Notices(
            epoch=epoch, term=term, source=source, health=health, limits=limits, time=time
        )
        self.tally = Tally()
        self.backlog = Backlog(head=state.seq, limits=limits, tally=self.tally)
        self.clock = clock
        self._time = time
        self._watermark = watermark
        self._as_of: float | None = None
        self._metrics_interval = metrics_interval
        self._crowds: dict[Filter, Crowd] = {}
        self._dirty: dict[Filter, None] = {}
        self._slow: dict[Member, None] = {}
        self._timers: Timers[Member | Party] = Timers()
        self._armed = -FOREVER
        self._flush_at = -FOREVER  # before this instant a flush would leave no time for anything else
        self._pulse = Pulse(clock, self.tally)
        self._wake = asyncio.Event()
        self._later: deque[tuple[int, Report]] = deque()
        self._snapshots = Snapshots(state, self.backlog, clock=clock, time=time, serve=self.serve)

    # Clients

    def __len__(self) -> int:
        return sum(map(len, self._crowds.values()))

    def __iter__(self) -> Iterator[Member]:
        return chain.from_iterable(map(list, self._crowds.values()))

    @property
    def as_of(self) -> float | None:
        """Up to when the state is known to be complete, seconds since the Unix epoch; None: not known (PROTOCOL 29)."""
        if (mark := self._watermark()) is not None and mark[1] <= self.state.seq:
            self._as_of = mark[0]
        return self._as_of

    @property
    def slow(self) -> int:
        """Clients whose sockets are full."""
        return len(self._slow)

    def join(
        self,
        outlet: Outlet,
        watched: Filter,
        *,
        window_bits: int,
        resumed: bool | None = None,
        reason: str | None = None,
    ) -> Member:
        """A client came. It gets `connection`, what is wrong, and `initial_state` as soon as there is one."""
        session = Session(
            self.backlog,
            watched,
            limits=self.limits,
            window_bits=window_bits,
            now=self.clock.monotonic(),
            tally=self.tally,
        )
        member = Member(session, outlet)
        self._crowds.setdefault(watched, Crowd()).add(member)
        for word in self._notices.greeting(resumed=resumed, reason=reason):
            session.tell(word)
        return member

    def leave(self, member: Member) -> None:
        """A client went; saying so again does no harm."""
        if member.gone:
            return
        member.gone = member.closed = True
        self._forget(member, member.session.view.filter)
        self._slow.pop(member, None)
        self._snapshots.forget(member)
        self._timers.forget(member)
        member.session.leave()

    def receive(self, member: Member, text: bytes) -> float:
        """A client said something. Returns as Session.receive does."""
        if member.gone:
            return 0.0
        session = member.session
        before = session.view.filter
        rest = session.receive(text, now=self.clock.monotonic(), time=self._time(), as_of=self.as_of)
        if session.view.filter != before:
            self._forget(member, before)
            self._crowds.setdefault(session.view.filter, Crowd()).add(member)
        self.serve(member)
        return rest

    def ping(self, member: Member, payload: bytes) -> float:
        """A client asks whether anyone is there. Returns as Session.receive does."""
        if member.closed:
            return 0.0
        now = self.clock.monotonic()
        if rest := member.session.ping(len(payload), now=now, time=self._time()):
            self.serve(member)
        else:
            member.answer(pong_frame(payload))
            if not member.drained(now):
                self._fell_behind(member, now)
        return rest

    def pong(self, member: Member, payload: bytes = b"") -> float:
        """A client answers a ping, or says so. Returns as Session.receive does."""
        if rest := member.session.pong(len(payload), now=self.clock.monotonic(), time=self._time()):
            self.serve(member)
        return rest

    def _forget(self, member: Member, watched: Filter) -> None:
        crowd = self._crowds[watched]
        crowd.remove(member)
        if not len(crowd):
            del self._crowds[watched]
            self._dirty.pop(watched, None)

    # What happens to the timeline

    def publish(self, events: Sequence[Event]) -> None:
        """Fold committed events and let the backlog have them; `flush` sends them."""
        state = self.state
        before = [state.apply(event) for event in events]
        # Not `as_of`: the log has these already, and it costs much where many streams have a watermark.
        for view in self.backlog.append(events, before, as_of=self._as_of):
            self._dirty[view.filter] = None
        self.tally.source_lag = self._time() - events[-1].change.time
        while self._later and self._later[0][0] <= state.seq:
            self._report(self._later.popleft()[1])

    def jump(self, state: ClusterState) -> None:
        """The timeline is elsewhere now: everyone needs a new `initial_state`."""
        self.state = state
        self._as_of = None
        self.backlog = Backlog(head=state.seq, limits=self.limits, tally=self.tally)
        self._snapshots.jump(state, self.backlog)
        for member in self:
            member.session.move(self.backlog)
            self._serve_soon(member)

    def report(self, report: Report, *, after: int = 0) -> None:
        """What the source says about itself; told to clients once the state has reached `after`."""
        if self._later or after > self.state.seq:
            self._later.append((after, report))
        else:
            self._report(report)

    def watch(self, timeline: Timeline) -> None:
        """Tell everyone, and whoever comes, how the timeline is played (PROTOCOL 27)."""
        self._notices.watch(timeline, self.announce)

    def announce(self, word: Word) -> None:
        """A small message for everyone, before all else that is sent."""
        for member in self:
            member.session.tell(word)
            self._serve_soon(member)

    def _report(self, report: Report) -> None:
        waited = not self.health.synced
        for word in self._notices.hear(report):
            self.announce(word)
        if waited and self.health.synced:
            for member in self:
                if member.session.wants_snapshot:
                    self._serve_soon(member)

    # Sending

    async def flush(self) -> None:
        """Send what was published to those whom it concerns; lets others run every few milliseconds.

        In a process that is too busy it leaves that to a later turn: what is published meanwhile goes along.
        """
        began = self.clock.monotonic()
        if began < self._flush_at:
            self._arm(self._flush_at)
            return
        await self._flush(began)
        took = self.clock.monotonic() - began
        self.tally.flushes.add(took)
        self._flush_at = began + took + pause_after(took, self._pulse.lag)

    async def _flush(self, now: float) -> None:
        turn = Turn(self.clock)
        while self._dirty:
            watched = next(iter(self._dirty))
            del self._dirty[watched]
            crowd = self._crowds[watched]
            crowd.merge(now)
            for party in list(crowd.parties.values()):
                self._serve_party(party, now)
                now = await turn.rest()
            for count, member in enumerate(list(crowd.alone)):
                if count & 31 == 31:
                    now = await turn.rest()
                self._serve(member, now)

    def _serve_soon(self, member: Member) -> None:
        """Look at one that goes alone in the next turn: thousands at once would stop everything else."""
        self._crowds[member.session.view.filter].stepped_out(member)
        self._schedule(0.0, member)

    def serve(self, member: Member) -> None:
        """Look at one client now."""
        self._serve(member, self.clock.monotonic())

    def _serve_party(self, party: Party, now: float) -> None:
        """Send those in one lane what they are due, which is the same for all."""
        lane, members = party.lane, party.members
        if not members:
            return
        frames = lane.events(now)
        if frames is None:
            # They fell off the window: each of them needs a new state.
            for member in list(members):
                self._serve(member, now)
            return
        if frames:
            self.tally.sent_bytes += len(frames[0]) * len(members)
            for member in broadcast(members, frames[0]):
                if not member.drained(now):
                    self._fell_behind(member, now)
            if len(frames) > 1:
                for member in list(members):
                    member.session.follow_up(frames[1:])
                    self._serve(member, now)
        self._schedule(lane.wait, party)

    def _serve(self, member: Member, now: float) -> None:
        if member.closed or member in self._slow:
            return
        session = member.session
        asked = session.asked
        if asked and session.overdue(now) and member.approaching():
            session.read_again(now)
        data = session.flush(now)
        crowd = self._crowds[session.view.filter]
        if not session.riding:
            crowd.stepped_out(member)
        if data:
            self.tally.sent_bytes += len(data)
            member.send(data)
            if session.asked and not asked:
                member.pinged()
            if not member.drained(now):
                self._fell_behind(member, now)
        if session.closing is not None:
            self._close(member, session.closing)
            return
        if session.wants_snapshot:
            if self.health.synced:
                self._snapshots.want(member)
        elif not session.riding and session.plain and member not in self._slow:
            crowd.step_in(member, now)
        self._schedule(session.due, member)

    def _schedule(self, due: float, whom: Member | Party) -> None:
        self._timers.put(due, whom)
        self._arm(due)

    def _fell_behind(self, member: Member, now: float) -> None:
        """Its socket is full: leave it alone until it has been read."""
        member.session.step_out()
        self._crowds[member.session.view.filter].stepped_out(member)
        self._slow[member] = None
        self._arm(now + _SLOW_POLL)

    def _look_at_slow(self, member: Member, now: float) -> None:
        if member.drained(now):
            del self._slow[member]
            member.session.read_again(now)
            self._serve(member, now)
        elif member.stalled_for(now) >= self.limits.stall_timeout:
            self._close(member, Close(1013, "read nothing for too long", abort=True))

    def _close(self, member: Member, close: Close) -> None:
        member.closed = True
        self._slow.pop(member, None)
        member.session.step_out()
        self._crowds[member.session.view.filter].stepped_out(member)
        member.outlet.close(close)

    def _arm(self, at: float) -> None:
        if at < self._armed:
            self._wake.set()

    async def run(self) -> None:
        """Timers, metrics and snapshots, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._timing())
            tasks.create_task(self._snapshots.run())
            tasks.create_task(self._pulse.run())

    async def _timing(self) -> None:
        clock = self.clock
        metrics_at = clock.monotonic() + self._metrics_interval
        while True:
            now = clock.monotonic()
            if now >= metrics_at:
                metrics_at = now + self._metrics_interval
                await self._metrics()
            for member in list(self._slow):
                self._look_at_slow(member, now)
            if self._dirty and now >= self._flush_at:
                await self.flush()
                now = clock.monotonic()
            turn = Turn(clock)
            while self._timers.due <= now:
                whom = self._timers.take()
                if isinstance(whom, Party):
                    self._serve_party(whom, now)
                else:
                    self._serve(whom, now)
                now = await turn.rest()
            poll = now + _SLOW_POLL if self._slow else metrics_at
            flush = self._flush_at if self._dirty else metrics_at
            self._armed = min(metrics_at, poll, flush, self._timers.due)
            self._wake.clear()
            await clock.wait(self._wake, self._armed - clock.monotonic())

    async def _metrics(self) -> None:
        if not self.health.synced:
            return
        counts, time = self.state.counts(), self._time()
        await offer_metrics(
            list(self._crowds.values()),
            lambda until: wire.metrics(counts, time=time, as_of=until),
            as_of=self.as_of,
            serve_party=self._serve_party,
            serve=self._serve,
            turn=Turn(self.clock),
        )

    def close_all(self, close: Close) -> None:
        """The server goes away, or the timeline does."""
        for member in self:
            self._close(member, close)
