"""What a run tells, as one hash: equal hashes, equal runs, on any machine and any Python.

`python -m simulator.fingerprint > fixtures/simulator-hashes.json` pins them anew after a deliberate change.
"""

from __future__ import annotations

import hashlib
import json
import sys

from msgspec.structs import astuple

from simulator.simulation import Simulation
from simulator.source import watch_event
from simulator.story.scenario import Scenario, load_scenario, shipped

SEEDS = (1, 2)
SMALL = {"churn-at-scale": {"nodes": 40, "pods": 800, "churn": 20}}  # the same code at a size for a test
SECONDS = 300.0


def fingerprint(scenario: Scenario, *, seed: int, seconds: float) -> str:
    """SHA-256 of every WatchEvent of the first simulated seconds, field by field."""
    simulation = Simulation(scenario, seed=seed)
    digest = hashlib.sha256()
    reached = False
    while not reached:
        reached = simulation.advance(round(seconds * 1000))
        for change in simulation.take():
            event = watch_event(change)
            line = (event.verb, *astuple(event.key), event.version, f"{event.time:.3f}")
            digest.update("\t".join(line).encode() + b"\t" + event.body + b"\n")
    return digest.hexdigest()


def scenario_for_hash(name: str) -> Scenario:
    return load_scenario(name).adapted(**SMALL.get(name, {}))


def fingerprints() -> dict[str, str]:
    """`scenario/seed` → hash, for every shipped scenario."""
    return {
        f"{name}/{seed}": fingerprint(scenario_for_hash(name), seed=seed, seconds=SECONDS)
        for name in shipped()
        for seed in SEEDS
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(fingerprints(), indent=2) + "\n")
