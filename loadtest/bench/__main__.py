"""`python -m loadtest.bench`: measure all goals, or those named, and print a table or JSON."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from kstream.collecting import collect_seldom
from loadtest.bench.fanout import fan_out
from loadtest.bench.filters import narrow_filters
from loadtest.bench.hostile import hostile
from loadtest.bench.memory import memory
from loadtest.bench.page import page
from loadtest.bench.past import past
from loadtest.bench.paths import append, ingest
from loadtest.bench.results import Result, as_json, table
from loadtest.bench.rewinders import rewinders
from loadtest.bench.states import large_states
from loadtest.bench.sync import first_sync
from loadtest.bench.visitors import visitors

GROUPS: dict[str, Callable[..., list[Result]]] = {
    "fanout": fan_out,
    "filters": narrow_filters,
    "states": large_states,
    "ingest": ingest,
    "append": append,
    "past": past,
    "memory": memory,
    "visitors": visitors,
    "hostile": hostile,
    "rewinders": rewinders,
    "page": page,
    "sync": first_sync,
}


def group(name: str) -> str:
    if name not in GROUPS:
        raise argparse.ArgumentTypeError(f"no such group: {name}; there are {', '.join(GROUPS)}")
    return name


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument(
        "groups", nargs="*", type=group, help=f"of {', '.join(GROUPS)}; all when none is named"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    options = parser.parse_args()
    collect_seldom()  # as in every command of kstream; the peers in this process have it, too
    results: list[Result] = []
    for name in options.groups or GROUPS:
        sys.stderr.write(f"measuring {name} ...\n")
        results += GROUPS[name](quick=options.quick)
    sys.stdout.write((as_json(results) if options.json else table(results)) + "\n")
    return 0 if all(result.passed is not False for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
