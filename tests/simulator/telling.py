"""What a simulation tells, as a client would hear it: shared by the tests of the simulator."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from kstream.core.timeline.events import Event, Kind, Verb, WatchEvent
from kstream.core.timeline.recorder import Recorder
from kstream.core.timeline.state import ClusterState
from simulator.simulation import Simulation
from simulator.source import watch_event
from simulator.story.actions import parse_action
from simulator.story.scenario import Scenario, parse_scenario

GONE = "gone"


class _Body(msgspec.Struct):
    status: str = ""


_body = msgspec.json.Decoder(_Body).decode


def scenario_of(text: str) -> Scenario:
    return parse_scenario("name: test\nsummary: For a test\n" + text, where="test.yaml")


class Told(NamedTuple):
    """What was heard of one object: its statuses in order, repeats left out, and GONE."""

    kind: Kind
    namespace: str
    name: str
    uid: str
    statuses: list[str]


class Teller:
    """Runs a simulation and keeps what it told."""

    def __init__(self, scenario: Scenario, *, seed: int = 1) -> None:
        self.simulation = Simulation(scenario, seed=seed)
        self.state = ClusterState()
        self.events: list[WatchEvent] = []
        self.objects: dict[str, Told] = {}
        self._recorder = Recorder(ClusterState())
        self.run(0)

    def run(self, until: float) -> None:
        """To `until`, in seconds since the start."""
        while not self.simulation.advance(round(until * 1000)):
            self.hear()
        self.hear()

    def do(self, at: float, **action: object) -> None:
        """Run to `at` and act there."""
        self.run(at)
        self.simulation.perform(parse_action({key.replace("_", "-"): v for key, v in action.items()}))

    def hear(self) -> None:
        """Take what waits, through the recorder, into events and state."""
        for change in self._recorder.take(map(watch_event, self.simulation.take())):
            self.events.append(change)
            self.state.apply(Event(self.state.seq + 1, change))
            key = change.key
            told = self.objects.setdefault(key.uid, Told(key.kind, key.namespace, key.name, key.uid, []))
            status = GONE if change.verb is Verb.DELETED else _body(change.body).status
            if not told.statuses or told.statuses[-1] != status:
                told.statuses.append(status)

    def pods(self, namespace: str, prefix: str) -> list[Told]:
        """What was heard of the pods of a namespace whose names begin so."""
        return [
            t
            for t in self.objects.values()
            if t.kind is Kind.POD and t.namespace == namespace and t.name.startswith(prefix)
        ]

    def node(self, name: str) -> list[str]:
        return next(t for t in self.objects.values() if t.kind is Kind.NODE and t.name == name).statuses
