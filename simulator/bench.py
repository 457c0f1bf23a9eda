"""How fast the simulation is: `python -m simulator.bench [--nodes N --pods N --churn N --seconds N]`, one JSON object.

Measured where it matters, at the Source: simulated, made JSON, decoded, and (for the ratio) what ingesting the same
lines from a real API server costs, decoder and recorder, without the log.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from typing import Any

import click
import msgspec

from kstream.clock import SystemClock
from kstream.core.kube.resources import decode_line
from kstream.core.timeline.events import Known, WatchEvent
from kstream.core.timeline.health import Synced
from kstream.core.timeline.recorder import Recorder
from kstream.core.timeline.state import ClusterState
from simulator.cluster.objects import Change
from simulator.pace import MAX
from simulator.simulation import Simulation
from simulator.source import SimulatorSource
from simulator.story.scenario import Scenario, load_scenario

SAMPLE = 20_000  # changes for the comparison with the ingest path


async def measured(scenario: Scenario, *, seconds: float) -> dict[str, Any]:
    """Build the cluster, run it for `seconds` of simulated time, and say what that took."""
    source = SimulatorSource(scenario, clock=SystemClock(), seed=1, speed=MAX, duration=seconds)
    began = time.perf_counter()
    built = cpu = 0.0
    objects = events = 0
    async for delivery in source.deliveries(Known({}, {})):
        if not built:
            objects += len(delivery.events)
            if any(isinstance(report, Synced) for report in delivery.reports):
                built, cpu = time.perf_counter() - began, time.process_time()
        else:
            events += len(delivery.events)
    cpu = time.process_time() - cpu
    return {
        "objects": objects,
        "build_s": round(built, 2),
        "events": events,
        "cpu_s": round(cpu, 2),
        "events_per_s": round(events / cpu),
        "times_real_time": round(seconds / cpu, 1),
        "max_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def ingest_rate(changes: list[Change]) -> float:
    """Lines a second through decoder and recorder: what the live path does with the same changes."""
    encode = msgspec.json.Encoder().encode
    lines = [(c.kind, encode({"type": str(c.verb), "object": c.object}), c) for c in changes]
    recorder = Recorder(ClusterState())
    began = time.process_time()
    for kind, line, change in lines:
        decoded = decode_line(kind, line).decoded
        assert decoded is not None, "what the simulator writes can be read"
        recorder.take([WatchEvent(change.verb, decoded.key, decoded.version, change.time, decoded.body)])
    return len(lines) / (time.process_time() - began)


def sampled(scenario: Scenario) -> list[Change]:
    """Changes of a smaller cluster with the same mix."""
    simulation = Simulation(scenario.adapted(nodes=50, pods=1500, churn=50), seed=1)
    taken: list[Change] = []
    while len(taken) < SAMPLE:
        simulation.advance(simulation.elapsed + 1000)
        taken += simulation.take()
    return taken


@click.command()
@click.option("--nodes", type=int, default=5000, show_default=True)
@click.option("--pods", type=int, default=150_000, show_default=True)
@click.option("--churn", type=float, default=500, show_default=True)
@click.option("--seconds", type=float, default=120, show_default=True, help="Simulated.")
def main(nodes: int, pods: int, churn: float, seconds: float) -> None:
    """Measure."""
    scenario = load_scenario("churn-at-scale")
    ingest = ingest_rate(sampled(scenario))
    result = asyncio.run(measured(scenario.adapted(nodes=nodes, pods=pods, churn=churn), seconds=seconds))
    result["ingest_events_per_s"] = round(ingest)
    result["ratio_to_ingest"] = round(result["events_per_s"] / ingest, 3)
    sys.stdout.write(json.dumps({"bench": "simulator", "nodes": nodes, "pods": pods, **result}) + "\n")


if __name__ == "__main__":
    main()
