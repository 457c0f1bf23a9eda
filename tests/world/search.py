"""Looking for a seed that finds something, and making its story short."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tests.world.stage import play
from tests.world.story import Step, story


def search(seeds: Iterable[int], switches: frozenset[str]) -> tuple[int, frozenset[str], str] | None:
    """The first seed that finds something: it, the switches, what was found."""
    for seed in seeds:
        if found := play(seed, story(seed, switches)):
            return seed, switches, found
    return None


def shrink(seed: int, steps: Sequence[Step]) -> list[Step]:
    """Fewer steps that still find something of the same kind: halves are left out, quarters, then one at a time."""
    kept = list(steps)
    kind = _kind(play(seed, kept))
    size = max(1, len(kept) // 2)
    while True:
        start, shorter = 0, False
        while start < len(kept):
            tried = kept[:start] + kept[start + size :]
            if _kind(play(seed, tried)) == kind:
                kept, shorter = tried, True
            else:
                start += size
        if size == 1 and not shorter:
            return kept
        size = max(1, size // 2)


def _kind(found: str) -> str:
    return found.partition(":")[0]


def report(seed: int, switches: frozenset[str], found: str) -> str:
    """The finding, the shortest story, and the command that plays it again."""
    told = "\n".join(f"  {step}" for step in shrink(seed, story(seed, switches)))
    options = "".join(f" --switch '{name}'" for name in sorted(switches))
    again = f'make world SEED={seed} ARGS="--trace{options}"'
    return f"\nseed {seed}: {found}\n{told}\nplay it again: {again}\n"
