"""SimulatorSource: the simulated cluster as a kstream Source, paced on a clock and open to live control."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import msgspec

from kstream.core.amounts import seconds
from kstream.core.errors import ConfigError, InvalidMessageError, LogMismatchError
from kstream.core.kube.resources import decode_object, deleted_body
from kstream.core.timeline.events import Delivery, Known, Verb, WatchEvent
from kstream.core.timeline.health import Identified, Report, Synced
from kstream.ports import Clock
from simulator.cluster.objects import Change
from simulator.pace import MAX, Pace
from simulator.simulation import Simulation
from simulator.story.actions import Action, parse_action
from simulator.story.durations import DEFAULT_START
from simulator.story.scenario import Scenario

BATCH = 400  # changes in a delivery, about: other tasks wait some 25 ms for it
MANY = 20_000  # pods
LONGEST_STEP = 3_600_000  # simulated milliseconds in which something must change
LONGEST_SPAN = 86_400.0  # simulated seconds of a step: all that happens in it is computed
TICK = 0.02  # seconds: what is due within one goes out together
AHEAD = 1000  # simulated milliseconds that go out together when nothing holds them back
SILENT = 1000  # changes between two chances for other tasks while catching up
RUN, POSITION, ACTION = "simulation-run", "simulation", "simulation-action-"
_encode = msgspec.json.Encoder().encode


def watch_event(change: Change) -> WatchEvent:
    """A change of the simulated cluster on kstream's one path: as JSON, through the decoder."""
    decoded = decode_object(change.kind, _encode(change.object))
    body = deleted_body(decoded.key) if change.verb is Verb.DELETED else decoded.body
    return WatchEvent(change.verb, decoded.key, decoded.version, change.time, body)


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
        self._end = None if duration is None else round(duration * 1000)
        self._pace = Pace(speed=speed, now=clock.monotonic(), paused=paused)
        self._woken = asyncio.Event()
        self._asked = self._answered = 0  # requests for control: an answer waits until all is committed
        self._handed_over = asyncio.Event()
        self.ended = asyncio.Event()  # the duration is over, and all of it is committed
        self._recorded: dict[str, str] = {}  # injected actions that are not handed over yet
        self._injected = 0
        self._synced = self._over = False
        self._idle = False  # all that happened is committed, and it waits for more to happen
        self._as_of: float | None = None
        self._simulation = Simulation(scenario, seed=seed, start=start)

    # -- the Source

    async def deliveries(self, known: Known) -> AsyncGenerator[Delivery, None]:
        """What happens, as it happens. Raises LogMismatchError when the log is of another run."""
        actions = self._identify(known)
        await self._catch_up(int(known.versions.get(POSITION, "0")), actions)
        try:
            async with aclosing(self._told()) as told:
                async for delivery in told:
                    yield delivery
        finally:
            self._over = True
            self._handed_over.set()  # whoever waits for it need not wait for ever

    async def _told(self) -> AsyncGenerator[Delivery, None]:
        simulation = self._simulation
        while not simulation.cluster.namespaces:
            simulation.step(0)
        reports: list[Report] = [Identified(simulation.info)]
        run = {RUN: self.run}
        self._pace.anchor(simulation.elapsed, self._clock.monotonic())
        while True:
            asked, until = self._asked, self._until()
            reached = simulation.advance(until, most=BATCH)
            if reached and not self._synced and simulation.built and simulation.elapsed >= self._at:
                self._synced = True
                if len(simulation.cluster.pods) > MANY:
                    gc.freeze()  # they are here to stay: a fifth faster when the collector does not walk them
                self._pace.anchor(simulation.elapsed, self._clock.monotonic())
                reports.append(Synced())
            events = [watch_event(change) for change in simulation.take()]
            if events or reports or self._recorded:
                versions = {POSITION: str(simulation.cluster.written), **run, **self._recorded}
                run, self._recorded = {}, {}
                yield Delivery(events, versions, reports)
                reports = []
            if not reached:
                await self._clock.sleep(0)
            elif self._end is not None and simulation.elapsed >= self._end:
                self.ended.set()
                return
            else:
                if not simulation.cluster.changes and not self._recorded:
                    self._answered = asked
                    self._handed_over.set()
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

    def _until(self) -> int:
        """How far to simulate now, in milliseconds."""
        simulation = self._simulation
        if not self._synced:
            return self._at
        at = self._pace.at(self._clock.monotonic())
        if at is None:
            due = simulation.engine.next_due
            at = simulation.elapsed if due is None else max(simulation.elapsed, due) + AHEAD
        if self._end is not None:
            at = min(at, self._end)
        return max(at, simulation.elapsed)

    async def _wait(self) -> None:
        """Until something is due or somebody calls."""
        due = self._simulation.engine.next_due
        delay = MAX if due is None else self._pace.until(due, self._clock.monotonic())
        if self._end is not None:
            delay = min(delay, self._pace.until(self._end, self._clock.monotonic()))
        if self._pace.speed == MAX and not self._pace.paused:
            await self._clock.sleep(0)
            return
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
        return json.dumps(
            {
                "scenario": self._scenario.name,
                "digest": self._scenario.digest(),
                "seed": self._seed,
                "start": _stamp(self._start),
            }
        )

    @property
    def epoch(self) -> str:
        """An epoch for a log of this run that is kept: made of nothing but the run."""
        return hashlib.sha256(self.run.encode()).hexdigest()[:32]

    def check(self, versions: Mapping[str, str], *, empty: bool) -> None:
        """Raises LogMismatchError when the log that these versions are from is not of this run."""
        text = versions.get(RUN)
        if text is None:
            if not empty:
                raise LogMismatchError(
                    "The log is not of a simulation: it holds the events of a cluster; give another --log"
                )
            return
        run = json.loads(text)
        mine = json.loads(self.run)
        for key, option in (
            ("scenario", "--scenario"),
            ("seed", "--seed"),
            ("start", "--start"),
            ("digest", "the scenario's content (--nodes, --pods, --churn or its file)"),
        ):
            if run[key] != mine[key] and not (key == "start" and self._adopt_start):
                raise LogMismatchError(
                    f"The log is of another run: its {key} is {run[key]}, not {mine[key]}. "
                    f"Give the same {option}, or another --log"
                )

    def _identify(self, known: Known) -> list[tuple[int, Action]]:
        """What was injected into the log's run so far, and when; its start, if that is to be ours."""
        self.check(known.versions, empty=not known.objects)
        if self._adopt_start and RUN in known.versions:
            self._start = datetime.fromisoformat(json.loads(known.versions[RUN])["start"]).timestamp()
            self._simulation = Simulation(self._scenario, seed=self._seed, start=self._start)
        actions = []
        while (record := known.versions.get(f"{ACTION}{self._injected + 1}")) is not None:
            self._injected += 1
            value = json.loads(record)
            actions.append((value["elapsed"], parse_action(value["action"])))
        return actions

    async def _catch_up(self, changes: int, actions: list[tuple[int, Action]]) -> None:
        """Simulate silently up to where the log ends: it is deterministic."""
        simulation, cluster = self._simulation, self._simulation.cluster
        cluster.quiet = True
        rested = 0
        for elapsed, action in actions:
            while simulation.step(elapsed):
                if cluster.written - rested >= SILENT:
                    rested = cluster.written
                    await self._clock.sleep(0)
            simulation.perform(action)
        while cluster.written < changes and simulation.step(simulation.engine.next_due or 0):
            if cluster.written - rested >= SILENT:
                rested = cluster.written
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
        match request:
            case {"do": "status", **rest} if not rest:
                pass
            case {"do": "pause", **rest} if not rest:
                self._settle()
                self._pace.paused = True
            case {"do": "play", **rest} if not rest:
                self._settle()
                self._pace.paused = False
            case {"do": "speed", "speed": value, **rest} if not rest:
                speed = parse_speed(value)
                self._settle()
                self._pace.speed = speed
            case {"do": "step", **rest} if not (rest.keys() - {"by"}):
                self._step(rest.get("by"))
            case _:
                self._inject(request)
        self._asked += 1
        mine = self._asked
        self._woken.set()
        while self._answered < mine and not self._over:
            self._handed_over.clear()
            await self._handed_over.wait()
        return self.status()

    def status(self) -> Mapping[str, Any]:
        """Where the simulation is and how it moves; `elapsed` in simulated seconds."""
        now, speed = self.now(), self._pace.speed
        return {
            "scenario": self._scenario.name,
            "seed": self._seed,
            "time": _stamp(now),
            "elapsed": round(now - self._start, 3),
            "paused": self._pace.paused,
            "speed": "max" if speed == MAX else speed,
            "changes": self._simulation.cluster.written,
            "injected": self._injected,
        }

    def _settle(self) -> None:
        """Let simulated time be what the clock says, or, if there is much to do until then, what it is."""
        simulation = self._simulation
        until, due = self._until(), simulation.engine.next_due
        if due is not None and due <= until:
            until = simulation.elapsed
        while not simulation.advance(until, most=1 << 30):
            pass
        self._pace.anchor(simulation.elapsed, self._clock.monotonic())

    def _step(self, by: object) -> None:
        """Stand still at a later moment; the deliveries get there."""
        simulation = self._simulation
        span = None if by is None else _span(by)
        self._settle()
        self._pace.paused = True
        if span is None:
            before, limit = simulation.cluster.written, simulation.elapsed + LONGEST_STEP
            while simulation.cluster.written == before and simulation.step(limit):
                pass
            span = 0
        self._pace.anchor(simulation.elapsed + span, self._clock.monotonic())

    def _inject(self, request: dict[str, Any]) -> None:
        if "at" in request or "every" in request:
            raise InvalidMessageError("That is no action of the simulation", "at: a live action happens now")
        action = parse_action(request)
        self._settle()
        self._simulation.perform(action)
        self._injected += 1
        record = {"elapsed": self._simulation.elapsed, "action": request}
        self._recorded[f"{ACTION}{self._injected}"] = json.dumps(record)


def _span(by: object) -> int:
    """Milliseconds."""
    if not isinstance(by, str | int | float):
        raise InvalidMessageError("That is no step", "by: write a span of time such as 10s")
    try:
        span = seconds(by)
    except ConfigError as error:
        raise InvalidMessageError("That is no step", f"by: {error}") from None
    if span > LONGEST_SPAN:
        raise InvalidMessageError("That is too long a step", "by: at most 24h; step again to go on")
    return round(span * 1000)


def parse_speed(value: object) -> float:
    """`max`, or a number above 0. Raises InvalidMessageError."""
    if value == "max":
        return MAX
    try:
        speed = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        speed = 0.0
    if not 0 < speed < MAX:
        raise InvalidMessageError("That is no speed", f"speed: {value!r} is neither a number above 0 nor max")
    return speed


def _stamp(at: float) -> str:
    text = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
