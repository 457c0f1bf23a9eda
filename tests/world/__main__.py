"""`python -m tests.world SEED [--switch NAME] [--trace]` plays one seed; `--seconds 600` plays new ones for so long."""

from __future__ import annotations

import argparse
import random
import sys
import time

from tests.world.search import report, search
from tests.world.stage import play
from tests.world.story import SWITCHES, story


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.world", description=__doc__)
    parser.add_argument("seed", type=int, nargs="?", help="play this one")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long to play new seeds")
    parser.add_argument("--switch", action="append", choices=sorted(SWITCHES), default=[])
    parser.add_argument("--trace", action="store_true", help="tell what happens")
    given = parser.parse_args()
    switches = frozenset(given.switch)
    write = sys.stdout.write
    if given.seed is not None:
        steps = story(given.seed, switches)

        def tell(line: str) -> None:
            write(line + "\n")

        found = play(given.seed, steps, trace=tell) if given.trace else play(given.seed, steps)
        write(report(given.seed, switches, found) if found else f"seed {given.seed}: nothing found\n")
        return 1 if found else 0
    first = random.SystemRandom().randrange(1_000_000_000)
    began, findings, played = time.monotonic(), 0, 0
    back = "\r" if sys.stdout.isatty() else ""  # to the beginning of the line of progress
    while time.monotonic() - began < given.seconds:
        hit = search(range(first + played, first + played + 20), switches)
        played += 20
        if hit is not None:
            findings += 1
            write(report(*hit))
        if back:
            write(f"{back}{played} seeds from {first} on, {findings} findings")
            sys.stdout.flush()
    write(f"{back}{played} seeds from {first} on, {findings} findings\n")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
