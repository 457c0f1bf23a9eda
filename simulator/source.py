"""SimulatorSource: the simulated cluster as a kstream Source, paced on a clock and open to live control."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import json
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, NamedTuple

import msgspec

from kstream.core.errors import InvalidMessageError, LogMismatchError
from kstream.core.kube.resources import decode_object
from kstream.core.timeline.events import Delivery, Known, Verb, WatchEvent, deleted_body
from kstream.core.timeline.health import Identified, Report, Synced
from kstream.ports import Clock
from simulator import runs
from simulator.cluster import bounds
from simulator.cluster.objects import Change
from simulator.orders import Order, parse_order
from simulator.pace import MAX, Pace
from simulator.simulation import Simulation
from simulator.story.actions import Action
from simulator.story.durations import DEFAULT_START
from simulator.story.scenario import Scenario

BATCH = 250  # changes in a delivery, about: other tasks wait some 15 ms for it
MANY = 20_000  # pods
LONGEST_STEP = 3_600_000  # simulated milliseconds in which something must change
TICK = 0.02  # seconds: what is due within one goes out together
AHEAD = 1000  # simulated milliseconds that go out together when nothing holds them back
_encode = msgspec.json.Encoder().encode


def watch_event(change: Change) -> WatchEvent:
    """A change of the simulated cluster on kstream's one path: as JSON, through the decoder."""
    decoded = decode_object(change.kind, _encode(change.object))
    body = deleted_body(decoded.key) if change.verb is Verb.DELETED else decoded.body
    return WatchEvent(change.verb, decoded.key, decoded.version, change.time, body)


class _Asked(NamedTuple):
    """A request for control, and where its answer goes."""

    order: Order
    done: asyncio.Future[None]


class SimulatorSource:
    """One run of a scenario. Implements kstream.ports.Source.

    What it needs to go on later is kept in the log with the events, as versions: `simulation-run` says which run
    it is, `simulation` how many changes were handed over, `simulation-action-N` what was injected and when.
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        clock: Clock,
        seed: int = 1,
        start: float = DEFAULT_START,
        adopt_start: bool = False,
        speed: float = 1.0,
        at: float = 0.0,
        paused: bool = False,
        duration: float | None = None,
    ) -> None:
        """`start`: epoch seconds (`adopt_start`: a log's own start wins); `speed`: MAX waits for nothing; `at`:
        run to there, in simulated seconds, before anything is shown; `duration`: simulated seconds until it ends.
        """
        self._scenario = scenario
        self._clock = clock
        self._seed = seed
        self._start = start
        self._adopt_start = adopt_start
        self._at = round(at * 1000)
        self._end = round(min(bounds.LIFE if duration is None else duration, bounds.LIFE) * 1000)
        self._pace = Pace(speed=speed, now=clock.monotonic(), paused=paused)
        self._woken = asyncio.Event()
        self._asked: deque[_Asked] = deque()  # requests for control: each has its turn between two steps
        self._obeyed: list[
            tuple[int, asyncio.Future[None]]
        ] = []  # answered when what was due by then is committed
        self._seeking: int | None = None  # on the way to the next change, until this moment at the latest
        self.ended = asyncio.Event()  # the duration is over, and all of it is committed
        self._recorded: dict[str, str] = {}  # injected actions that are not handed over yet
        self._injected = 0
        self._synced = self._over = False
        self._idle = False  # all that happened is committed, and it waits for more to happen
        self._as_of: float | None = None
        self._simulation = Simulation(scenario, seed=seed, start=start)

    # -- the Source

    async def deliveries(self, known: Known) -> AsyncGenerator[Delivery, None]:
        """What happens, as it happens. Raises LogMismatchError when the log is of another run, or spoilt."""
        actions = self._identify(known)
        await self._catch_up(runs.position(known.versions), actions)
        try:
            async with aclosing(self._told()) as told:
                async for delivery in told:
                    yield delivery
        finally:
            self._over = True
            # Whoever waits for an answer need not wait for ever.
            for done in (*(asked.done for asked in self._asked), *(done for _, done in self._obeyed)):
                _settle(done)

    async def _told(self) -> AsyncGenerator[Delivery, None]:
        simulation = self._simulation
        while not simulation.cluster.node_count:
            simulation.step(0)
        reports: list[Report] = [Identified(simulation.info)]
        run = {runs.RUN: self.run}
        self._pace.anchor(simulation.elapsed, self._clock.monotonic())
        while True:
            until = self._next_stop()
            reached = simulation.advance(until, most=BATCH if self._seeking is None else 1)
            if reached and not self._synced and simulation.built and simulation.elapsed >= self._at:
                self._synced = True
                if len(simulation.cluster.pods) > MANY:
                    gc.freeze()  # they are here to stay: a fifth faster when the collector does not walk them
                self._pace.anchor(simulation.elapsed, self._clock.monotonic())
                reports.append(Synced())
            if self._seeking is not None and (reached or simulation.cluster.changes):
                self._seeking = None
                self._pace.anchor(simulation.elapsed, self._clock.monotonic())
            elif reached and self._asked:
                self._obey(self._asked.popleft())
                reached = False  # what it asks for may be due at once
            if simulation.cluster.changes or reports or self._recorded:
                versions = {runs.POSITION: str(simulation.cluster.written), **run, **self._recorded}
                run, self._recorded = {}, {}
                yield Delivery([watch_event(change) for change in simulation.take()], versions, reports)
                reports = []
            self._answer()
            if self._asked or not reached or self._seeking is not None:
                await self._clock.sleep(0)
            elif simulation.elapsed >= self._end:
                self.ended.set()
                return
            else:
                self._idle = self._synced
                await self._wait()
                self._idle = False

    def now(self) -> float:
        """The time of the simulated timeline, seconds since the Unix epoch."""
        simulation = self._simulation
        at = self._pace.at(self._clock.monotonic()) if self._synced else None
        if at is None or at < simulation.elapsed:
            return simulation.time
        # It never runs ahead of what has not happened yet, nor past the end.
        ends = (simulation.engine.next_due, self._end)
        return self._start + max(simulation.elapsed, min(at, *(e for e in ends if e is not None))) / 1000

    def as_of(self) -> float | None:
        """Up to when all that happened is committed, seconds since the Unix epoch; None before the first state."""
        if self._idle and not self._simulation.cluster.changes:
            self._as_of = self.now()
        return self._as_of

    def _next_stop(self) -> int:
        """How far to simulate now, in milliseconds: whoever asks for something has his turn first."""
        until, due = self._until(), self._simulation.engine.next_due
        if self._seeking is not None:
            return self._seeking
        if self._asked and self._synced and due is not None and due <= until:
            # Simulated time is what the clock says or, if there is much to do until then, what it is.
            return self._simulation.elapsed
        return until

    def _until(self) -> int:
        """How far to simulate by the clock, in milliseconds."""
        simulation = self._simulation
        if not self._synced:
            return self._at
        at = self._pace.at(self._clock.monotonic())
        if at is None:
            due = simulation.engine.next_due
            at = simulation.elapsed if due is None else max(simulation.elapsed, due) + AHEAD
        return max(min(at, self._end), simulation.elapsed)

    async def _wait(self) -> None:
        """Until something is due or somebody calls."""
        if self._pace.speed == MAX and not self._pace.paused:
            await self._clock.sleep(0)
            return
        due = self._simulation.engine.next_due
        delay = self._pace.until(self._end if due is None else min(due, self._end), self._clock.monotonic())
        waiting: list[asyncio.Task[Any]] = [asyncio.create_task(self._woken.wait())]
        if delay != MAX:
            waiting.append(asyncio.create_task(self._clock.sleep(max(delay, TICK))))
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        self._woken.clear()

    # -- going on from a log

    @property
    def run(self) -> str:
        """Which run it is, as JSON: scenario, digest of its content, seed and start."""
        return runs.told(self._scenario, seed=self._seed, start=self._start)

    @property
    def epoch(self) -> str:
        """An epoch for a log of this run that is kept: made of nothing but the run."""
        return hashlib.sha256(self.run.encode()).hexdigest()[:32]

    def check(self, versions: Mapping[str, str], *, empty: bool) -> None:
        """Raises LogMismatchError when the log that these versions are from is not of this run, or spoilt."""
        runs.check(versions, self.run, empty=empty, adopt_start=self._adopt_start)

    def _identify(self, known: Known) -> list[tuple[int, Action]]:
        """What was injected into the log's run so far, and when; its start, if that is to be ours."""
        self.check(known.versions, empty=not known.objects)
        if self._adopt_start and runs.RUN in known.versions:
            self._start = runs.start_of(known.versions)
            self._simulation = Simulation(self._scenario, seed=self._seed, start=self._start)
        actions = runs.actions(known.versions)
        self._injected = len(actions)
        return actions

    async def _catch_up(self, changes: int, actions: list[tuple[int, Action]]) -> None:
        """Simulate silently up to where the log ends: it is deterministic."""
        simulation, cluster = self._simulation, self._simulation.cluster
        cluster.quiet = True
        for number, (elapsed, action) in enumerate(actions, 1):
            while not simulation.advance(elapsed):
                await self._clock.sleep(0)
            try:
                simulation.perform(action)
            except InvalidMessageError as error:
                raise runs.undoable(number, error) from None
        while cluster.written < changes and simulation.elapsed < bounds.LIFE * 1000:
            enough = simulation.engine.effort + bounds.EFFORT
            while cluster.written < changes and simulation.engine.effort < enough:
                simulation.step(simulation.engine.next_due or 0)
            await self._clock.sleep(0)
        cluster.quiet = False
        if cluster.written != changes:
            raise LogMismatchError(
                "The log is of the same scenario and seed, but another version of kstream made it: "
                "it cannot be gone on with; give another --log"
            )

    # -- live control

    async def control(self, request: dict[str, Any]) -> Mapping[str, Any]:
        """Do what the request says, and answer how things are once all that came of it is committed.

        `do` is an action of the scenario vocabulary, or `pause`, `play`, `step` (with `by`: a span, or until the
        next change), `speed` (with `speed`), `status`. Raises InvalidMessageError; then nothing has been done.
        """
        if not self._synced:
            raise InvalidMessageError("The simulation is not ready", "do: wait until /readyz says so")
        if self._over:
            raise InvalidMessageError("The simulation has ended", "do: start it again")
        order = parse_order(request)
        if len(self._asked) >= bounds.ORDERS:
            raise InvalidMessageError(
                "The simulation is busy", f"do: {bounds.ORDERS} requests wait for their turn; try again"
            )
        asked = _Asked(order, asyncio.get_running_loop().create_future())
        self._asked.append(asked)
        self._woken.set()
        await asked.done
        return self.status()

    def status(self) -> Mapping[str, Any]:
        """Where the simulation is and how it moves; `elapsed` in simulated seconds."""
        now, speed = self.now(), self._pace.speed
        return {
            "scenario": self._scenario.name,
            "seed": self._seed,
            "time": runs.stamp(now),
            "elapsed": round(now - self._start, 3),
            "paused": self._pace.paused,
            "speed": "max" if speed == MAX else speed,
            "changes": self._simulation.cluster.written,
            "injected": self._injected,
        }

    def _obey(self, asked: _Asked) -> None:
        """Its turn, between two steps: nothing is due any more at this moment."""
        order, pace, due = asked.order, self._pace, self._simulation.elapsed
        if order.do != "status":
            # Whatever it is, it ends a step that is on its way.
            pace.anchor(due, self._clock.monotonic())
            self._obeyed = [(min(when, due), done) for when, done in self._obeyed]
        match order.do:
            case "pause":
                pace.paused = True
            case "play":
                pace.paused = False
            case "speed":
                pace.speed = order.speed
            case "step":
                # It stands still at a later moment; the deliveries get there.
                pace.paused = True
                if order.span is None:
                    self._seeking = min(due + LONGEST_STEP, self._end)
                else:
                    due = min(due + order.span, self._end)
                    pace.anchor(due, self._clock.monotonic())
            case "act":
                try:
                    self._inject(order)
                except InvalidMessageError as refused:
                    if not asked.done.done():
                        asked.done.set_exception(refused)
                    return
        self._obeyed.append((due, asked.done))

    def _inject(self, order: Order) -> None:
        assert order.action is not None, "an order that is not about the pace is an action"
        if self._injected >= bounds.INJECTED:
            raise InvalidMessageError(
                "The simulation has been acted on too often", f"do: {bounds.INJECTED} actions is the most"
            )
        self._simulation.perform(order.action)
        self._injected += 1
        record = {"elapsed": self._simulation.elapsed, "action": order.request}
        self._recorded[f"{runs.ACTION}{self._injected}"] = json.dumps(record)

    def _answer(self) -> None:
        """Tell those who asked, once what they asked for has happened and is committed."""
        if self._seeking is not None or self._simulation.cluster.changes or self._recorded:
            return
        engine = self._simulation.engine
        waiting: list[tuple[int, asyncio.Future[None]]] = []
        for due, done in self._obeyed:
            next_due = engine.next_due
            happened = engine.now > due or (engine.now == due and (next_due is None or next_due > due))
            if happened:
                _settle(done)
            else:
                waiting.append((due, done))
        self._obeyed = waiting


def _settle(done: asyncio.Future[None]) -> None:
    if not done.done():  # whoever asked may be gone
        done.set_result(None)
