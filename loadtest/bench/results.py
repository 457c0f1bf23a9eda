"""What a benchmark found, and whether that is what was asked for."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import NamedTuple


class Result(NamedTuple):
    """One goal. `ratio` is what is compared with `goal`; None where the peer is missing."""

    name: str
    figure: str  # what kstream did, with its unit
    peer: str  # what the peer did in the same run
    ratio: float | None
    goal: float
    at_most: bool = False  # the ratio is a cost, not a speed
    note: str = ""

    @property
    def passed(self) -> bool | None:
        if self.ratio is None:
            return None
        return self.ratio <= self.goal if self.at_most else self.ratio >= self.goal


def table(results: Iterable[Result]) -> str:
    rows = [("benchmark", "kstream", "peer", "ratio", "goal", "")]
    for result in results:
        verdict = {True: "pass", False: "MISS", None: "skipped"}[result.passed]
        rows.append(
            (
                result.name,
                result.figure,
                result.peer,
                "-" if result.ratio is None else f"{result.ratio:.2f}",
                f"{'≤' if result.at_most else '≥'} {result.goal:g}",
                f"{verdict}  {result.note}".rstrip(),
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)


def as_json(results: Iterable[Result]) -> str:
    return json.dumps([{**result._asdict(), "passed": result.passed} for result in results], indent=2)


def amount(value: float, unit: str = "") -> str:
    """Three digits and a prefix: 1234567 is 1.23M."""
    for limit, prefix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:.3g}{prefix}{unit}"
    return f"{value:.3g}{unit}"
