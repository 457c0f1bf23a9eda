"""One timeline and the sessions on it: fold what is committed, keep the backlog, send each client what is due.

One write for each client that an event concerns. Nobody is awaited: one that does not read falls behind meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from itertools import chain

from kstream.core.delivery import messages, wire
from kstream.core.delivery.backlog import Backlog
from kstream.core.delivery.filters import Filter
from kstream.core.delivery.frames import pong_frame
from kstream.core.delivery.lane import FOREVER
from kstream.core.delivery.limits import Limits
from kstream.core.delivery.pacing import pause_after
from kstream.core.delivery.session import Close, Session
from kstream.core.delivery.tally import Tally
from kstream.core.delivery.urgent import Word
from kstream.core.timeline.events import Event
from kstream.core.timeline.health import Health, Report
from kstream.core.timeline.state import ClusterState
from kstream.delivery.alarm import Alarm
from kstream.delivery.crowd import Crowd, Party
from kstream.delivery.figures import offer_metrics
from kstream.delivery.looking import look
from kstream.delivery.member import Member, Outlet, broadcast
from kstream.delivery.notices import Notices
from kstream.delivery.pulse import Pulse
from kstream.delivery.slow import Slow
from kstream.delivery.snapshots import Snapshots
from kstream.delivery.turn import Turn
from kstream.ports import Clock, Timeline


class Hub:
    """See the module. All methods are called from the event loop's thread."""

    def __init__(
        self,
        *,
        epoch: str,
        term: Callable[[], str],
        source: messages.Mode,
        state: ClusterState,
        health: Health,
        clock: Clock,
        time: Callable[[], float],
        watermark: Callable[[], tuple[float, int] | None],
        limits: Limits,
        metrics_interval: float,
        moment: Callable[[float], float] = float,
        beside: Hub | None = None,
    ) -> None:
        """`watermark`: (up to when, with events up to which seq) the log is known to be complete (PROTOCOL 29), which
        `moment` makes a time of the timeline of, when it is told: the clock may be set meanwhile.
        `beside`: the hub of the timeline that all share, with which a private one counts."""
        self.epoch = epoch
        self.source = source
        self.state = state
        self.health = health
        self.limits = limits
        self._notices = Notices(
            epoch=epoch, term=term, source=source, health=health, limits=limits, time=time
        )
        self.tally: Tally = beside.tally if beside is not None else Tally()
        self.branches: dict[Hub, None] = {}  # those that are beside this one
        self.backlog = Backlog(head=state.seq, limits=limits, tally=self.tally)
        self.clock = clock
        self.time = time
        self._watermark = watermark
        self.moment = moment
        self._as_of: float | None = None
        self._metrics_interval = metrics_interval
        self._crowds: dict[Filter, Crowd] = {}
        self._dirty: dict[Filter, None] = {}
        self.slow = Slow(limits.stall_timeout)  # those whose sockets are full
        self._alarm = Alarm(clock)
        self.floor = asyncio.Lock()  # held while it flushes: private timelines wait for that
        self._flush_at = -FOREVER  # before this instant a flush would leave no time for anything else
        self._pulse: Pulse = beside._pulse if beside is not None else Pulse(clock, self.tally)
        self._beats = beside is None
        self._snapshots = Snapshots(state, self.backlog, clock=clock, time=time, serve=self.serve)

    def __len__(self) -> int:
        """The clients, those of private timelines among them."""
        return sum(map(len, self._crowds.values())) + sum(map(len, self.branches))

    def __iter__(self) -> Iterator[Member]:
        return chain.from_iterable(map(list, self._crowds.values()))

    @property
    def as_of(self) -> float | None:
        """Up to when the state is known to be complete, by the clock of the watermark, in seconds; None: not known."""
        if (mark := self._watermark()) is not None and mark[1] <= self.state.seq:
            self._as_of = mark[0]
        return self._as_of

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
        if not member.gone:
            self.release(member)
            member.session.leave()

    def release(self, member: Member) -> None:
        """A client goes to another timeline, which has to `adopt` it."""
        member.gone = member.closed = True
        self._forget(member, member.session.view.filter)
        for each in (self.slow, self._snapshots, self._alarm):
            each.forget(member)

    def adopt(self, released: Member) -> Member:
        """A client comes from another timeline of this history, and goes on from what it has, or with a new state."""
        session, now = released.session, self.clock.monotonic()
        holds = session.holds
        session.move(self.backlog)
        if holds is not None and holds <= self.state.seq:
            session.catch_up(holds)
        member = released.moved()
        self._crowds.setdefault(session.view.filter, Crowd()).add(member)
        if member.drained(now):
            self._serve_soon(member)
        else:
            self._fell_behind(member, now)
        return member

    def receive(self, member: Member, text: bytes) -> float:
        """A client said something. Returns as Session.receive does."""
        if member.gone:
            return 0.0
        session = member.session
        before = session.view.filter
        now, time = self.clock.monotonic(), self.time()
        rest = session.receive(text, now=now, time=time, as_of=self.as_of, moment=self.moment)
        look(session, self.state, self.backlog, time=time)
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
        if rest := member.session.ping(len(payload), now=now, time=self.time()):
            self.serve(member)
        else:
            member.answer(pong_frame(payload))
            if not member.drained(now):
                self._fell_behind(member, now)
        return rest

    def pong(self, member: Member, payload: bytes = b"") -> float:
        """A client answers a ping, or says so. Returns as Session.receive does."""
        if rest := member.session.pong(len(payload), now=self.clock.monotonic(), time=self.time()):
            self.serve(member)
        return rest

    def _forget(self, member: Member, watched: Filter) -> None:
        crowd = self._crowds[watched]
        crowd.remove(member)
        if not len(crowd):
            del self._crowds[watched]
            self._dirty.pop(watched, None)

    def publish(self, events: Sequence[Event]) -> None:
        """Fold committed events and let the backlog have them; `flush` sends them."""
        state = self.state
        before = [state.apply(event) for event in events]
        for view in self.backlog.append(events, before, as_of=self._as_of):  # `as_of` has these already
            self._dirty[view.filter] = None
        if self._beats:
            self.tally.source_lag = self.time() - events[-1].change.time
        for report in self._notices.due(state.seq):
            self._report(report)

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
        self._notices.put(report, after)
        for each in self._notices.due(self.state.seq):
            self._report(each)

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
            for hub in (self, *self.branches):
                hub.announce(word)
        if waited and self.health.synced:
            for member in self:
                if member.session.wants_snapshot:
                    self._serve_soon(member)

    async def flush(self) -> None:
        """Send what was published to those whom it concerns; lets others run every few milliseconds.

        In a process that is too busy a later turn does it, with what is published meanwhile."""
        if self.clock.monotonic() < self._flush_at:
            self._alarm.arm(self._flush_at)
            return
        async with self.floor:
            began = self.clock.monotonic()
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
        self._alarm.put(0.0, member)

    def serve(self, member: Member) -> None:
        """Look at one client now."""
        self._serve(member, self.clock.monotonic())

    def _serve_party(self, party: Party, now: float) -> None:
        """Send those in one lane what they are due, which is the same for all."""
        lane, members = party.lane, party.members
        if not members:
            return
        frames = lane.events(now)
        if frames is None:  # they fell off the window: each of them needs a new state
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
        self._alarm.put(lane.wait, party)

    def _serve(self, member: Member, now: float) -> None:
        if member.closed or member in self.slow:
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
        elif not session.riding and session.plain and member not in self.slow:
            crowd.step_in(member, now)
        self._alarm.put(session.due, member)

    def _fell_behind(self, member: Member, now: float) -> None:
        """Its socket is full: leave it alone until it has been read."""
        member.session.step_out()
        self._crowds[member.session.view.filter].stepped_out(member)
        self.slow.add(member)
        self._alarm.arm(self.slow.due(now))

    def _close(self, member: Member, close: Close) -> None:
        member.closed = True
        self.slow.forget(member)
        member.session.step_out()
        self._crowds[member.session.view.filter].stepped_out(member)
        member.outlet.close(close)

    def works(self) -> Iterator[Coroutine[None, None, None]]:
        """Timers and metrics, snapshots, and the beat: each until it is cancelled."""
        yield from (self._timing(), self._snapshots.run(), *([self._pulse.run()] if self._beats else ()))

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for work in self.works():
                tasks.create_task(work)

    async def _timing(self) -> None:
        clock = self.clock
        metrics_at = clock.monotonic() + self._metrics_interval
        while True:
            now = clock.monotonic()
            if now >= metrics_at:
                metrics_at = now + self._metrics_interval
                await self._metrics()
            for member, read in self.slow.look(now):
                if read:
                    member.session.read_again(now)
                    self._serve(member, now)
                else:
                    self._close(member, Close(1013, "read nothing for too long", abort=True))
            if self._dirty and now >= self._flush_at:
                await self.flush()
                now = clock.monotonic()
            turn = Turn(clock)
            for whom in self._alarm.due(now):
                if isinstance(whom, Party):
                    self._serve_party(whom, now)
                else:
                    self._serve(whom, now)
                now = await turn.rest()
            await self._alarm.wait(
                min(metrics_at, self.slow.due(now), self._flush_at if self._dirty else FOREVER)
            )

    async def _metrics(self) -> None:
        if not self.health.synced:
            return
        counts, time = self.state.counts(), self.time()
        await offer_metrics(
            list(self._crowds.values()),
            lambda until: wire.metrics(
                counts, time=time, as_of=None if until is None else self.moment(until)
            ),
            as_of=self.as_of,
            serve_party=self._serve_party,
            serve=self._serve,
            turn=Turn(self.clock),
        )

    def close_all(self, close: Close) -> None:
        """The server goes away, or the timeline does."""
        for member in self:
            self._close(member, close)
        for branch in self.branches:
            branch.close_all(close)
