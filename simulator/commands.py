"""`kstream simulate`: a simulated cluster, served; and `kstream sim`: taking a hand in one that runs."""

from __future__ import annotations

from kstream.clock import SystemClock
from kstream.ports import Clock
from simulator.durations import DEFAULT_START, moment, seconds
from simulator.scenario import DEFAULT, load_scenario
from simulator.source import SimulatorSource, parse_speed


def build(
    *,
    clock: Clock | None = None,
    scenario: str = DEFAULT,
    seed: int = 1,
    nodes: int | None = None,
    pods: int | None = None,
    churn: float | None = None,
    speed: str = "1",
    start: str | None = None,
    at: str | None = None,
    paused: bool = False,
    duration: str | None = None,
) -> SimulatorSource:
    """A source from what the options say, as strings. Raises ConfigError, and InvalidMessageError for a speed."""
    clock = clock or SystemClock()
    return SimulatorSource(
        load_scenario(scenario).adapted(nodes=nodes, pods=pods, churn=churn),
        clock=clock,
        seed=seed,
        start=DEFAULT_START if start is None else moment(start, now=clock.time()),
        adopt_start=start in (None, "now"),
        speed=parse_speed(speed),
        at=0.0 if at is None else seconds(at),
        paused=paused,
        duration=None if duration is None else seconds(duration),
    )
