"""Stories that once found something, step by step: what the dice of a seed tell changes with each new kind of step."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

from tests.world.story import Step, story

FILE: Final = Path(__file__).with_name("kept.jsonl")
"""A line for each: {"seed", "switches", "steps": [[at, what, whom, seconds], …]}. Seeds drive what else has dice."""


class Kept(NamedTuple):
    seed: int
    switches: frozenset[str]
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        return "+".join([str(self.seed), *sorted(self.switches)])


def read(lines: Iterable[str]) -> list[Kept]:
    found = []
    for line in lines:
        entry = json.loads(line)
        steps = tuple(Step(*step) for step in entry["steps"])
        found.append(Kept(entry["seed"], frozenset(entry["switches"]), steps))
    return found


def line_of(kept: Kept) -> str:
    return json.dumps({"seed": kept.seed, "switches": sorted(kept.switches), "steps": kept.steps})


def keep(seed: int, switches: frozenset[str], *, file: Path = FILE) -> str:
    """Keep the story that the seed tells now, unless one of that seed and those switches is kept. Says which."""
    lines = file.read_text().splitlines()
    if any((each.seed, each.switches) == (seed, switches) for each in read(lines)):
        return f"{file.name} has a story of that seed and those switches already"
    made = line_of(Kept(seed, switches, tuple(story(seed, switches))))
    file.write_text("".join(f"{line}\n" for line in [*lines, made]))
    return f"kept in {file.name}"
